"""One home, one server: found, started, stopped, explained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from corelab.connection import launch
from corelab.errors import ServerError
from corelab.home import Home
from tests.connection.conftest import STAND_IN

START = "import sys; from corelab.connection import launch; from corelab.home import Home; "
START += "print(launch.ensure(Home(sys.argv[1]), command=sys.argv[2:]).pid)"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    launch.stop(home)


def start_elsewhere(home: Home) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", START, str(home.path), *STAND_IN]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_a_running_server_is_found_again(home: Home) -> None:
    server = launch.ensure(home, command=STAND_IN)
    assert launch.ensure(home, command=["false"]) == server
    assert launch.healthy(server)


def test_processes_that_ask_at_once_start_one_server(home: Home) -> None:
    asking = [start_elsewhere(home) for _ in range(4)]
    answers = {process.communicate()[0].strip() for process in asking}
    assert len(answers) == 1
    server = home.running()
    assert server is not None
    assert answers == {str(server.pid)}


def test_the_server_outlives_who_started_it(home: Home) -> None:
    starter = start_elsewhere(home)
    starter.communicate()
    server = home.running()
    assert server is not None
    assert launch.healthy(server)


def test_a_killed_server_is_replaced(home: Home) -> None:
    first = launch.ensure(home, command=STAND_IN)
    os.kill(first.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    psutil.wait_procs([psutil.Process(first.pid)] if psutil.pid_exists(first.pid) else [])
    assert launch.ensure(home, command=STAND_IN).pid != first.pid


def test_stopping_ends_the_server_and_stopping_again_is_no_mistake(home: Home) -> None:
    server = launch.ensure(home, command=STAND_IN)
    assert launch.stop(home) == server
    assert not launch.healthy(server)
    assert launch.stop(home) is None


def test_a_server_that_fails_shows_its_last_words(home: Home) -> None:
    home.create()
    home.log.write_text("of an earlier run\n")
    words = "import sys; sys.exit('the disk is full')"
    with pytest.raises(ServerError) as failure:
        launch.ensure(home, command=[sys.executable, "-c", words])
    assert "ended with status 1" in str(failure.value)
    assert "the disk is full" in str(failure.value)
    assert "of an earlier run" not in str(failure.value)


def test_a_server_that_does_not_answer_is_said_to(home: Home) -> None:
    with home.lock():
        home.announce(9, "0")
        with pytest.raises(ServerError, match="runs but does not answer"):
            launch.ensure(home, command=STAND_IN)


def test_a_server_whose_end_is_not_over_yet_is_replaced(home: Home) -> None:
    held, asked = threading.Event(), threading.Event()

    def die_slowly() -> None:
        with home.lock():
            home.announce(9, "0")
            held.set()
            asked.wait(10)

    dying = threading.Thread(target=die_slowly)
    dying.start()
    held.wait(10)
    threading.Timer(0.2, asked.set).start()
    assert launch.healthy(launch.ensure(home, command=STAND_IN))
    dying.join()


def test_another_program_on_the_announced_port_is_not_our_server(home: Home, tmp_path: Path) -> None:
    stranger = launch.ensure(Home(tmp_path / "stranger"), command=STAND_IN)
    try:
        with home.lock():
            assert not launch.healthy(home.announce(stranger.port, "0"))
    finally:
        launch.stop(Home(tmp_path / "stranger"))


def test_the_server_never_sees_the_learner_s_credentials(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a real one")
    server = launch.ensure(home, command=STAND_IN)
    assert not [name for name in psutil.Process(server.pid).environ() if name.startswith("AWS_")]


def test_a_long_log_is_put_aside_when_a_server_starts(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_LOG_LIMIT_BYTES", 10)
    home.create()
    home.log.write_text("more than ten bytes")
    launch.ensure(home, command=STAND_IN)
    assert home.log.with_suffix(".log.1").read_text() == "more than ten bytes"
