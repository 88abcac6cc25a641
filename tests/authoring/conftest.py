"""A small course in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SYLLABUS = """
[[assignment]]
name = "a9_tiny"
notebook = "tiny"
title = "A tiny lesson"
minutes = 1
points = 8
guide = ["G001-G002"]
"""
LESSON = """# %% [markdown] guide="G001"
# # A tiny lesson
#
# Some words.

# %% given="setup"
from corelab import checks

# %% solution="double"
### BEGIN SOLUTION: a function double(x)
def double(x):
    return 2 * x
### END SOLUTION

# %% test="double_check" points=3 guide="G002"
assert double(2) == 4
### BEGIN HIDDEN TESTS
assert double(-7) == -14
### END HIDDEN TESTS

# %% [markdown] quiz="colour" points=1 key="B"
# **Question.** Which colour is grass?
#
# - A. Blue.
# - B. Green.

# %% [markdown]
# Why is that so? (4 points)

# %% [markdown] answer="why_green" points=4
# Chlorophyll, a model answer.
"""
RUBRICS = """
[why_green]
asks = "a reason"
full = "Because of chlorophyll, which leaves green light over."
half = "It is a plant."

[why_green.levels]
4 = "Chlorophyll and what it does."
2 = "One of them."
0 = "Neither."
"""
ROWS = """
[intro]
G001 = "objectives"
G002 = "local notebook"
"""

Course = Callable[..., Path]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Write a course; each keyword replaces a file's text, None leaves it out."""

    def make(
        lesson: str = LESSON, rubrics: str | None = RUBRICS, syllabus: str = SYLLABUS, rows: str = ROWS
    ) -> Path:
        folder = tmp_path / "course" / "a9_tiny"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lesson.py").write_text(lesson, encoding="utf-8")
        (tmp_path / "course" / "syllabus.toml").write_text(syllabus, encoding="utf-8")
        (tmp_path / "course" / "guide_rows.toml").write_text(rows, encoding="utf-8")
        if rubrics is not None:
            (folder / "rubrics.toml").write_text(rubrics, encoding="utf-8")
        return tmp_path

    return make
