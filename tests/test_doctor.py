"""Each finding is true of this machine, and each ill comes with its cure."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from corelab import doctor
from corelab.connection import launch
from corelab.core.findings import Finding
from corelab.home import Home

STAND_IN = (sys.executable, str(Path(__file__).parent / "connection" / "stand_in.py"))


def findings(home: Home) -> dict[str, Finding]:
    return {finding.what: finding for finding in doctor.examine(home)}


def test_this_machine_is_well_and_no_server_is_started(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert [finding for finding in doctor.examine(home) if not finding.well] == []
    assert home.running() is None


def test_a_running_server_is_found(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    server = launch.ensure(home, command=STAND_IN)
    assert server.url in findings(home)["server"].found
    launch.stop(home)


def test_a_silent_server_has_a_cure(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.lock():
        home.announce(9, "0")
        assert "corelab down" in findings(home)["server"].cure


def test_a_package_of_another_version_is_named_with_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [
        "pytest>=1",
        "botocore==0.0.1",
        "no-such-thing>2",
        "no-such-thing-either; sys_platform == 'never'",
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: wanted)
    found = findings(Home(tmp_path / "home"))
    assert "botocore==0.0.1" in found["botocore"].cure
    assert found["no-such-thing"].found == "not installed"
    assert "pytest" not in found
    assert "no-such-thing-either" not in found
    assert "packages" not in found


def test_a_home_that_cannot_be_written_has_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "CORELAB_HOME" in findings(Home(tmp_path / "file" / "home"))["disk"].cure
