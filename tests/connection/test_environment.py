"""The printed settings are what a shell understands, and the SDKs read theirs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from corelab.connection import environment
from corelab.errors import BadArgument
from corelab.home import Home

URL = "http://127.0.0.1:4000"


@pytest.fixture
def variables(tmp_path: Path) -> environment.Variables:
    return environment.local_variables(Home(tmp_path / "a home; with 'quotes'"), URL, "us-east-1")


@pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell here")
def test_a_shell_that_evaluates_the_exports_has_exactly_these_settings(
    variables: environment.Variables,
) -> None:
    script = f"AWS_PROFILE=work; export AWS_PROFILE\n{environment.exports(variables, 'sh')}\nenv -0"
    ended = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, check=True)
    seen = dict(line.split("=", 1) for line in ended.stdout.split("\0") if line)
    assert {name: seen.get(name) for name in variables} == dict(variables)


@pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell here")
def test_what_was_set_is_taken_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    lines = [environment.exports(each, "sh") for each in (
        environment.local_variables(home, URL, "us-east-1"), environment.taken_back(home)
    )]  # fmt: skip
    ended = subprocess.run(
        ["sh", "-c", "\n".join([*lines, "env"])], capture_output=True, text=True, check=True
    )
    assert not [
        line for line in ended.stdout.splitlines() if line.startswith(("AWS_END", "AWS_ACC", "CORELAB_"))
    ]


def test_other_shells_get_their_own_words() -> None:
    variables = {"A": "it's", "B": None}
    assert environment.exports(variables, "powershell").splitlines() == [
        "$env:A = 'it''s'", "Remove-Item Env:B -ErrorAction SilentlyContinue",
    ]  # fmt: skip
    assert environment.exports(variables, "cmd").splitlines() == ['set "A=it\'s"', 'set "B="']
    assert environment.exports({"A": "x y"}, "fish") == "set -gx A 'x y'"


def test_an_unknown_shell_is_refused() -> None:
    with pytest.raises(BadArgument, match="sh, fish, powershell, cmd, not 'tcsh'"):
        environment.exports({}, "tcsh")
