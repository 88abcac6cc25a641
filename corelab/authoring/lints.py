"""What a lesson must look like beyond its marks: short cells, headings in order, pictures with words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from corelab.authoring import prose
from corelab.authoring.marks import BEGIN_HIDDEN, BEGIN_SOLUTION, END_HIDDEN, END_SOLUTION, Mark
from corelab.authoring.syllabus import Assignment
from corelab.authoring.text import Cell
from corelab.errors import CourseError

CODE_LINES: Final = 12
DELIMITERS: Final = (BEGIN_SOLUTION, END_SOLUTION, BEGIN_HIDDEN, END_HIDDEN)
PLOTTING: Final = re.compile(r"\bplt\.|\.plot\(|\.plot\.")
IN_WORDS: Final = "*In words:*"
# A named colour other than these; shades between them are numbers in quotes.
COLOUR: Final = re.compile(
    r"(?:color|edgecolor|facecolor)=\"(?!black|white|none|(?:light|dark)?gr[ae]y|[01]?\.\d)\w+\""
)
SHAPES: Final = re.compile(r"linestyle=|marker=|hatch=|\"(?:[ox^s.]-?|--|:)\"")

Marked = Sequence[tuple[Cell, Mark]]


def check_lesson(lesson: Marked, assignment: Assignment) -> None:
    """Raise one CourseError that lists everything a lesson's author has to mend."""
    problems = list(complaints(lesson, assignment))
    if problems:
        raise CourseError("\n".join(problems))


def complaints(lesson: Marked, assignment: Assignment) -> Iterator[str]:
    """Every complaint about a lesson, as ``file:line: words``."""
    for check in (_long_cells, _prose, _plots_are_read, _checks_follow_work, _stated_points):
        for cell, problem in check(lesson):
            yield str(cell.error(problem))
    total = sum(mark.points or 0 for _, mark in lesson)
    if total != assignment.points:
        yield f"{lesson[0][0].file}: the marks add up to {total} points, the syllabus says {assignment.points}"


def _long_cells(lesson: Marked) -> Iterator[tuple[Cell, str]]:
    for cell, _ in lesson:
        lines = [line.strip() for line in cell.source.splitlines()]
        lines = [line for line in lines if line and not line.startswith(DELIMITERS)]
        if cell.kind == "code" and len(lines) > CODE_LINES:
            yield cell, f"a code cell has at most {CODE_LINES} lines, this one {len(lines)}"


def _prose(lesson: Marked) -> Iterator[tuple[Cell, str]]:
    cells = [cell for cell, _ in lesson if cell.kind == "markdown"] or [lesson[0][0]]
    for number, problem in prose.complaints([cell.source for cell in cells]):
        yield cells[number], problem


def _plots_are_read(lesson: Marked) -> Iterator[tuple[Cell, str]]:
    for number, (cell, mark) in enumerate(lesson):
        draws = cell.kind == "code" and "show()" in cell.source and PLOTTING.search(cell.source)
        if draws and mark.role != "test":
            after = [next_cell for next_cell, _ in lesson[number + 1 : number + 3]]
            if not any(cell.kind == "markdown" and IN_WORDS in cell.source for cell in after):
                yield cell, f"a plot is followed by a reading of it that begins with {IN_WORDS!r}"
            if "label" not in cell.source:
                yield cell, "a plot labels its axes"
            for colour in COLOUR.findall(cell.source):
                yield cell, f"a plot is black, gray and white, got {colour}: use lines, markers, hatches"
            if "legend(" in cell.source and not SHAPES.search(cell.source):
                yield cell, "what a legend names differs in linestyle, marker or hatch, not in colour alone"


def _checks_follow_work(lesson: Marked) -> Iterator[tuple[Cell, str]]:
    waiting: Cell | None = None
    for cell, mark in lesson:
        if mark.role == "solution":
            if waiting is not None:
                yield waiting, "a solution is followed by its check before the next one"
            waiting = cell
        elif mark.role == "test":
            waiting = None
    if waiting is not None:
        yield waiting, "a solution is followed by its check"


def _stated_points(lesson: Marked) -> Iterator[tuple[Cell, str]]:
    for (question, _), (_, mark) in itertools.pairwise(lesson):
        stated = re.search(r"\((\d+) points?\)", question.source) if question.kind == "markdown" else None
        if mark.role in ("answer", "task") and (not stated or int(stated[1]) != mark.points):
            yield question, f"the question before {mark.name!r} says '({mark.points} points)'"
