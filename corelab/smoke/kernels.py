"""Kernels forked from one process that has already imported what the notebooks import.

A notebook of the course spends most of its processor time on importing pandas, XGBoost and the SDKs. Its kernel
here is ipykernel as ever, in a process and a namespace of its own; only its imports are there before it asks.
"""

from __future__ import annotations

import ast
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

_PROVISIONER = {"JUPYTER_DEFAULT_PROVISIONER_NAME": "corelab-forked"}
# Where the asked-for modules are named to the parent, which is told nothing else.
ASKED = "CORELAB_SMOKE_IMPORTS"
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_LAUNCHER = "ipykernel_launcher"
_waiting: list[tuple[BaseProcess, Connection]] = []


@contextlib.contextmanager
def context(notebooks: Sequence[Path]) -> Iterator[BaseContext]:
    """Processes forked from a parent that has imported what the notebooks import; new ones where none can fork.

    The parent starts with the first process and ends with the context.
    """
    if not _FORKS:
        yield multiprocessing.get_context("spawn")
        return
    from multiprocessing import forkserver

    os.environ[ASKED] = " ".join(sorted(set().union(*map(imported, notebooks))))
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["corelab.smoke.warm"])
    try:
        yield forking
    finally:
        del os.environ[ASKED]
        # multiprocessing itself ends it only with the interpreter, and would fork from it for whoever asks next.
        with contextlib.suppress(AttributeError, OSError):
            forkserver._forkserver._stop()  # type: ignore[attr-defined]


@contextlib.contextmanager
def ready() -> Iterator[None]:
    """Fork the process of the next kernel now, while this one has no threads; it waits to be told what to run."""
    if not _FORKS:
        yield
        return
    asked, ask = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_await, args=(asked, ask))
    process.start()
    asked.close()
    _waiting.append((process, ask))
    os.environ.update(_PROVISIONER)
    threading.Thread(target=_end_with_runner, daemon=True).start()
    try:
        yield
    finally:
        _waiting.clear()
        for name in _PROVISIONER:
            del os.environ[name]
        ask.close()  # a kernel that was never asked for ends now


def imported(notebook: Path) -> set[str]:
    """The modules that a notebook's code cells import; a cell with a magic is no Python and has none."""
    reads: Any = nbformat.reads
    found: set[str] = set()
    for cell in reads(notebook.read_text(encoding="utf-8"), as_version=4).cells:
        if cell.cell_type == "code":
            with contextlib.suppress(SyntaxError):
                found |= _modules(ast.parse(cell.source))
    return found


def _modules(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported from a package may be a module of it; if not, asking for it does no harm.
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


class ForkedProvisioner(LocalProvisioner):
    """Lets the process that is ready become the kernel; without one, launches as jupyter_client does."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        if not _waiting or cmd[0] != sys.executable or _LAUNCHER not in cmd:
            return await super().launch_kernel(cmd, **kwargs)
        process, ask = _waiting.pop()
        folder = str(kwargs.get("cwd") or Path.cwd())
        ask.send((cmd[cmd.index(_LAUNCHER) + 1 :], kwargs["env"], folder))
        self.process = _Forked(process)  # type: ignore[assignment]
        self.pid, self.pgid, self.cwd = process.pid, process.pid, folder
        return self.connection_info


def _end_with_runner() -> None:
    """A worker of a pool would first end its notebook; its kernel ends when it sees that its own parent has."""
    runner = multiprocessing.parent_process()
    if runner is not None:
        runner.join()
        os._exit(1)


class _Forked:
    """A forked process with the part of Popen's face that LocalProvisioner looks at."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, signum: int) -> None:
        if self.pid and self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _await(asked: Connection, ask: Connection) -> None:
    ask.close()  # the other end's copy, which would keep this one waiting when the runner dies
    try:
        arguments, environment, folder = asked.recv()
    except EOFError:
        return
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = ""  # as `python -m` has it: the notebook's folder comes first

    from ipykernel.kernelapp import launch_new_instance

    # Its default is read when ipykernel is imported, which here was in another process.
    launch_new_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])
