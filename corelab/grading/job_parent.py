"""Lets the engine fork its containers from this process instead of starting an interpreter for each cloud."""

from __future__ import annotations

import os
import socket
from multiprocessing import connection, forkserver, resource_tracker
from typing import Any


def adopt() -> None:
    """Fork the standard library's fork server from here, with all that is loaded; call it before any thread starts."""
    address = connection.arbitrary_address("AF_UNIX")  # type: ignore[attr-defined]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    alive_read, alive_write = os.pipe()
    child = os.fork()
    if child == 0:
        for descriptor in range(3, 64):
            if descriptor not in (listener.fileno(), alive_read):
                _close(descriptor)
        try:
            forkserver.main(listener.detach(), alive_read, [])
        finally:
            os._exit(0)
    os.close(alive_read)
    listener.close()
    # Nothing here uses what the tracker tracks, and starting it would cost an interpreter's start.
    tracker: Any = resource_tracker._resource_tracker
    tracker._fd = os.open(os.devnull, os.O_WRONLY)
    server: Any = forkserver._forkserver
    server._forkserver_address = address
    server._forkserver_alive_fd = alive_write
    server._forkserver_pid = child


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:  # was not open
        return
