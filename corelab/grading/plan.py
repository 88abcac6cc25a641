"""The instructor's notebook as a plan: what is whose, and which values each check needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from corelab.errors import CourseError
from corelab.grading.names import Names, names_of

_HIDDEN = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the instructor's notebook.

    Attributes:
        role: solution, test, given, answer, task, or plain.
    """

    index: int
    kind: str
    role: str
    source: str
    identity: str
    grade_id: str | None
    points: float
    names: Names
    metadata: Mapping[str, Any]

    @property
    def locked(self) -> bool:
        return self.role in ("test", "given")


class Plan:
    """What grading must know of an assignment; made once, used for every submission.

    Args:
        source: text of the instructor's notebook.
        release: text of the students' notebook, for what was handed out.
    """

    def __init__(self, source: str, release: str | None = None) -> None:
        self.notebook: dict[str, Any] = _parsed(source)
        self.cells = [_cell(index, raw) for index, raw in enumerate(self.notebook["cells"])]
        self.edition = str(self.notebook.get("metadata", {}).get("corelab", {}).get("edition", ""))
        self.released = _texts_by_grade_id(_parsed(release)) if release else {}
        self.checksums = _checksums(_parsed(release)) if release else {}

    @cached_property
    def student_names(self) -> frozenset[str]:
        """Every name that a student is to provide: what the solutions bind, and nothing else."""
        return frozenset().union(*(cell.names.binds for cell in self.cells if cell.role == "solution"))

    @cached_property
    def connects(self) -> bool:
        """Whether the notebook talks to a cloud."""
        return any(
            "corelab.connect" in cell.source or "%load_ext corelab" in cell.source for cell in self.cells
        )

    @cached_property
    def judged(self) -> frozenset[int]:
        """Instructor's own cells that some check needs, directly or through each other."""
        return frozenset().union(*(self._needed(cell) for cell in self.cells if cell.role == "test"))

    def wanted(self, cell: Cell) -> list[str]:
        """The student's names that an instructor's cell reads, or a function of the instructor's that it calls."""
        readers = [cell, *(self.cells[index] for index in self._needed(cell))]
        return sorted(frozenset().union(*(reader.names.reads for reader in readers)) & self.student_names)

    def _needed(self, cell: Cell) -> set[int]:
        """Indexes of the instructor's own cells whose names a cell reads, directly or through each other."""
        needed: set[int] = set()
        waiting = [cell]
        while waiting:
            reader = waiting.pop()
            # A function may read what is bound below it, as long as that is above the check.
            for name in reader.names.reads - self.student_names:
                for maker in (self._maker(name, reader.index), self._maker(name, cell.index)):
                    if maker is not None and maker.index not in needed:
                        needed.add(maker.index)
                        waiting.append(maker)
        return needed

    def _maker(self, name: str, before: int) -> Cell | None:
        """The last of the instructor's own cells above that binds the name."""
        for cell in reversed(self.cells[:before]):
            own = cell.role in ("given", "plain") and cell.kind == "code" and not cell.names.magic
            if own and name in cell.names.binds:
                return cell
        return None


def without_hidden(source: str) -> str:
    """A check as students have it."""
    return _HIDDEN.sub("", source).rstrip("\n")


def _parsed(text: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
        assert isinstance(notebook["cells"], list)
    except (ValueError, KeyError, AssertionError, TypeError) as problem:
        raise CourseError(
            f"the instructor's notebook cannot be read: {problem}; run: corelab build"
        ) from problem
    return dict(notebook)


def _cell(index: int, raw: dict[str, Any]) -> Cell:
    mark = raw.get("metadata", {}).get("nbgrader", {})
    kind, source = raw["cell_type"], text_of(raw)
    return Cell(
        index=index,
        kind=kind,
        role=_role(kind, mark),
        source=source,
        identity=str(raw.get("id", f"cell-{index}")),
        grade_id=mark.get("grade_id"),
        points=float(mark.get("points", 0)),
        names=names_of(source) if kind == "code" else Names(frozenset(), frozenset(), False),
        metadata=raw.get("metadata", {}),
    )


def _role(kind: str, mark: Mapping[str, Any]) -> str:
    if mark.get("task"):
        return "task"
    if mark.get("solution"):
        return "answer" if mark.get("grade") or kind != "code" else "solution"
    if mark.get("grade"):
        return "test"
    return "given" if mark.get("locked") else "plain"


def text_of(raw: Mapping[str, Any]) -> str:
    """A cell's text, which nbformat keeps as one string or as lines; anything else is no text."""
    source = raw.get("source", "")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _texts_by_grade_id(notebook: Mapping[str, Any]) -> dict[str, str]:
    marks = ((cell.get("metadata", {}).get("nbgrader", {}), cell) for cell in notebook["cells"])
    return {mark["grade_id"]: text_of(cell) for mark, cell in marks if "grade_id" in mark}


def _checksums(notebook: Mapping[str, Any]) -> dict[str, str]:
    marks = (cell.get("metadata", {}).get("nbgrader", {}) for cell in notebook["cells"])
    return {mark["grade_id"]: mark["checksum"] for mark in marks if "checksum" in mark}
