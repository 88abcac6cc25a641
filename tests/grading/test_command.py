"""What instructors type: grading says how it went, feedback and report follow the gradebook."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from corelab.cli import app
from corelab.errors import ServerError
from corelab.grading import command, container
from corelab.grading.walls import choose
from corelab.grading.walls.parent import WallsFailed
from tests.grading import course, small_course


@pytest.fixture(scope="module")
def graded(warm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of two, graded by the command itself."""
    root = small_course.make(tmp_path_factory.mktemp("command") / "class")
    small_course.hand_in(root, "ann", course.submission(course.honest() | {"why": "Because of it."}))
    small_course.hand_in(root, "bob", b"{")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command.unit, "close_parents", lambda: None)  # they are the whole session's
        done = CliRunner().invoke(app, ["grade", "--root", str(root), "--workers", "2"])
    assert done.exit_code == 1, done.output
    assert "1 graded, 1 rejected" in done.output
    assert "small bob: not JSON" in done.output
    return root


def test_feedback_has_the_scores_that_a_person_gave(graded: Path) -> None:
    with Gradebook(f"sqlite:///{graded}/gradebook.db", "sagemaker_essentials") as book:
        book.find_grade("why", "small", "small", "ann").manual_score = 2
        book.find_grade("why", "small", "small", "ann").needs_manual_grade = False
        book.find_comment("why", "small", "small", "ann").manual_comment = "<b>well</b> said"
        book.db.commit()
    assert CliRunner().invoke(app, ["feedback", "--root", str(graded)]).exit_code == 0
    folder = graded / "feedback/ann/small"
    data = json.loads((folder / "small_checks.json").read_text())
    assert data["score"] == 12
    assert data["checks"][-1] | {"findings": []} == {
        "name": "why", "points": 2, "score": 2, "outcome": "manual", "findings": [], "evidence": {},
        "comment": "<b>well</b> said",
    }  # fmt: skip
    assert "&lt;b&gt;well&lt;/b&gt;" in (folder / "small.html").read_text()


def test_the_report_has_every_student(graded: Path) -> None:
    written = CliRunner().invoke(app, ["report", "--root", str(graded)]).output.split()
    assert {Path(path).suffix for path in written} == {".html", ".csv", ".json"}
    table = (graded / "build/grading/report/small.csv").read_text()
    assert [line.split(",")[0] for line in table.splitlines()] == ["student", "ann", "bob"]


def test_the_courses_own_notebooks_get_all_points_and_none(
    graded: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.unit, "close_parents", lambda: None)
    assert command.verify(graded) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["ok", "ok"]


def test_a_machine_without_walls_refuses_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "refusal", lambda: "unshare: Operation not permitted")
    monkeypatch.setattr(choose.sys, "platform", "linux")
    with pytest.raises(WallsFailed, match=r"not permitted.*--unsafe-no-sandbox"):
        choose.choose()
    assert choose.choose(unsafe=True) == "none"


def test_other_systems_are_sent_to_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose.sys, "platform", "darwin")
    with pytest.raises(WallsFailed, match="--container"):
        choose.choose(unsafe=True)


def test_an_engine_without_its_daemon_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in (("docker", "echo Cannot connect >&2; exit 1"), ("podman", "exit 0")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert container.running_engine() == str(tmp_path / "podman")
    (tmp_path / "podman").unlink()
    with pytest.raises(ServerError, match="docker: Cannot connect"):
        container.running_engine()


def test_the_container_sees_the_course_as_its_owner_and_no_network(tmp_path: Path) -> None:
    line = container.command("docker", tmp_path, ["grade", "--root", str(tmp_path), "--again"])
    assert "--network=none" in line
    assert f"--volume={tmp_path}:/course" in line
    assert f"--user={tmp_path.stat().st_uid}:{tmp_path.stat().st_gid}" in line
    assert line[-4:] == [container.IMAGE, "grade", "--again", "--root=/course"]


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root owns root's folders")
def test_a_course_of_roots_is_not_graded_in_a_container(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="belongs to root"):
        container.run(tmp_path, ["grade"])


def test_without_walls_a_submission_is_judged_all_the_same(warm: str) -> None:
    from corelab.grading.unit import Job, grade
    from tests.grading.conftest import QUICK

    answers = course.honest() | {"double": "def double(x):\n    return 8"}
    content = course.as_bytes(course.submission(answers))
    result = grade(
        Job("ada", "small", "small", course.source(), course.release(), content, limits=QUICK, walls="none")
    )
    assert {item.name: item.score for item in result.items} == {
        "t1": 0,
        "t2": 3,
        "t3": 1,
        "t4": 2,
        "why": None,
    }
