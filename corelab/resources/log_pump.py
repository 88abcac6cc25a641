"""Carries a container's output to its log stream, in batches, while it runs."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence

from corelab.engine.contract import Container, LogLine
from corelab.store.contract import LogEvent, LogStore

_BATCH = 5000
_MOMENT_SECONDS = 0.05


def rendered(text: str) -> str:
    """A line as CloudWatch shows it: a tab becomes ``#011`` (Container spec 3.2)."""
    return text.replace("\t", "#011")


class LogPump:
    """Reads in one thread and writes in another, so that a slow disk makes larger batches and not a slow job.

    Args:
        heard: called with each batch after it is in the log.
    """

    def __init__(
        self,
        container: Container,
        logs: LogStore,
        region: str,
        group: str,
        stream: str,
        heard: Callable[[Sequence[LogLine]], None] | None = None,
    ) -> None:
        self._container, self._logs, self._place = container, logs, (region, group, stream)
        self._heard = heard
        self.failure: Exception | None = None
        self._queue: queue.SimpleQueue[LogLine | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"{stream}-{work.__name__}", daemon=True)
            for work in (self._read, self._write)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until the container has ended and its last line is in the log."""
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        try:
            for line in self._container.lines():
                self._queue.put(line)
        finally:
            self._queue.put(None)

    def _write(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._drain()
            try:
                self._deliver(batch)
            except (OSError, sqlite3.Error) as error:  # a full disk: the job must say so, its output goes on
                self.failure = error

    def _deliver(self, batch: list[LogLine]) -> None:
        if batch:
            # CloudWatch takes no empty event.
            events = [LogEvent(line.timestamp_ms, rendered(line.text)) for line in batch if line.text]
            self._logs.append(*self._place, events)
            if self._heard is not None:
                self._heard(batch)

    def _drain(self) -> tuple[list[LogLine], bool]:
        """The next line and what follows within a moment, and whether these were the last.

        A commit costs more than a line, and a job prints several between two looks at its log.
        """
        batch: list[LogLine] = []
        line, until = self._queue.get(), time.monotonic() + _MOMENT_SECONDS
        while line is not None:
            batch.append(line)
            if len(batch) == _BATCH:
                return batch, False
            try:
                line = self._queue.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                return batch, False
        return batch, True
