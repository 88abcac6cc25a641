"""Rubrics of the answers a person grades: ``course/<assignment>/rubrics.toml``, never in a release.

[why_two_channels]
asks = "one sentence: what a full answer must show"
levels = { 4 = "...", 2 = "...", 0 = "..." }      points and what earns them, best first
full = "an answer worth full points"
half = "an answer worth about half"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from corelab.errors import CourseError

if TYPE_CHECKING:
    from corelab.authoring.marks import Mark
    from corelab.authoring.syllabus import Assignment, Syllabus
    from corelab.authoring.text import Cell

TAG: Final = "rubric"  # of the cells in which a grader reads them


@dataclass(frozen=True, slots=True)
class Rubric:
    """How one answer is graded."""

    name: str
    asks: str
    levels: tuple[tuple[int, str], ...]
    full: str
    half: str

    def as_markdown(self) -> str:
        """What a person who grades the answer reads below it."""
        levels = "\n".join(f"| {points} | {text} |" for points, text in self.levels)
        return (
            f"> **Rubric.** {self.asks}\n\n| points | for |\n|---|---|\n{levels}\n\n"
            f"*Full points, for example:* {self.full}\n\n*About half:* {self.half}"
        )


def read(course: Syllabus, assignment: Assignment, lesson: Iterable[tuple[Cell, Mark]]) -> dict[str, Rubric]:
    """The rubric of every answer and task of a lesson, by mark name.

    Raises:
        CourseError: an answer has none, a rubric has no answer, or its best level is not the cell's points.
    """
    file = course.lesson(assignment).with_name("rubrics.toml")
    rubrics = load(file)
    graded = {str(mark.name): (cell, mark) for cell, mark in lesson if mark.role in ("answer", "task")}
    for name, (cell, mark) in graded.items():
        if name not in rubrics:
            raise cell.error(f"{mark.role}={name!r} has no rubric in {file.name}")
        best = rubrics[name].levels[0][0]
        if best != mark.points:
            raise cell.error(f"{name!r} is worth {mark.points} points but its rubric gives up to {best}")
    for name in rubrics:
        if name not in graded:
            raise CourseError(f"{file}: rubric {name!r} belongs to no answer of the lesson")
    return rubrics


def load(file: Path) -> dict[str, Rubric]:
    """The rubrics of a file by name; none when it does not exist.

    Raises:
        CourseError: it is not TOML, or a rubric is not complete.
    """
    return {name: _rubric(file, name, entry) for name, entry in _table(file).items()}


def _table(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise CourseError(f"{file}: {problem}") from problem


def _rubric(file: Path, name: str, entry: Any) -> Rubric:
    keys = {"asks", "levels", "full", "half"}
    if not isinstance(entry, dict) or set(entry) != keys:
        raise CourseError(f"{file}: rubric {name!r} needs exactly {', '.join(sorted(keys))}")
    try:
        levels = tuple((int(points), str(text)) for points, text in entry["levels"].items())
    except (AttributeError, ValueError) as problem:
        raise CourseError(f"{file}: levels of {name!r} map points to text: {problem}") from problem
    points = [level[0] for level in levels]
    if len(points) < 2 or points != sorted(points, reverse=True) or points[-1] != 0:
        raise CourseError(f"{file}: levels of {name!r} go from full points down to 0, got {points}")
    return Rubric(name, str(entry["asks"]), levels, str(entry["full"]), str(entry["half"]))
