"""The command's verbs, each as a person types it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from corelab import __version__
from corelab.cli import app, main
from corelab.connection import launch
from corelab.errors import BadArgument
from corelab.home import Home

STAND_IN = (sys.executable, str(Path(__file__).parent / "connection" / "stand_in.py"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    monkeypatch.setenv("CORELAB_HOME", str(home.path))
    yield home
    launch.stop(home)


def corelab(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=answer, catch_exceptions=False)


def test_the_help_names_every_verb_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; from corelab.cli import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for verb in app.commands:
        assert f"  {verb}" in ended.stdout
    heavy = {
        "boto3",
        "botocore",
        "sagemaker",
        "pandas",
        "numpy",
        "rich",
        "pydantic",
        "nbformat",
        "moto",
        "uvicorn",
    }
    assert not heavy & set(ended.stdout.splitlines()[-1].split())


def test_the_version_is_the_package_s() -> None:
    assert __version__ in corelab("--version").output


def test_nothing_runs_before_it_is_started(home: Home) -> None:
    told = corelab("status")
    assert told.exit_code == 1
    assert "none runs: `corelab up` starts it" in told.output
    assert corelab("down").output == "No local SageMaker was running.\n"


def test_a_running_server_is_shown_and_stopped(home: Home) -> None:
    server = launch.ensure(home, command=STAND_IN)
    assert server.url in corelab("up").output
    told = corelab("status")
    assert told.exit_code == 0
    for fact in (str(home.path), server.url, str(server.pid), server.console_url):
        assert fact in told.output
    assert corelab("down").output == f"Stopped process {server.pid}.\n"
    assert home.running() is None


def test_a_server_that_does_not_answer_is_not_well(home: Home) -> None:
    with home.lock():
        home.announce(9, "0")
        told = corelab("status")
    assert told.exit_code == 1
    assert "DOES NOT ANSWER" in told.output


def test_a_reset_asks_first(home: Home) -> None:
    home.create().state_db.touch()
    refused = corelab("reset", answer="n\n")
    assert refused.exit_code == 1
    assert home.state_db.exists()
    assert "is empty again" in corelab("reset", answer="y\n").output
    assert not home.state_db.exists()


def test_a_reset_that_may_not_ask_stops_the_server_too(home: Home) -> None:
    launch.ensure(home, command=STAND_IN)
    home.state_db.touch()
    assert corelab("reset", "--yes").exit_code == 0
    assert home.running() is None
    assert not home.state_db.exists()


def test_the_settings_for_a_shell_name_the_running_server(home: Home) -> None:
    server = launch.ensure(home, command=STAND_IN)
    before = dict(os.environ)
    printed = corelab("env", "--shell", "sh", "--region", "eu-west-1").output
    assert f"export AWS_ENDPOINT_URL={server.url}\n" in printed
    assert "export AWS_DEFAULT_REGION=eu-west-1\n" in printed
    assert "unset AWS_PROFILE\n" in printed
    assert "unset AWS_ENDPOINT_URL\n" in corelab("env", "--unset", "--shell", "sh").output
    assert dict(os.environ) == before


def test_a_healthy_machine_has_nothing_to_cure(home: Home) -> None:
    told = corelab("doctor")
    assert told.exit_code == 0
    assert "WRONG" not in told.output
    assert "requirements met" in told.output


@pytest.mark.parametrize("arguments", [("smoke",), ("build",), ("release",)])
def test_a_folder_without_a_course_is_explained(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["corelab", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("corelab: ")


def test_a_mistake_is_one_message_and_no_traceback(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    launch.ensure(home, command=STAND_IN)
    monkeypatch.setattr(sys, "argv", ["corelab", "env", "--shell", "tcsh"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err
        == "corelab: The shell must be one of sh, fish, powershell, cmd, not 'tcsh'.\n"
    )


def test_a_home_that_is_a_file_is_a_mistake_of_the_same_kind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadArgument, match="must be a folder"):
        corelab("status", "--home", str(tmp_path / "file"))


def test_the_package_runs_as_the_command(home: Home) -> None:
    ended = subprocess.run([sys.executable, "-m", "corelab", "status"], capture_output=True, text=True)
    assert ended.returncode == 1
    assert str(home.path) in ended.stdout
