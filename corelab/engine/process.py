"""Containers as child processes of a parent that has the algorithm loaded.

server ──ask──▶ worker parent (XGBoost loaded) ──fork──▶ container process
   ▲──────────────────── output pipe ◀────────────────────────┘
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from corelab.engine.container import read_failure, shown_paths
from corelab.engine.contract import Exit, LogLine, Usage
from corelab.engine.limits import OUT_OF_MEMORY_CODE
from corelab.engine.output import LineSplitter

_CHUNK = 64 << 10
_PARENT_GONE = 255  # multiprocessing's exit code for a child it lost sight of
_KILLED = -9

# multiprocessing reads a child's exit code from a pipe, once: two threads must not try at the same time.
PROCESS_LOCK = threading.Lock()


class ContainerProcess:
    """A running container, see contract.Container."""

    def __init__(
        self, process: BaseProcess, output: int, root: Path, memory_bytes: int, notes: tuple[str, ...] = ()
    ) -> None:
        """Args: output: descriptor of the reading end of the child's output; this object closes it."""
        self._process, self._output = process, output
        self._unread = weakref.finalize(self, os.close, output)
        self._root, self.memory_bytes, self._notes = root, memory_bytes, notes
        assert process.pid is not None
        self._pid = process.pid
        self._exit: Exit | None = None
        self._out_of_memory = False
        self._killer: threading.Timer | None = None
        self._usage: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):  # a very short life may be over already
            self._usage = psutil.Process(self._pid)
            self._usage.cpu_percent()  # the first reading is what later ones count from

    @property
    def pid(self) -> int:
        return self._pid

    def lines(self) -> Iterator[LogLine]:
        if self._unread.detach() is None:
            return
        for note in self._notes:
            yield LogLine(_now_ms(), note)
        shown, splitter = shown_paths(self._root), LineSplitter()
        with os.fdopen(self._output, "rb", buffering=0) as stream:
            while data := stream.read(_CHUNK):
                at = _now_ms()
                for text in splitter.feed(data):
                    yield LogLine(at, shown(text))
        for text in splitter.flush():
            yield LogLine(_now_ms(), shown(text))

    def usage(self) -> Usage | None:
        if self._usage is None or self._ended():
            return None
        try:
            with self._usage.oneshot():
                cpu, memory = self._usage.cpu_percent(), self._usage.memory_info().rss
        except psutil.Error:
            return None
        return Usage(time.time(), cpu, memory)

    def resident_bytes(self) -> int:
        """Memory in use now; 0 once it has ended."""
        if self._usage is not None and not self._ended():
            with contextlib.suppress(psutil.Error):
                return int(self._usage.memory_info().rss)
        return 0

    def stop(self, grace_seconds: float) -> None:
        self._signal(signal.SIGTERM)
        if grace_seconds <= 0:
            self.kill()
        else:
            self._cancel_killer()
            self._killer = threading.Timer(min(grace_seconds, threading.TIMEOUT_MAX), self.kill)
            self._killer.daemon = True
            self._killer.start()

    def kill(self) -> None:
        """End it at once."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def kill_for_memory(self) -> None:
        """End it as the kernel ends a container that outgrew its instance."""
        self._out_of_memory = True
        self.kill()

    def wait(self, timeout: float | None = None) -> Exit | None:
        if self._exit is None:
            # Many may wait here; reading the code afterwards is what must not happen twice.
            if not connection.wait([self._process.sentinel], timeout):
                return None
            with PROCESS_LOCK:
                if self._exit is None:
                    self._process.join()
                    self._exit = self._outcome(self._process.exitcode)
            self._cancel_killer()
        return self._exit

    def _outcome(self, code: int | None) -> Exit:
        if code == OUT_OF_MEMORY_CODE or (self._out_of_memory and code != 0):
            return Exit(_KILLED, read_failure(self._root), out_of_memory=True)
        return Exit(_KILLED if code is None or code == _PARENT_GONE else code, read_failure(self._root))

    def _ended(self) -> bool:
        return self._exit is not None or bool(connection.wait([self._process.sentinel], 0))

    def _signal(self, number: int) -> None:
        if self._ended():  # its number may already be another process's
            return
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                os.kill(self._pid, number)
                return
            try:
                os.killpg(self._pid, number)
            except ProcessLookupError:  # too young to lead its own group
                os.kill(self._pid, number)

    def _cancel_killer(self) -> None:
        if self._killer is not None:
            self._killer.cancel()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
