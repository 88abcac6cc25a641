"""Looks over this machine for what the course needs; each finding comes with its cure."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import socket
import sys
from collections.abc import Iterator

from corelab.connection import launch
from corelab.core.findings import Finding
from corelab.errors import CorelabError
from corelab.home import Home

_DISK_BYTES = 2 << 30
_MEMORY_BYTES = 1536 << 20


def examine(home: Home) -> Iterator[Finding]:
    """Every finding about this machine, as it is made; nothing is changed and no server is started."""
    yield _python()
    yield from _packages()
    yield _loopback()
    yield _disk(home)
    yield _memory()
    yield _server(home)


def _python() -> Finding:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        "Python", version, "" if fits else "Use Python 3.11, 3.12 or 3.13: `python3.11 -m venv .venv`."
    )


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    wrong = 0
    needed = [Requirement(line) for line in importlib.metadata.requires("corelab") or []]
    for requirement in needed:
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = "not installed"
        if version == "not installed" or not requirement.specifier.contains(version, prereleases=True):
            wrong += 1
            yield Finding(
                requirement.name, version, f"Needed is {requirement}: run `make smoke`, which installs it."
            )
    if not wrong:
        yield Finding("packages", f"{len(needed)} requirements met")


def _loopback() -> Finding:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as problem:
        return Finding(
            "ports", str(problem), "Allow programs to listen on 127.0.0.1 (firewall, sandbox, container)."
        )
    return Finding("ports", "127.0.0.1 can be listened on")


def _disk(home: Home) -> Finding:
    try:
        home.create()
        free = shutil.disk_usage(home.path).free
    except (CorelabError, OSError) as problem:
        return Finding("disk", str(problem), "Set CORELAB_HOME to a folder you can write.")
    cure = f"Free {_DISK_BYTES >> 30} GB there, or set CORELAB_HOME to a folder on a larger disk."
    return Finding(
        "disk", f"{free / (1 << 30):.1f} GB free in {home.path}", "" if free >= _DISK_BYTES else cure
    )


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available
    cure = "Close other programs: the server, a notebook and a training job want 1.5 GB together."
    return Finding("memory", f"{free / (1 << 30):.1f} GB available", "" if free >= _MEMORY_BYTES else cure)


def _server(home: Home) -> Finding:
    server = home.running()
    if server is None:
        return Finding("server", "none runs; corelab.connect() or `corelab up` starts it")
    if launch.healthy(server):
        return Finding("server", f"answers at {server.url} (process {server.pid}, corelab {server.version})")
    return Finding(
        "server", f"process {server.pid} does not answer", f"`corelab down`, then read {home.log}."
    )
