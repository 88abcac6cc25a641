from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.validator import Validator

from corelab.authoring.build import build
from corelab.authoring.drift import stale
from corelab.authoring.release import release
from corelab.errors import CourseError


@pytest.fixture
def built(course):
    root = course()
    build(root)
    return root


def cells(path):
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def test_a_release_keeps_ids_and_points_and_loses_solutions_and_hidden_tests(built):
    [path] = release(built, record=False)
    text = path.read_text(encoding="utf-8")
    for secret in ("return 2", "-14", "Chlorophyll", "BEGIN SOLUTION", "HIDDEN", '"B"', "chosen"):
        assert secret not in text
    assert cells(path).keys() == cells(built / "source/a9_tiny/tiny.ipynb").keys()
    assert cells(path)["double_check"].metadata.nbgrader.points == 3


def test_a_stub_says_what_is_missing(built):
    [path] = release(built, record=False)
    stub = cells(path)["double"].source
    with pytest.raises(NotImplementedError, match=r"double is not written yet: a function double\(x\)"):
        exec(stub, {})


def test_releasing_twice_gives_the_same_bytes(built):
    [path] = release(built, record=False)
    first = path.read_bytes()
    release(built, record=False)
    assert path.read_bytes() == first


def test_a_changed_source_always_reaches_the_release(course, built):
    release(built, record=False)
    lesson = built / "course/a9_tiny/lesson.py"
    lesson.write_text(lesson.read_text().replace("Some words", "Other words"))
    build(built)
    [path] = release(built, record=False)
    assert "Other words" in path.read_text(encoding="utf-8")


def test_recording_in_the_gradebook_or_nbgraders_own_command_release_the_same(built, monkeypatch):
    [path] = release(built, record=False)
    unrecorded = path.read_bytes()
    shutil.copy(Path(__file__).parents[2] / "nbgrader_config.py", built)
    # alembic must be found although the environment was not activated.
    monkeypatch.setenv("PATH", "/usr/bin")
    release(built)
    assert path.read_bytes() == unrecorded
    with contextlib.closing(sqlite3.connect(built / "gradebook.db")) as gradebook:
        assert gradebook.execute("select name from assignment").fetchall() == [("a9_tiny",)]
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "a9_tiny", "--force"]
    subprocess.run(command, cwd=built, check=True, capture_output=True, timeout=120)
    assert path.read_bytes() == unrecorded


def test_the_courses_own_nbgrader_settings_are_used(built):
    (built / "nbgrader_config.py").write_text('c = get_config()\nc.ClearSolutions.text_stub = "WRITE HERE"\n')
    [path] = release(built, record=False)
    assert cells(path)["why_green"].source == "WRITE HERE"


def test_what_nbgrader_refuses_is_told_with_its_reason(built):
    path = built / "source/a9_tiny/tiny.ipynb"
    node = nbformat.read(path, as_version=4)
    node.cells[1].metadata.nbgrader.grade_id = "double"
    nbformat.write(node, path)
    with pytest.raises(CourseError, match=r"(?s)nbgrader refused 'a9_tiny'.*Duplicate grade id: double"):
        release(built, record=False)


def test_a_release_needs_a_build(course):
    with pytest.raises(CourseError, match="run: corelab build"):
        release(course(), record=False)


def test_nbgrader_validate_accepts_the_source_and_the_stub_fails_it(built):
    [path] = release(built, record=False)
    assert "Success! Your notebook passes all the tests." in validated(built / "source/a9_tiny/tiny.ipynb")
    assert "VALIDATION FAILED" in validated(path)


def validated(path):
    said = io.StringIO()
    validator = Validator()
    validator.stream = said
    validator.validate_and_print(str(path))
    return said.getvalue()


def test_nothing_is_stale_after_build_and_release(built):
    release(built, record=False)
    assert stale(built) == []


def test_a_folder_without_lessons_is_told_so(tmp_path):
    with pytest.raises(CourseError, match="expected lessons in"):
        stale(tmp_path)


def test_stale_files_are_named(built):
    [path] = release(built, record=False)
    path.unlink()
    (built / "release/a9_tiny/extra.txt").write_text("x")
    lesson = built / "course/a9_tiny/lesson.py"
    lesson.write_text(lesson.read_text().replace("Some words", "Other words"))
    assert stale(built) == [
        "source/a9_tiny/tiny.ipynb differs from its lesson text",
        "release/a9_tiny/tiny.ipynb is missing",
        "release/a9_tiny/extra.txt has no lesson text",
    ]
