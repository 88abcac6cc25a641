"""A private local SageMaker for one submission, forked from a parent that has it loaded.

It listens on sockets handed to it, which live in other processes' network namespaces: nothing else is reachable.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tarfile
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from corelab.grading import job_parent
from corelab.grading.walls.frames import Channel, receive_with_files, send_with_files
from corelab.home import Home
from corelab.server.app import Front, Settings
from corelab.server.hold import MOST_SECONDS
from corelab.server.serve import _loop_factory


def run(channel: Channel, folder: str) -> int:
    """Serve until the grader hangs up; the home in ``folder`` may hold resources already."""
    control = socket.socket(fileno=os.dup(channel.fileno()))
    channel.close()
    job_parent.adopt()
    home = Home(Path(folder) / "home").create()
    with home.lock():
        front = Front(home, version("corelab"), Settings(MOST_SECONDS))
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                archive = runner.run(_serve(control, front))
        finally:
            front.close()
    if archive is not None:
        _keep(home.path, archive)
    return 0


def _keep(home: Path, descriptor: int) -> None:
    """Write the home into an archive; who asked for what in it is nobody's evidence."""
    with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for path in sorted(home.rglob("*")):
            if path.is_file() and not path.name.startswith(("journal.db", "server.")):
                archive.add(path, f"home/{path.relative_to(home).as_posix()}", recursive=False)


async def _serve(control: socket.socket, front: Front) -> int | None:
    """Returns the descriptor to write the home to, None when the grader just hangs up."""
    config = uvicorn.Config(
        front, http="httptools", loop="none", lifespan="off", log_level="warning", access_log=False,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    ended: asyncio.Future[int | None] = loop.create_future()

    def protocol() -> asyncio.Protocol:
        kind: Any = config.http_protocol_class
        made: asyncio.Protocol = kind(config=config, server_state=state, app_state={})
        return made

    threading.Thread(target=_obey, args=(control, loop, protocol, ended), daemon=True).start()
    await front.open()
    archive = await ended
    front.fleet.close()
    return archive


def _obey(
    control: socket.socket,
    loop: asyncio.AbstractEventLoop,
    protocol: Callable[[], asyncio.Protocol],
    ended: asyncio.Future[int | None],
) -> None:
    """Listen on every socket the grader hands over, until it hangs up."""
    send_with_files(control, {"ready": os.getpid(), "version": version("corelab")})
    while True:
        try:
            request, files = receive_with_files(control)
        except OSError:
            request, files = None, []
        if request is None or "archive" in request:
            loop.call_soon_threadsafe(ended.set_result, files[0] if files else None)
            return
        for descriptor in files:
            listener = socket.socket(fileno=descriptor)
            asyncio.run_coroutine_threadsafe(loop.create_server(protocol, sock=listener), loop).result()
        send_with_files(control, {"listening": len(files)})
