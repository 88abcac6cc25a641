"""Finds, starts and stops the server of one home.

answering ── yes ──▶ use it
    │ no
start lock ─▶ answering? ─▶ python -m corelab.server ─▶ wait for /_corelab/health
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from corelab.errors import ServerError
from corelab.home import Home, ServerInfo

_START_SECONDS = 60.0
_ANSWER_SECONDS = 20.0  # a busy machine is slow, a hung server is silent
_STOP_SECONDS = 30.0
_DYING_SECONDS = 1.0  # a killed process stops answering a moment before the system frees its lock
_LOG_LIMIT_BYTES = 8 << 20

# Held so that a child which outlives this process is not reported as forgotten, and a dead one is reaped.
_children: list[subprocess.Popen[bytes]] = []


def get(url: str, path: str, timeout: float = 5.0) -> bytes | None:
    """One of the server's own pages; None when it has no such page or does not answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        page = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return page if answer.status == 200 else None


def get_json(url: str, path: str, timeout: float = 5.0) -> Mapping[str, Any] | None:
    """One of the server's own pages as a mapping; None when it does not answer with one."""
    try:
        page = json.loads(get(url, path, timeout) or b"")
    except ValueError:
        return None
    return page if isinstance(page, dict) else None


def console_address(url: str) -> str:
    """Where a person's browser finds the console: on a hub under Jupyter's own address, where its tile leads."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    return f"{prefix.rstrip('/')}/corelab/" if prefix else f"{url}/_corelab/console/"


def healthy(server: ServerInfo, timeout: float = 5.0) -> bool:
    """Whether the process that announced itself is the one that answers there."""
    health = get_json(server.url, "/_corelab/health", timeout)
    return health is not None and health.get("status") == "ok" and health.get("pid") == server.pid


def ensure(home: Home, port: int = 0, command: Sequence[str] | None = None) -> ServerInfo:
    """The home's server, started if none runs; of several processes that ask at once one starts it.

    Args:
        home: whose server.
        port: where a new server must listen; 0 is where the last one did, else any free port.
        command: what starts a server, without ``--home`` and ``--port``; by default our own.

    Raises:
        ServerError: when it does not start, or runs but does not answer.
    """
    if server := _answering(home):
        return server
    with home.starting(_START_SECONDS):
        return _answering(home) or _start(
            home, port, command or (sys.executable, "-P", "-m", "corelab.server")
        )


def stop(home: Home) -> ServerInfo | None:
    """End the home's server, jobs included; None when none ran.

    Raises:
        ServerError: when it does not end.
    """
    server = _announced(home)
    if server is None:
        return None
    for signal_number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        _signal(server.pid, signal_number)
        if _wait_until_gone(home, _STOP_SECONDS):
            return server
    raise ServerError(f"The server (process {server.pid}) does not end. Read {home.log}.")


def _announced(home: Home) -> ServerInfo | None:
    """What runs here, once a server that is just starting says where."""
    deadline = time.monotonic() + _STOP_SECONDS
    while (server := home.running()) is None and home.owned():
        if time.monotonic() > deadline:
            raise ServerError(f"A process holds {home.path} and does not say which. Read {home.log}.")
        time.sleep(0.05)
    return server


def _answering(home: Home) -> ServerInfo | None:
    server = home.running()
    if server is None or healthy(server, _ANSWER_SECONDS):
        return server
    if _wait_until_gone(home, _DYING_SECONDS):
        return None
    raise ServerError(
        f"The server of {home.path} (process {server.pid}, {server.url}) runs but does not answer. "
        f"Read {home.log}, then restart it with `corelab down` and `corelab up`."
    )


def _start(home: Home, port: int, command: Sequence[str]) -> ServerInfo:
    _reap()
    _keep_log_small(home)
    arguments = [*command, "--home", str(home.path), "--port", str(port)]
    with home.log.open("ab") as log:
        begin = log.tell()
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # The caller's folder may go away while the server lives.
            cwd=home.path,
            env=_server_environment(),
            **_detached(),
        )
    _children.append(child)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        server = home.running()
        if server and healthy(server):
            return server
        if child.poll() is not None and not home.owned():
            raise ServerError(_failure_text(home, begin, f"ended with status {child.returncode}"))
        time.sleep(0.02)
    child.kill()
    raise ServerError(_failure_text(home, begin, f"did not answer within {_START_SECONDS:.0f} s"))


def _failure_text(home: Home, begin: int, how: str) -> str:
    lines = home.last_log_lines(since=begin) or "(it printed nothing)"
    return f"The local SageMaker did not start: it {how}. The end of {home.log}:\n{lines}"


def _server_environment() -> dict[str, str]:
    """Ours without AWS settings: a learner's real credentials are none of the server's business."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}


def _keep_log_small(home: Home) -> None:
    if home.log.exists() and home.log.stat().st_size > _LOG_LIMIT_BYTES:
        home.log.replace(home.log.with_suffix(".log.1"))


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.kill(pid, number)


def _wait_until_gone(home: Home, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while home.owned():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    _reap()
    return True


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]
