"""The threads in which jobs run, one a job, by the job's ARN."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

log = logging.getLogger(__name__)


class Run(Protocol):
    """One job on its way; ``run`` must leave the record in an honest state whatever happens."""

    @property
    def arn(self) -> str: ...

    def run(self) -> None:
        """Take the job from its first state to a finished one."""

    def stop(self) -> None:
        """Ask the job to end early; returns at once."""

    def abandon(self) -> None:
        """The server is going: end the processes at once and leave the record as it is."""


class Runner:
    """Starts runs and finds them again. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, tuple[Run, threading.Thread]] = {}

    def start(self, run: Run) -> None:
        thread = threading.Thread(
            target=self._live, args=(run,), name=run.arn.rpartition(":")[2], daemon=True
        )
        with self._lock:
            self._runs[run.arn] = (run, thread)
        thread.start()

    def stop(self, arn: str) -> None:
        """Pass the wish to the run, if it still lives."""
        with self._lock:
            entry = self._runs.get(arn)
        if entry is not None:
            entry[0].stop()

    def get(self, arn: str) -> Run | None:
        with self._lock:
            entry = self._runs.get(arn)
        return None if entry is None else entry[0]

    def close(self, timeout: float = 5.0) -> None:
        """Abandon what still runs; the next server finds those records and ends them honestly."""
        with self._lock:
            entries = list(self._runs.values())
        for run, _ in entries:
            run.abandon()
        for _, thread in entries:
            thread.join(timeout)

    def _live(self, run: Run) -> None:
        try:
            run.run()
        except Exception:  # a thread's border: nobody above could report it
            log.exception("run %s ended with an error of the server's own", run.arn)
        finally:
            with self._lock:
                self._runs.pop(run.arn, None)
