"""How long until the server answers a first S3 request, and what it takes while nobody asks, against plain moto."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, at_most
from benchmarks.lab import client, resident, running, tree
from benchmarks.moto_server import moto
from corelab.connection import launch
from corelab.home import Home

_MEGABYTE = 1e6


def measure(quick: bool) -> list[Figure]:
    first: list[float] = []
    again: list[float] = []
    floor: list[float] = []
    for _ in range(2 if quick else 5):
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder) / "home")
            first.append(_start(home))
            again.append(_start(home))
        began = time.perf_counter()
        with moto():
            floor.append(time.perf_counter() - began)
    return [
        Figure(
            "start on a fresh home (floor: moto)", "s", first, floor, typical="median", bar=at_most(4, "s")
        ),
        Figure("start on a home in use", "s", again, floor, typical="median", bar=at_most(4, "s")),
        *_memory(),
    ]


def _start(home: Home) -> float:
    began = time.perf_counter()
    server = launch.ensure(home)
    client("s3", server.url).list_buckets()
    seconds = time.perf_counter() - began
    launch.stop(home)
    return seconds


def _memory() -> list[Figure]:
    with moto() as floor:
        other = [floor.memory / _MEGABYTE]
        with running() as lab:
            sizes = resident(tree(lab.process))
    server = sizes[lab.server.pid] / _MEGABYTE
    together = sum(sizes.values()) / _MEGABYTE
    return [
        Figure("idle: the server", "MB", [server], other, typical="worst", bar=at_most(150, "MB")),
        Figure(
            "idle: with its worker parent", "MB", [together], other, typical="worst", bar=at_most(300, "MB")
        ),
    ]
