"""nbgrader's own commands hand out, take in and export what ``corelab grade`` grades."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from corelab.grading import batch
from corelab.grading.batch import Course, grade_class
from tests.grading import course, small_course
from tests.grading.conftest import QUICK

SETTINGS = """
c.Exchange.root = {exchange!r}
c.FileNameCollectorPlugin.named_regexp = r"(?:.*/)?(?P<student_id>\\w+)_attempt_(?P<timestamp>[\\d-]+)_(?P<file_id>.*)"
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class whose gradebook knows the assignment: nbgrader takes seconds to make a new one."""
    made = small_course.make(tmp_path_factory.mktemp("prepared") / "class")
    Course(made).prepare("small")
    return made


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    made = Path(shutil.copytree(prepared, tmp_path / "class"))
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange").chmod(0o777)
    with (made / "nbgrader_config.py").open("a") as stream:
        stream.write(SETTINGS.format(exchange=str(tmp_path / "exchange")))
    return made


def nbgrader(where: Path, *arguments: str) -> str:
    scripts = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(scripts / "nbgrader"), *arguments], cwd=where, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def graded(root: Path, walls: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    monkeypatch.setattr(batch, "close_parents", lambda: None)
    return {result.student: result.score for result in grade_class(Course(root, walls, QUICK))}


def test_what_went_through_the_exchange_is_graded(
    warm: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbgrader(root, "release_assignment", "small")
    student = tmp_path / "student"
    student.mkdir()
    config = (root / "nbgrader_config.py").read_text().replace("str(root)", repr(str(student)))
    (student / "nbgrader_config.py").write_text(config)
    nbgrader(student, "fetch_assignment", "small")
    notebook = student / "small" / "small.ipynb"
    assert json.loads(notebook.read_text()) == json.loads(course.release())
    notebook.write_text(json.dumps(course.submission(course.honest())))
    nbgrader(student, "submit", "small")
    nbgrader(root, "collect", "small")
    (who,) = (path.name for path in (root / "submitted").iterdir())
    assert graded(root, warm, monkeypatch) == {who: 10}
    with Gradebook(f"sqlite:///{root}/gradebook.db", "sagemaker_essentials") as book:
        assert book.find_submission("small", who).timestamp is not None


def test_a_zip_file_of_an_lms_is_graded_and_exported(
    warm: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = root / "downloaded" / "small" / "archive"
    archive.mkdir(parents=True)
    half = course.honest() | {"values": "values = [0]"}
    with zipfile.ZipFile(archive / "gradebook.zip", "w") as bundle:
        for name, answers in (("ann", course.honest()), ("bob", half)):
            content = json.dumps(course.submission(answers))
            bundle.writestr(f"{name}_attempt_2026-01-02-10-00-00_small.ipynb", content)
    nbgrader(root, "zip_collect", "small")
    assert graded(root, warm, monkeypatch) == {"ann": 10, "bob": 7}
    nbgrader(root, "export")
    with (root / "grades.csv").open() as stream:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream) if row["timestamp"]}
    assert rows == {"ann": 10, "bob": 7}


def test_another_edition_of_the_assignment_is_recorded_and_explained(
    warm: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = course.submission(course.honest())
    old["metadata"]["corelab"]["edition"] = "e0"
    small_course.hand_in(root, "ann", old)
    monkeypatch.setattr(batch, "close_parents", lambda: None)
    (result,) = grade_class(Course(root, warm, QUICK))
    assert (result.edition, result.submitted_edition, result.score) == ("e1", "e0", 10)
    assert any("edition e0" in remark and "edition e1" in remark for remark in result.remarks)
    page = (root / "autograded/ann/small/small_checks.html").read_text()
    assert "edition e0" in page
