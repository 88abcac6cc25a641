"""One server process: the home's lock around uvicorn around the front."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable
from importlib.metadata import version

import uvicorn

from corelab.errors import ServerError
from corelab.home import Home
from corelab.server.app import Front, Settings
from corelab.server.hold import MOST_SECONDS


def serve(home: Home, port: int, hold: bool = True) -> None:
    """Serve until SIGTERM or SIGINT. Raises HomeInUse, ServerError."""
    with home.lock():
        # uvicorn raises the signal that ended it once more when it is done; the front is yet to be closed then.
        signal.signal(signal.SIGTERM, lambda *_: None)
        listener = _listen(home, port)
        front = Front(home, version("corelab"), Settings(MOST_SECONDS if hold else 0))
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_serve(home, listener, front))
        finally:
            front.close()


async def _serve(home: Home, listener: socket.socket, front: Front) -> None:
    config = uvicorn.Config(
        front, http="httptools", loop="none", lifespan="off", log_level="warning", access_log=False,
        server_header=False, date_header=True, proxy_headers=False, timeout_graceful_shutdown=2, backlog=512,
    )  # fmt: skip
    server = uvicorn.Server(config)
    await front.open()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    port = listener.getsockname()[1]
    home.remember_port(port)
    home.announce(port, version("corelab"))
    gc.freeze()  # what was loaded by now stays; later collections need not look at it
    await serving
    front.fleet.close()


def _listen(home: Home, port: int) -> socket.socket:
    """A listening socket of 127.0.0.1: the port asked for, else the last one, else any free one."""
    for wanted in [port] if port else [home.last_port() or 0, 0]:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there, the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
        except OSError as error:
            listener.close()
            if port:
                raise ServerError(
                    f"Port {port} of 127.0.0.1 is taken ({error.strerror}). Choose another."
                ) from error
        else:
            return listener
    raise ServerError("No port of 127.0.0.1 is free.")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return None
    return uvloop.new_event_loop
