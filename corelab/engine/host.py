"""The machine that containers run on: starts them from a warm parent and keeps them within their memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from corelab.engine import child
from corelab.engine.output import WriteEnd
from corelab.engine.process import PROCESS_LOCK, ContainerProcess

# Windows starts every container anew; elsewhere they are forked from a parent that never runs threads.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_PRELOAD = ["corelab.engine.xgb.preload", "corelab.engine.child", "corelab.engine.xgb.serve.worker"]
_WATCH_SECONDS = 0.1


class ContainerHost:
    """Starts containers. One a server: all of them share the interpreter's single worker parent."""

    def __init__(self) -> None:
        self._context = _context()
        self._running: set[ContainerProcess] = set()
        self._changed = threading.Condition()
        self._watcher: threading.Thread | None = None
        self._closed = False

    def warm(self) -> None:
        """Start the worker parent; it loads the algorithm while the caller goes on."""
        if _FORKS:
            from multiprocessing.forkserver import ensure_running

            with PROCESS_LOCK, _no_main_module():
                ensure_running()

    def start(
        self, entry: str, argument: Any, surroundings: child.Surroundings, notes: tuple[str, ...] = ()
    ) -> ContainerProcess:
        """Run ``entry`` (``module:function``) with ``argument``, which must be picklable, in a new container.

        Raises:
            OSError: the system has no process, memory or descriptor left.
        """
        reader, writer = os.pipe()
        # Daemonic, or multiprocessing would wait for the container when the interpreter ends.
        try:
            process = self._context.Process(
                target=child.run, args=(WriteEnd(writer), entry, argument, surroundings), daemon=True
            )
            with PROCESS_LOCK, _no_main_module():
                process.start()
            container = ContainerProcess(process, reader, surroundings.root, surroundings.memory_bytes, notes)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)  # output ends when the container's own copy closes
        self._watch(container)
        return container

    def close(self) -> None:
        """Kill whatever still runs and end the worker parent."""
        with self._changed:
            self._closed = True
            running = list(self._running)
            self._changed.notify_all()
        for container in running:
            container.kill()
        for container in running:
            container.wait()
        if _FORKS:
            _stop_parent()

    def _watch(self, container: ContainerProcess) -> None:
        with self._changed:
            self._running.add(container)
            if self._watcher is None:
                self._watcher = threading.Thread(
                    target=self._keep_in_memory, name="memory-watch", daemon=True
                )
                self._watcher.start()
            self._changed.notify_all()

    def _keep_in_memory(self) -> None:
        while not self._closed:
            with self._changed:
                self._changed.wait_for(lambda: self._running or self._closed)
            self._look_after_each()
            with self._changed:
                self._changed.wait_for(lambda: self._closed, _WATCH_SECONDS)

    def _look_after_each(self) -> None:
        with self._changed:
            running = list(self._running)
        for container in running:
            if container.resident_bytes() > container.memory_bytes:
                container.kill_for_memory()
            elif container.wait(0) is not None:
                with self._changed:
                    self._running.discard(container)


def _context() -> Any:
    if not _FORKS:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return context


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Hide ``__main__``: multiprocessing would run the server's main module again in every container."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _stop_parent() -> None:
    from multiprocessing import forkserver

    # multiprocessing ends its fork server only with the interpreter; a server may be closed long before.
    with PROCESS_LOCK, contextlib.suppress(AttributeError, OSError):
        forkserver._forkserver._stop()  # type: ignore[attr-defined]
