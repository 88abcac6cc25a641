"""A course folder with the small assignment, released and with submissions, made for one test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.grading import course

SYLLABUS = """
[[assignment]]
name = "small"
notebook = "small"
title = "A small assignment"
minutes = 5
points = 12
"""


def make(root: Path) -> Path:
    """The folder, with nbgrader's own settings of this project."""
    for folder, text in (("source", course.source()), ("release", course.release())):
        (root / folder / "small").mkdir(parents=True)
        (root / folder / "small" / "small.ipynb").write_text(text)
    (root / "course").mkdir()
    (root / "course" / "syllabus.toml").write_text(SYLLABUS)
    shutil.copy(Path(__file__).parents[2] / "nbgrader_config.py", root)
    return root


def hand_in(root: Path, student: str, notebook: dict[str, Any] | bytes, at: str | None = None) -> Path:
    folder = root / "submitted" / student / "small"
    folder.mkdir(parents=True, exist_ok=True)
    content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    (folder / "small.ipynb").write_bytes(content)
    if at:
        (folder / "timestamp.txt").write_text(at)
    return folder
