"""moto's own server in its own process: the floor of S3."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks import ports
from benchmarks.lab import client, resident, tree


@dataclass(frozen=True)
class Moto:
    """A running moto server."""

    url: str
    pid: int

    def client(self, service: str, **settings: Any) -> Any:
        return client(service, self.url, **settings)

    @property
    def memory(self) -> int:
        """Bytes, its children included."""
        return sum(resident(tree(psutil.Process(self.pid))).values())


@contextmanager
def moto() -> Iterator[Moto]:
    """A server that has answered its first S3 request."""
    port = ports.free()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        ports.wait(port, process)
        server = Moto(f"http://127.0.0.1:{port}", process.pid)
        server.client("s3").list_buckets()
        yield server
    finally:
        process.terminate()
        process.wait()
