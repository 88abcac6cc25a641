"""Builds instructor notebooks from lesson text: ``course/<assignment>/lesson.py`` to ``source/``."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import nbformat
from nbformat import NotebookNode

from corelab.authoring import links, rubrics, syllabus, text
from corelab.authoring.lints import check_lesson
from corelab.authoring.marks import Mark, expand, mark_of
from corelab.authoring.syllabus import Assignment, Syllabus
from corelab.errors import CourseError

KERNEL: Final = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Beside the lesson, but never for students.
PRIVATE: Final = {"lesson.py", "rubrics.toml"}

Lesson = list[tuple[text.Cell, Mark]]


def build(root: Path, names: Sequence[str] = (), into: Path | None = None) -> list[Path]:
    """Write the instructor notebooks of the named assignments (all by default) and return their paths.

    Args:
        root: the folder that holds ``course/``.
        into: where to write instead of ``root/source``.

    Raises:
        CourseError: a lesson is not well formed; names file and line.
    """
    course = syllabus.read(root)
    target = into or root / "source"
    built = [_build_one(course, assignment, target) for assignment in course.select(names)]
    if not names:
        _remove_others(target, {assignment.name for assignment in course.assignments})
    return built


def read_lesson(course: Syllabus, assignment: Assignment) -> Lesson:
    """The cells of a lesson with their checked marks; names are unique."""
    cells = text.read(course.lesson(assignment))
    lesson = [(cell, mark_of(cell)) for cell in cells]
    seen: dict[str, int] = {}
    for cell, mark in lesson:
        if mark.name is None:
            continue
        if mark.name in seen:
            raise cell.error(f"the name {mark.name!r} was used on line {seen[mark.name]}")
        seen[mark.name] = cell.line
    return lesson


def notebook(lesson: Lesson, assignment: Assignment) -> NotebookNode:
    """The instructor notebook of a lesson: same text, same bytes.

    Raises:
        CourseError: what comes out is no valid notebook, or names clash.
    """
    node: NotebookNode = text.v4.new_notebook(
        metadata={"kernelspec": dict(KERNEL), "language_info": {"name": "python"}}
    )
    node.metadata["corelab"] = {"assignment": assignment.name, "edition": edition(lesson)}
    ids = _plain_ids(lesson)
    for cell, mark in lesson:
        node.cells += list(expand(cell, mark, next(ids)))
    try:
        nbformat.validate(node)
    except nbformat.ValidationError as problem:
        raise CourseError(f"{assignment.name}: not a valid notebook: {problem}") from problem
    return node


def edition(lesson: Lesson) -> str:
    """Twelve characters that change with any word of the lesson, to tell which text a submission is from."""
    return hashlib.sha256(text.write([cell for cell, _ in lesson]).encode()).hexdigest()[:12]


def _build_one(course: Syllabus, assignment: Assignment, target: Path) -> Path:
    lesson = read_lesson(course, assignment)
    check_lesson(lesson, assignment)
    rubrics.read(course, assignment, lesson)
    node = notebook(lesson, assignment)
    known = links.read(course)
    for cell in node.cells:
        if cell.cell_type == "markdown":
            cell.source = known.expand(cell.source, f"{assignment.name}, cell {cell.id}")
    folder = target / assignment.name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    _copy_files(course.lesson(assignment).parent, folder)
    file = folder / f"{assignment.notebook}.ipynb"
    file.write_text(text.v4.writes(node) + "\n", encoding="utf-8", newline="\n")
    return file


def _copy_files(lesson_folder: Path, folder: Path) -> None:
    for file in sorted(lesson_folder.rglob("*")):
        part = file.relative_to(lesson_folder)
        hidden = any(name.startswith((".", "__")) for name in part.parts)
        if file.is_file() and not hidden and str(part) not in PRIVATE:
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / part)


def _remove_others(target: Path, names: set[str]) -> None:
    for folder in target.iterdir():
        if folder.is_dir() and folder.name not in names:
            shutil.rmtree(folder)


def _plain_ids(lesson: Lesson) -> Iterator[str]:
    """Ids of unmarked cells: the section's heading and a number, so that an edit renames few of them."""
    section, number, used = "start", 0, dict[str, int]()
    for cell, _ in lesson:
        heading = re.match(r"#{1,3} +(.+)", cell.source) if cell.kind == "markdown" else None
        if heading:
            slug = re.sub(r"[^a-z0-9]+", "-", heading[1].lower()).strip("-")[:40].strip("-") or "section"
            used[slug] = used.get(slug, 0) + 1
            # Marks hold no hyphen and these always do: the two never meet.
            section, number = (slug if used[slug] == 1 else f"{slug}-again-{used[slug]}"), 0
        number += 1
        yield f"{section}-{number}"
