"""The course's table of contents, read from ``course/syllabus.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corelab.errors import CourseError

ASSIGNMENT_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One row of the table of contents."""

    name: str
    notebook: str
    title: str
    minutes: int
    points: int
    needs: tuple[str, ...] = ()
    guide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Syllabus:
    """Every assignment in the order students meet them."""

    root: Path
    assignments: tuple[Assignment, ...]

    def __getitem__(self, name: str) -> Assignment:
        for assignment in self.assignments:
            if assignment.name == name:
                return assignment
        known = ", ".join(assignment.name for assignment in self.assignments)
        raise CourseError(f"there is no assignment {name!r}; the course has {known}")

    def select(self, names: Sequence[str] = ()) -> tuple[Assignment, ...]:
        """The named assignments in course order, or all of them; an unknown name is a CourseError."""
        wanted = {self[name].name for name in names}
        return tuple(a for a in self.assignments if not wanted or a.name in wanted)

    def lesson(self, assignment: Assignment) -> Path:
        """The file its words are edited in."""
        return self.root / "course" / assignment.name / "lesson.py"

    def source(self, assignment: Assignment) -> Path:
        """The instructor's notebook."""
        return self.root / "source" / assignment.name / f"{assignment.notebook}.ipynb"

    def release(self, assignment: Assignment) -> Path:
        """The students' notebook."""
        return self.root / "release" / assignment.name / f"{assignment.notebook}.ipynb"


def read(root: Path) -> Syllabus:
    """Read the syllabus of the course under ``root``.

    Raises:
        CourseError: it is missing, is not TOML, or a row is not complete.
    """
    file = root / "course" / "syllabus.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise CourseError(
            f"expected a course in {root.resolve()}, got no course/syllabus.toml; run this in the project's folder"
        ) from problem
    except (OSError, ValueError) as problem:
        raise CourseError(f"{file}: cannot be read as a syllabus: {problem}") from problem
    rows = table.get("assignment", [])
    if not isinstance(rows, list) or not rows:
        raise CourseError(f"{file}: expected [[assignment]] tables, got none")
    return Syllabus(root, _checked([_assignment(file, row) for row in rows], file))


def _assignment(file: Path, row: dict[str, Any]) -> Assignment:
    name = str(row.get("name", "?"))
    wanted = {"name": str, "notebook": str, "title": str, "minutes": int, "points": int}
    for key, kind in wanted.items():
        if not isinstance(row.get(key), kind):
            raise CourseError(
                f"{file}: assignment {name!r} needs {key} ({kind.__name__}), got {row.get(key)!r}"
            )
    unknown = sorted(set(row) - set(wanted) - {"needs", "guide"})
    if unknown:
        raise CourseError(f"{file}: assignment {name!r} has an unknown key {unknown[0]!r}")
    for key in ("name", "notebook"):
        # Both become names of files and folders.
        if not ASSIGNMENT_NAME.match(row[key]):
            raise CourseError(f"{file}: expected a {key} of small letters, digits and _, got {row[key]!r}")
    return Assignment(
        **{key: row[key] for key in wanted}, needs=_texts(row, "needs"), guide=rows(row.get("guide", []))
    )


def _texts(row: dict[str, Any], key: str) -> tuple[str, ...]:
    return tuple(str(item) for item in row.get(key, []))


def rows(ranges: Sequence[str]) -> tuple[str, ...]:
    """Guide rows written as single ids or ranges: ``["G002", "G101-G134"]``."""
    found: list[str] = []
    for item in ranges:
        ends = re.fullmatch(r"G(\d{3})(?:-G(\d{3}))?", str(item))
        if not ends:
            raise CourseError(f"expected a guide row such as 'G002' or 'G101-G134', got {item!r}")
        first, last = int(ends[1]), int(ends[2] or ends[1])
        found += [f"G{number:03d}" for number in range(first, last + 1)]
    return tuple(found)


def _checked(assignments: list[Assignment], file: Path) -> tuple[Assignment, ...]:
    seen: set[str] = set()
    for assignment in assignments:
        if assignment.name in seen:
            raise CourseError(f"{file}: assignment {assignment.name!r} stands twice")
        later = [name for name in assignment.needs if name not in seen]
        if later:
            raise CourseError(
                f"{file}: {assignment.name!r} needs {later[0]!r}, which does not come before it"
            )
        seen.add(assignment.name)
    return tuple(assignments)
