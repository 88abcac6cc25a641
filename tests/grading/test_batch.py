"""A class is graded into nbgrader's gradebook, in any number of runs, whatever was handed in."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbgrader.api import Gradebook

from corelab.errors import CourseError
from corelab.grading import batch, command
from corelab.grading.batch import Course, grade_class
from corelab.grading.result import Result
from corelab.grading.walls.limits import Limits
from corelab.grading.walls.parent import WarmParent
from tests.grading import course, small_course
from tests.grading.conftest import QUICK


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose gradebook knows the assignment: nbgrader takes seconds to make a new one."""
    folder = small_course.make(tmp_path_factory.mktemp("prepared") / "class")
    Course(folder).prepare("small")
    return folder


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "class"))


@pytest.fixture
def run(warm: str, root: Path) -> Callable[..., list[Result]]:
    def graded(**settings: Any) -> list[Result]:
        return grade_class(Course(root, warm, QUICK, settings.pop("db_url", None)), **settings)

    return graded


def book(root: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{root}/gradebook.db", "sagemaker_essentials")


def scores(root: Path) -> dict[str, float]:
    with book(root) as gradebook:
        return {entry.student.id: entry.score for entry in gradebook.assignment_submissions("small")}


def test_a_class_with_bad_files_is_graded_to_the_end(run: Callable[..., list[Result]], root: Path) -> None:
    half = course.honest() | {"values": "values = [0]"}
    small_course.hand_in(root, "ann", course.submission(course.honest()), "2026-01-02 10:00:00 UTC")
    small_course.hand_in(root, "bob", course.submission(half))
    small_course.hand_in(root, "cyd", b"PK\x03\x04 not a notebook")
    small_course.hand_in(root, "dan", course.submission())
    (root / "submitted" / "eve" / "small").mkdir(parents=True)
    (root / "submitted" / "fay" / "small").mkdir(parents=True)
    (root / "submitted" / "fay" / "small" / "small.ipynb").symlink_to(root / "source/small/small.ipynb")
    results = {result.student: result for result in run()}
    assert {name: result.score for name, result in results.items()} == {
        "ann": 10, "bob": 7, "cyd": 0, "dan": 0, "eve": 0, "fay": 0,
    }  # fmt: skip
    assert scores(root) == {name: result.score for name, result in results.items()}
    assert {name for name, result in results.items() if result.state == "rejected"} == {"cyd", "eve", "fay"}
    assert "not JSON" in results["cyd"].reason
    assert any("link" in remark for remark in results["fay"].remarks)
    with book(root) as gradebook:
        assert gradebook.find_submission("small", "ann").timestamp.isoformat() == "2026-01-02T10:00:00"
        grade = gradebook.find_grade("why", "small", "small", "ann")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True) or grade.auto_score == 0


def test_what_was_graded_is_not_graded_again(run: Callable[..., list[Result]], root: Path) -> None:
    small_course.hand_in(root, "ann", course.submission(course.honest()))
    first = run()
    seen: list[int] = []
    second = run(tell=lambda progress: seen.append(progress.skipped))
    assert (seen, [r.seconds for r in second]) == ([1], [r.seconds for r in first])
    small_course.hand_in(root, "ann", course.submission())
    assert [result.score for result in run()] == [0]


def test_a_manual_score_survives_a_second_grading(run: Callable[..., list[Result]], root: Path) -> None:
    small_course.hand_in(root, "ann", course.submission(course.honest() | {"why": "Because of the rows."}))
    run()
    with book(root) as gradebook:
        grade = gradebook.find_grade("why", "small", "small", "ann")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.find_comment("why", "small", "small", "ann").manual_comment = "good"
        gradebook.db.commit()
    run(again=True)
    assert scores(root) == {"ann": 11.5}
    with book(root) as gradebook:
        assert gradebook.find_comment("why", "small", "small", "ann").comment == "good"


def test_an_unanswered_question_gets_0_and_no_reader(run: Callable[..., list[Result]], root: Path) -> None:
    small_course.hand_in(root, "ann", course.submission(course.honest() | {"why": "  "}))
    run()
    with book(root) as gradebook:
        grade = gradebook.find_grade("why", "small", "small", "ann")
        assert (grade.auto_score, grade.needs_manual_grade) == (0, False)
        assert gradebook.find_comment("why", "small", "small", "ann").auto_comment == "No response."


def test_the_late_policy_is_nbgraders(run: Callable[..., list[Result]], root: Path) -> None:
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    small_course.hand_in(root, "ann", course.submission(course.honest()), "2026-01-02 10:00:00 UTC")
    run()
    with book(root) as gradebook:
        gradebook.update_or_create_assignment("small", duedate="2026-01-01 00:00:00 UTC")
    run(again=True)
    with book(root) as gradebook:
        notebook = gradebook.find_submission_notebook("small", "small", "ann")
        assert (notebook.score, notebook.late_submission_penalty) == (10, 10)


@pytest.mark.parametrize(
    ("shared", "modes"), [(False, ("444", "644")), (True, ("664", "664"))], ids=["alone", "groupshared"]
)
def test_a_group_of_graders_may_write_what_one_of_them_graded(
    run: Callable[..., list[Result]], root: Path, shared: bool, modes: tuple[str, str]
) -> None:
    config = root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.groupshared = {shared}\n")
    small_course.hand_in(root, "ann", course.submission(course.honest()), "2026-01-02 10:00:00 UTC")
    run()
    command.feedback(root)
    for folder, mode in zip(("autograded", "feedback"), modes, strict=True):
        place = root / folder / "ann" / "small"
        assert {f"{path.stat().st_mode & 0o777:o}" for path in place.iterdir()} == {mode}
        if shared:
            assert {path.stat().st_mode & 0o2770 for path in (place, root / folder)} == {0o2770}
    run(again=True)
    assert scores(root) == {"ann": 10}


def test_a_gradebook_or_a_folder_that_cannot_be_used_is_named(root: Path, tmp_path: Path) -> None:
    nowhere = f"sqlite:///{tmp_path}/nowhere/gradebook.db"
    with pytest.raises(CourseError, match=r"nowhere/gradebook\.db cannot be opened: .* may you write there"):
        Course(root, db_url=nowhere).prepare("small")
    (root / "build").write_text("a file where a folder must be")
    with pytest.raises(CourseError, match=r"ann\.json cannot be written: Not a directory"):
        Course(root).results.save(Result("ann", "small", "small", "digest"))


KILLED = r"""
import os, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from corelab.grading.batch import Course, grade_class
from corelab.grading.result import Item, Result

class Stub:
    # Grades by the first letter, slowly: what is tried is the batch around it.
    def __init__(self): self.threads = ThreadPoolExecutor(2)
    def submit(self, function, job): return self.threads.submit(self.grade, job)
    def grade(self, job):
        time.sleep(0.2)
        items = [Item(name, points, "right", points) for name, points in (("t1", 3), ("t2", 3), ("t3", 1), ("t4", 3))]
        os.write(1, f"graded {job.student}\n".encode())  # in one piece: two threads write here
        return Result(job.student, job.assignment, job.notebook_name, job.digest, items=items, seconds=time.time())

grade_class(Course(Path(sys.argv[1])), pool=Stub(), tell=lambda p: os.write(1, f"recorded {p.done}\n".encode()))
"""


def test_a_run_that_was_killed_is_finished_by_the_next(root: Path) -> None:
    students = [f"s{number:02}" for number in range(12)]
    for student in students:
        small_course.hand_in(root, student, course.submission(course.honest()))
    command = [sys.executable, "-c", KILLED, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        for line in grader.stdout:
            if line.split() == ["recorded", "3"]:
                grader.kill()
    before = {path.stem for path in (root / "build/grading/results/small").glob("*.json")}
    assert 3 <= len(before) < 12
    second = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    graded_again = {line.split()[1] for line in second.splitlines() if line.startswith("graded")}
    assert graded_again == set(students) - before
    assert scores(root) == dict.fromkeys(students, 10.0)
    with sqlite3.connect(root / "gradebook.db") as db:
        assert db.execute("SELECT count(*) FROM submitted_assignment").fetchone() == (12,)


def test_the_autograded_notebook_is_inert_and_keeps_nbgraders_form(
    run: Callable[..., list[Result]], root: Path
) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    first = f"from IPython.display import HTML, Javascript\ndisplay(Javascript('alert(3)'))\nHTML({evil!r})"
    made = course.submission(course.honest() | {"why": evil}, first=first)
    made["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": evil, "id": "evil"})
    small_course.hand_in(root, "ann", made)
    run()
    folder = root / "autograded/ann/small"
    text = (folder / "small.ipynb").read_text()
    for word in ("<script", "<img src=x onerror", "application/javascript"):
        assert word not in text.replace(json.dumps(first)[1:-1], "")
    page = (folder / "small_checks.html").read_text()
    assert "<script" not in page
    import nbformat

    nbformat.validate(nbformat.read(folder / "small.ipynb", as_version=4))


RUBRIC = """
[why]
asks = "The reason behind it."
full = "Because of the one and the other."
half = "Because."
levels = { 2 = "Two reasons.", 1 = "One.", 0 = "None." }
"""


def test_nbgrader_makes_feedback_that_hides_what_is_hidden(
    run: Callable[..., list[Result]], root: Path
) -> None:
    (root / "course/small").mkdir()
    (root / "course/small/rubrics.toml").write_text(RUBRIC)
    small_course.hand_in(
        root, "ann", course.submission(course.honest() | {"double": "def double(x): return 8"})
    )
    run()
    shown = json.loads((root / "autograded/ann/small/small.ipynb").read_text())["cells"]
    (below,) = [index for index, cell in enumerate(shown) if "**Rubric.** The reason" in cell["source"]]
    assert shown[below - 1]["metadata"]["nbgrader"]["grade_id"] == "why"
    made = subprocess.run(
        [str(Path(sys.executable).with_name("nbgrader")), "generate_feedback", "small"],
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    pages = {path.name: path.read_text() for path in (root / "feedback/ann/small").iterdir()}
    assert {"small.html", "small_checks.html", "small_checks.json"} <= set(pages)
    for name, text in pages.items():
        assert "double(21)" not in text, name
        assert "The reason behind it" not in text, name
        assert "15b29ffdce66e10527a65bc6d71ad94d" not in text, name
    checks = {check["name"]: check for check in json.loads(pages["small_checks.json"])["checks"]}
    assert [(f["outcome"], f["hidden"]) for f in checks["t1"]["findings"]] == [("wrong", True)]


@pytest.mark.parametrize(("free", "workers"), [(64 << 30, 12), (5 << 30, 5), (100 << 20, 1)])
def test_no_more_submissions_run_at_once_than_memory_is_there_for(
    monkeypatch: pytest.MonkeyPatch, free: int, workers: int
) -> None:
    monkeypatch.setattr(batch.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(batch.psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    assert batch.usual_workers(Limits(memory_bytes=2 << 30)) == workers


def test_a_warm_parent_that_nobody_needs_ends_at_once_though_it_is_still_loading() -> None:
    parent = WarmParent("notebook", "none")
    parent.close()
    assert parent._process.returncode == -signal.SIGKILL
