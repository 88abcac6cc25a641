"""A home belongs to one living server; everything else in it is a path."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corelab.errors import BadArgument, HomeInUse, ServerError
from corelab.home import Home

STAND_IN = Path(__file__).parent / "connection" / "stand_in.py"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def other_server(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that owns the home and has said so."""
    with subprocess.Popen([sys.executable, STAND_IN, "--home", home.path, "--port", "0"]) as process:
        while home.running() is None:
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        process.kill()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_home_is_the_argument_then_the_environment_then_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORELAB_HOME", str(tmp_path / "from_environment"))
    assert Home(tmp_path / "argument").path == tmp_path / "argument"
    assert Home().path == tmp_path / "from_environment"
    monkeypatch.delenv("CORELAB_HOME")
    assert Home().path == Path("~/.corelab").expanduser()


def test_a_file_in_the_home_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadArgument, match="must be a folder"):
        Home(tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match="Set CORELAB_HOME"):
        Home(tmp_path / "file" / "home").create()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_the_owner_can_read_a_new_home(home: Home) -> None:
    home.create()
    with home.lock():
        home.announce(4000, "1")
        assert [mode(path) for path in (home.path, home.aws, home.jobs)] == [0o700] * 3
        assert mode(home.server_file) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_folder_already_in_use_keeps_its_mode(home: Home) -> None:
    home.path.mkdir(mode=0o755)
    (home.path / "notes.txt").touch()
    assert mode(home.create().path) == 0o755


def test_a_server_s_announcement_is_read_back(home: Home) -> None:
    with home.lock():
        assert home.running() is None
        told = home.announce(4321, "1.2.3")
        assert home.running() == told
        assert (told.url, told.console_url) == (
            "http://127.0.0.1:4321",
            "http://127.0.0.1:4321/_corelab/console/",
        )
    assert home.running() is None
    assert not home.server_file.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"a": 1}', "\xff"])
def test_a_broken_announcement_counts_as_none(home: Home, text: str) -> None:
    with home.lock():
        home.server_file.write_text(text, encoding="latin-1")
        assert home.running() is None


def test_two_servers_on_one_home_are_refused(home: Home, other_server: subprocess.Popen[bytes]) -> None:
    with pytest.raises(HomeInUse, match=f"process {other_server.pid}"), home.lock():
        pass


def test_the_lock_of_a_killed_server_is_free(home: Home, other_server: subprocess.Popen[bytes]) -> None:
    other_server.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    other_server.wait()
    assert home.server_file.exists()
    assert not home.owned()
    assert home.running() is None
    with home.lock():
        assert home.running() is None


def test_asking_a_home_that_does_not_exist_makes_none(home: Home) -> None:
    assert home.running() is None
    assert not home.owned()
    home.wipe()
    assert not home.path.exists()


def test_one_client_at_a_time_starts_a_server(home: Home) -> None:
    with (
        home.starting(1),
        pytest.raises(ServerError, match="Another process has been starting"),
        home.starting(0.05),
    ):
        pass


def test_the_last_port_is_remembered_and_nonsense_is_not(home: Home) -> None:
    home.create()
    assert home.last_port() is None
    home.remember_port(4567)
    assert home.last_port() == 4567
    for nonsense in ("80", "70000", "four", ""):
        (home.path / "port").write_text(nonsense, "ascii")
        assert home.last_port() is None


def test_the_end_of_the_log_is_read_whatever_its_bytes(home: Home) -> None:
    assert home.last_log_lines() == ""
    home.create()
    home.log.write_bytes(b"first\nsecond \xff\nthird\n")
    assert home.last_log_lines(2) == "second \ufffd\nthird"
    assert home.last_log_lines(since=len(b"first\nsecond \xff\n")) == "third"


def test_wiping_leaves_no_state_and_keeps_the_settings(home: Home) -> None:
    home.create()
    home.sdk.mkdir()
    kept = [home.sdk / "settings.yaml", home.path / "quotas.toml", home.path / "notes.txt"]
    gone = [
        home.state_db,
        home.path / "journal.db",
        home.path / "state.db-wal",
        home.log,
        home.aws / "object",
        home.jobs / "job",
    ]
    for path in (*kept, *gone):
        path.write_text("x")
    home.wipe()
    assert [path.exists() for path in kept] == [True] * len(kept)
    assert [path.exists() for path in gone] == [False] * len(gone)
    assert home.aws.is_dir()


def test_a_home_in_use_is_not_wiped(home: Home, other_server: subprocess.Popen[bytes]) -> None:
    home.state_db.touch()
    with pytest.raises(HomeInUse):
        home.wipe()
    assert home.state_db.exists()


def test_a_private_file_is_replaced_in_one_step(home: Home) -> None:
    home.create()
    file = home.path / "file"
    home.write_private(file, json.dumps({"a": 1}))
    home.write_private(file, json.dumps({"a": 2}))
    assert json.loads(file.read_text()) == {"a": 2}
    assert [path.name for path in home.path.iterdir() if "file" in path.name] == ["file"]
