"""Ports of 127.0.0.1 for servers that are not ours."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Return once something listens there. Raises RuntimeError when the process ends or time is up."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError(f"nothing answers on port {port} after {seconds:.0f} s")
        time.sleep(0.01)
