"""Which rows of the learning guide the course serves, and where."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from corelab.authoring import syllabus
from corelab.authoring.build import read_lesson
from corelab.errors import CourseError

# A guide page names its rows in a comment that readers do not see.
PAGE_ROWS = re.compile(r"<!--\s*guide:\s*([G0-9, ]+?)\s*-->")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The rows of the guide and the places that serve them, as ``file:line``."""

    titles: dict[str, str]
    served: dict[str, tuple[str, ...]]

    @property
    def missing(self) -> tuple[str, ...]:
        """Rows that nothing serves."""
        return tuple(row for row in self.titles if row not in self.served)

    def __str__(self) -> str:
        return f"{len(self.served)} of {len(self.titles)} rows of the guide are served"


def coverage(root: Path) -> Coverage:
    """Collect the rows that lesson cells and guide pages name.

    Raises:
        CourseError: a cell or page names a row that the guide does not have.
    """
    titles = _titles(root / "course" / "guide_rows.toml")
    served: dict[str, list[str]] = {}
    for place, rows in _places(root):
        for row in rows:
            if row not in titles:
                raise CourseError(f"{place}: the guide has no row {row}")
            served.setdefault(row, []).append(place)
    return Coverage(titles, {row: tuple(served[row]) for row in titles if row in served})


def _titles(file: Path) -> dict[str, str]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise CourseError(f"{file}: cannot be read as the rows of the guide: {problem}") from problem
    return {row: str(title) for section in table.values() for row, title in section.items()}


def _places(root: Path) -> list[tuple[str, tuple[str, ...]]]:
    course = syllabus.read(root)
    places = [
        (f"{cell.file.relative_to(root)}:{cell.line}", mark.guide)
        for assignment in course.assignments
        for cell, mark in read_lesson(course, assignment)
    ]
    for page in sorted((root / "course" / "guide").glob("*.md")):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            for found in PAGE_ROWS.findall(line):
                places.append((f"{page.relative_to(root)}:{number}", tuple(re.findall(r"G\d{3}", found))))
    return places
