"""Writes the guide's pages for students: ``course/guide/*.md`` to ``release/guide/``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from corelab.authoring import links, prose
from corelab.authoring.coverage import PAGE_ROWS
from corelab.authoring.syllabus import Syllabus
from corelab.errors import CourseError

FOLDER: Final = "guide"


def write(course: Syllabus) -> list[Path]:
    """Write every page with its links expanded and return the paths; without pages there is no folder.

    Raises:
        CourseError: a page points to nothing, holds an address of its own, or is not accessible.
    """
    target = course.root / "release" / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    pages = sorted((course.root / "course" / FOLDER).glob("*.md"))
    known = links.read(course)
    return [_write_one(page, target / page.name, known) for page in pages]


def _write_one(page: Path, path: Path, known: links.Links) -> Path:
    text = page.read_text(encoding="utf-8")
    problems = [f"{page}: {problem}" for _, problem in prose.complaints([text])]
    if problems:
        raise CourseError("\n".join(problems))
    # Which rows of the guide a page serves is for the coverage tool.
    text = re.sub(rf"{PAGE_ROWS.pattern}\n*", "", known.expand(text, str(page)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
