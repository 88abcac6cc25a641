"""From a failed job's log to the first line that tells why, what it means, and the cure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

_UNKNOWN = "This failure is not among the known ones; the line says what the program itself had to say."
_READ_ON = "Read the lines around it in the job's log, and compare the request with one that worked."
# Levels and exception names; an evaluation line such as "[3]#011train-error:0.1" is none of these.
_ERROR_LINE = re.compile(
    r":ERROR\]|\bERROR\b|^\s*[\w.]*(?:Error|Exception)\b\s*:|^(?:Client|Algorithm)Error:"
)
_EMPTY = re.compile(r"Reporting training FAILURE|framework error:\s*$")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a job failed.

    Args:
        line: the first real error line, of the log or of the FailureReason.
        meaning: what it says, in a sentence.
        cure: what to change.
        known: whether the failure is in the table.
    """

    line: str
    meaning: str
    cure: str
    known: bool = True


def explain(lines: Iterable[str], reason: str | None = None) -> Explanation | None:
    """Explain a failure by its log lines, in order, and its FailureReason; None when neither tells of an error."""
    logged = list(_spoken(line for text in lines for line in text.splitlines()))
    said = list(_spoken((reason or "").splitlines()))
    for line in (*logged, *said):
        for pattern, meaning, cure in _table():
            if pattern.search(line):
                return Explanation(line.strip(), meaning, cure)
    last = next((line for line in (*logged, *said) if _tells(line)), None) or next(iter(said), None)
    return None if last is None else Explanation(last.strip(), _UNKNOWN, _READ_ON, known=False)


def _spoken(lines: Iterable[str]) -> Iterator[str]:
    """What the program said: a traceback's frames quote its source, which mentions errors that did not happen."""
    quoted = False
    for line in lines:
        frame = line.startswith('  File "')
        if not frame and not (quoted and line.startswith("    ")):
            yield line
        quoted = frame or (quoted and line.startswith("    "))


def _tells(line: str) -> bool:
    return _ERROR_LINE.search(line) is not None and _EMPTY.search(line) is None


@lru_cache
def _table() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    text = (resources.files("corelab.core") / "failures.toml").read_text("utf-8")
    rows = tomllib.loads(text)["failure"]
    return tuple((re.compile(row["pattern"]), row["meaning"], row["cure"]) for row in rows)
