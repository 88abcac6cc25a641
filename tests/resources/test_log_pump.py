"""What a container prints reaches its log in batches, to the last line."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import cast

import pytest

from corelab.engine.contract import Container, LogLine
from corelab.resources.log_pump import LogPump
from corelab.store.contract import LogEvent


class Printer:
    """A container that prints in bursts, with a pause after each."""

    def __init__(self, bursts: int, lines: int, pause: float) -> None:
        self._bursts, self._lines, self._pause = bursts, lines, pause

    def lines(self) -> Iterator[LogLine]:
        for burst in range(self._bursts):
            yield from (LogLine(0, f"{burst}.{line}") for line in range(self._lines))
            time.sleep(self._pause)


class Log:
    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def append(self, _region: str, _group: str, _stream: str, events: Sequence[LogEvent]) -> None:
        self.batches.append([event.message for event in events])


def pumped(bursts: int, lines: int, pause: float) -> list[list[str]]:
    log, container = Log(), cast(Container, Printer(bursts, lines, pause))
    pump = LogPump(container, log, "us-east-1", "group", "stream")
    pump.start()
    pump.join()
    assert pump.failure is None
    return log.batches


def test_lines_that_follow_each_other_closely_are_written_together() -> None:
    batches = pumped(bursts=40, lines=1, pause=0.001)
    assert sum(map(len, batches)) == 40
    assert len(batches) <= 10


def test_a_line_is_written_while_the_next_is_still_to_come() -> None:
    batches = pumped(bursts=2, lines=3, pause=1.0)
    assert all(len({text[0] for text in batch}) == 1 for batch in batches)


@pytest.mark.parametrize("lines", [4999, 5000, 5001, 12_000])
def test_no_line_is_lost_where_a_batch_is_full(lines: int) -> None:
    batches = pumped(bursts=1, lines=lines, pause=0.0)
    assert [text for batch in batches for text in batch] == [f"0.{line}" for line in range(lines)]
    assert max(map(len, batches)) <= 5000
