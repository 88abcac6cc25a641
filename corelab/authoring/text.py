"""Reads and writes lesson text: py:percent, cell by cell, with the line each cell starts on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from corelab.errors import CourseError

FORMAT = "py:percent"
v4: Any = nbformat.v4  # its functions carry no types
CELL_LINE = re.compile(r"^# %%")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as its author wrote it; ``marks`` are the ``name="value"`` pairs of its first line."""

    kind: str  # code | markdown
    source: str
    marks: dict[str, Any] = field(default_factory=dict)
    file: Path = Path("lesson.py")
    line: int = 1

    def error(self, problem: str) -> CourseError:
        """An error that says where it is."""
        return CourseError(f"{self.file}:{self.line}: {problem}")


def read(path: Path) -> list[Cell]:
    """The cells of a lesson file.

    Raises:
        CourseError: the file is missing, is not UTF-8, has text before its first cell, or has a line inside
            a cell that looks like the start of one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise CourseError(f"{path}: cannot be read as lesson text: {problem}") from problem
    return parse(text, path)


def parse(text: str, file: Path = Path("lesson.py")) -> list[Cell]:
    """The cells of lesson text; ``file`` is named in errors."""
    if not CELL_LINE.match(text):
        raise CourseError(f"{file}:1: expected '# %%' on the first line; a lesson has no header")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if CELL_LINE.match(line)]
    notebook = jupytext.reads(text, fmt=FORMAT)
    if len(notebook.cells) != len(lines):
        raise CourseError(
            f"{file}: {len(lines)} lines start with '# %%' but there are {len(notebook.cells)} cells; "
            "indent the ones inside a string"
        )
    return [
        Cell(cell.cell_type, cell.source, _marks(cell.metadata), file, line)
        for cell, line in zip(notebook.cells, lines, strict=True)
    ]


def _marks(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What the author wrote; jupytext adds notes of its own on blank lines."""
    return {name: value for name, value in metadata.items() if not name.startswith("lines_to_")}


def write(cells: list[Cell]) -> str:
    """Lesson text in one canonical form, whatever blank lines it had between cells."""
    notebook = v4.new_notebook()
    for cell in cells:
        make = v4.new_markdown_cell if cell.kind == "markdown" else v4.new_code_cell
        notebook.cells.append(make(cell.source, metadata=dict(cell.marks)))
    # Without these jupytext adds a header and sorts the marks into none.
    notebook.metadata["jupytext"] = {"notebook_metadata_filter": "-all", "cell_metadata_filter": "all"}
    text: str = jupytext.writes(notebook, fmt=FORMAT)
    return text
