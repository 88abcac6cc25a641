"""The lab opens on the student's own copies, and never takes their work back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corelab.errors import CorelabError
from corelab.lab import command, environment, prepare
from tests.conftest import Lab


def released(root: Path) -> Path:
    notebook = root / "release" / "a1" / "one.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.write_text("released", "utf-8")
    return notebook


def test_released_files_are_copied_once_and_work_stays(tmp_path: Path) -> None:
    released(tmp_path)
    opened = prepare(tmp_path)
    copy = opened / "a1" / "one.ipynb"
    assert copy.read_text("utf-8") == "released"
    copy.write_text("my solution", "utf-8")
    (tmp_path / "release" / "a1" / "data.csv").write_text("1,2", "utf-8")
    prepare(tmp_path)
    assert copy.read_text("utf-8") == "my solution"
    assert (copy.parent / "data.csv").read_text("utf-8") == "1,2"


def test_another_folder_opens_as_it_is(tmp_path: Path) -> None:
    released(tmp_path)
    assert prepare(tmp_path, tmp_path / "release") == tmp_path / "release"
    assert not (tmp_path / "work").exists()
    with pytest.raises(CorelabError, match="Expected a folder"):
        prepare(tmp_path, tmp_path / "nowhere")


def test_outside_the_course_the_lab_opens_where_it_is_called(tmp_path: Path) -> None:
    assert prepare(tmp_path) == tmp_path


def test_kernels_of_the_lab_talk_to_the_local_cloud(lab_environment: dict[str, str], lab: Lab) -> None:
    assert lab_environment["AWS_ENDPOINT_URL"] == lab.url
    assert lab_environment["CORELAB_HOME"] == str(lab.home.path)
    assert "AWS_PROFILE" not in lab_environment


@pytest.fixture
def lab_environment(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    return environment(lab.home)


def test_jupyter_understands_its_options_and_has_nbgrader_s_extensions(
    lab_environment: dict[str, str], tmp_path: Path
) -> None:
    shown = subprocess.run(
        command(tmp_path, ["--show-config"]), env=lab_environment, capture_output=True, text=True, timeout=120
    )
    assert shown.returncode == 0, shown.stderr
    assert "NeverCheckForUpdate" in shown.stdout
    assert str(tmp_path) in shown.stdout
    listed = subprocess.run(
        [sys.executable, "-m", "jupyterlab.labextensions", "list"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "nbgrader" in listed.stdout + listed.stderr
