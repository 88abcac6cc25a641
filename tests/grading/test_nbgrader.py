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

from corelab.grading.batch import Course, grade_class
from tests.grading import course, small_course
from tests.grading.conftest import QUICK
from tests.test_documents import blocks

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


def run(where: Path, command: str) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command.split(), cwd=where, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)


def handbook() -> list[str]:
    """The commands of the instructors' handbook that are marked as run here, for the small assignment."""
    marked = [
        block
        for block in blocks()
        if block.document == "instructor.md" and "tests/grading" in str(block.reason)
    ]
    return [command.replace("a1_training_job", "small") for block in marked for command in block.commands]


def hand_in_by_exchange(root: Path, student: Path) -> None:
    """What a student who shares the server does."""
    student.mkdir()
    config = (root / "nbgrader_config.py").read_text().replace("str(root)", repr(str(student)))
    (student / "nbgrader_config.py").write_text(config)
    run(student, "nbgrader fetch_assignment small")
    notebook = student / "small" / "small.ipynb"
    assert json.loads(notebook.read_text()) == json.loads(course.release())
    notebook.write_text(json.dumps(course.submission(course.honest())))
    run(student, "nbgrader submit small")


def download(root: Path) -> None:
    """What comes from a learning platform."""
    archive = root / "downloaded" / "small" / "archive"
    archive.mkdir(parents=True)
    half = course.honest() | {"values": "values = [0]"}
    with zipfile.ZipFile(archive / "gradebook.zip", "w") as bundle:
        for name, answers in (("ann", course.honest()), ("bob", half)):
            content = json.dumps(course.submission(answers))
            bundle.writestr(f"{name}_attempt_2026-01-02-10-00-00_small.ipynb", content)


def test_every_command_of_the_handbook_runs_from_release_to_export(root: Path, tmp_path: Path) -> None:
    commands = handbook()
    for command in commands:
        if command == "nbgrader collect small":
            hand_in_by_exchange(root, tmp_path / "student")
        elif command == "nbgrader zip_collect small":
            download(root)
        run(root, command)
    assert commands[0] == "corelab grade --verify"
    assert commands[-1] == "nbgrader export"
    with (root / "grades.csv").open() as stream:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream) if row["timestamp"]}
    (who,) = {path.name for path in (root / "submitted").iterdir()} - {"ann", "bob"}
    assert rows == {"ann": 10, "bob": 7, who: 10}
    run(tmp_path / "student", "nbgrader fetch_feedback small")
    assert list((tmp_path / "student/small/feedback").rglob("small.html"))


def test_another_edition_of_the_assignment_is_recorded_and_explained(warm: str, root: Path) -> None:
    old = course.submission(course.honest())
    old["metadata"]["corelab"]["edition"] = "e0"
    small_course.hand_in(root, "ann", old)
    (result,) = grade_class(Course(root, warm, QUICK))
    assert (result.edition, result.submitted_edition, result.score) == ("e1", "e0", 10)
    assert any("edition e0" in remark and "edition e1" in remark for remark in result.remarks)
    page = (root / "autograded/ann/small/small_checks.html").read_text()
    assert "edition e0" in page
