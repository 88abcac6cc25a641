"""Results on disk, one file a submission, put in place in one step: what a killed run leaves is whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from corelab.errors import CourseError
from corelab.grading.result import Result


class Results:
    """The folder of results; ``recorded`` marks those the gradebook has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, result: Result, recorded: bool = False) -> None:
        """Raises CourseError when the folder cannot be written."""
        path = self._path(result.assignment, result.student)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8") as stream:
                # dumps, not dump: it encodes at once, in C.
                stream.write(json.dumps(result.as_dict() | {"recorded": recorded}))
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        except OSError as problem:
            raise CourseError(
                f"{path} cannot be written: {problem.strerror}; is there room, and is it yours?"
            ) from problem

    def load(self, assignment: str, student: str) -> tuple[Result, bool] | None:
        """The result and whether it is recorded; None when there is none that can be read."""
        try:
            table: dict[str, Any] = json.loads(self._path(assignment, student).read_text(encoding="utf-8"))
            recorded = bool(table.pop("recorded"))
            return Result.of(table), recorded
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def all_of(self, assignment: str) -> list[Result]:
        """Every result of an assignment, by student."""
        names = sorted(path.stem for path in (self._folder / assignment).glob("*.json"))
        loaded = (self.load(assignment, name) for name in names)
        return [pair[0] for pair in loaded if pair is not None]

    def _path(self, assignment: str, student: str) -> Path:
        return self._folder / assignment / f"{student}.json"
