from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from corelab.engine.child import Surroundings
from corelab.engine.host import ContainerHost
from corelab.engine.process import ContainerProcess

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the bodies of these containers use POSIX calls"
)

GIB = 1 << 30
# A container's body as one expression, whose value is the exit code.
EXPRESSION = "builtins:eval"
SLEEP = "[print('ready'), __import__('time').sleep(60), 0][-1]"
DEAF = f"[__import__('signal').signal(15, __import__('signal').SIG_IGN), {SLEEP}][-1]"


def start(
    host: ContainerHost, root: Path, body: str, memory: int = GIB, entry: str = EXPRESSION, **environment: str
) -> ContainerProcess:
    return host.start(entry, body, Surroundings(root, environment, memory))


def run(host: ContainerHost, root: Path, body: str, **environment: str) -> tuple[int, list[str]]:
    container = start(host, root, body, **environment)
    lines = [line.text for line in container.lines()]
    outcome = container.wait(10)
    assert outcome is not None
    return outcome.code, lines


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_the_bodys_value_is_the_exit_code(host: ContainerHost, tmp_path: Path) -> None:
    assert run(host, tmp_path, "7") == (7, [])


def test_output_and_errors_come_in_the_order_they_were_written(host: ContainerHost, tmp_path: Path) -> None:
    body = "[print('one'), print('two', file=__import__('sys').stderr), __import__('os').write(1, b'three'), 0][-1]"
    assert run(host, tmp_path, body) == (0, ["one", "two", "three"])


def test_an_exception_is_seen_in_the_output(host: ContainerHost, tmp_path: Path) -> None:
    code, lines = run(host, tmp_path, "1/0")
    assert (code, lines[-1]) == (1, "ZeroDivisionError: division by zero")


def test_lines_carry_the_time_they_were_read(host: ContainerHost, tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000
    container = start(host, tmp_path, "[print('now'), 0][-1]")
    (line,) = container.lines()
    assert before <= line.timestamp_ms <= time.time_ns() // 1_000_000


def test_notes_of_the_platform_come_first(host: ContainerHost, tmp_path: Path) -> None:
    container = host.start(
        EXPRESSION, "[print('own'), 0][-1]", Surroundings(tmp_path, {}, GIB), notes=("a note",)
    )
    assert [line.text for line in container.lines()] == ["a note", "own"]


def test_a_container_sees_its_own_variables_and_none_of_the_servers(
    host: ContainerHost, tmp_path: Path
) -> None:
    code, lines = run(host, tmp_path, "[print(*__import__('os').environ), 0][-1]", MINE="1")
    assert code == 0
    names = set(lines[0].split())
    assert {"MINE", "TMPDIR", "OMP_NUM_THREADS"} <= names
    assert names <= {
        "MINE",
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
        "TMPDIR",
        "OMP_NUM_THREADS",
        "CUDA_VISIBLE_DEVICES",
        "LC_CTYPE",
    }


def test_a_container_leads_its_own_process_group(host: ContainerHost, tmp_path: Path) -> None:
    body = "[print(__import__('os').getpgid(0) == __import__('os').getpid()), 0][-1]"
    assert run(host, tmp_path, body) == (0, ["True"])


def test_the_worker_parent_has_the_engine_and_none_of_the_heavy_libraries(
    host: ContainerHost, tmp_path: Path
) -> None:
    names = "('xgboost', 'pandas', 'sklearn', 'pyarrow', 'boto3', 'moto', 'sagemaker')"
    body = f"[print(*[name for name in {names} if __import__('sys').modules.get(name)]), 0][-1]"
    assert run(host, tmp_path, body) == (0, ["xgboost"])


def test_the_worker_parent_is_small(host: ContainerHost, tmp_path: Path) -> None:
    _, lines = run(host, tmp_path, "[print(__import__('os').getppid()), 0][-1]")
    assert psutil.Process(int(lines[0])).memory_info().rss < 140 << 20


def test_many_containers_run_at_once(host: ContainerHost, tmp_path: Path) -> None:
    containers = [start(host, tmp_path / str(n), f"[print({n}), {n}][-1]") for n in range(8)]
    assert [[line.text for line in container.lines()] for container in containers] == [
        [str(n)] for n in range(8)
    ]
    assert [exit.code for c in containers if (exit := c.wait(10))] == list(range(8))


def test_a_stopped_container_ends_by_sigterm(host: ContainerHost, tmp_path: Path) -> None:
    container = start(host, tmp_path, SLEEP)
    lines = container.lines()
    next(lines)
    container.stop(grace_seconds=60)
    outcome = container.wait(10)
    assert outcome is not None
    assert outcome.code == -signal.SIGTERM
    assert list(lines) == []


def test_a_container_deaf_to_sigterm_is_killed_after_its_grace(host: ContainerHost, tmp_path: Path) -> None:
    container = start(host, tmp_path, DEAF)
    next(container.lines())
    container.stop(grace_seconds=0.05)
    outcome = container.wait(10)
    assert outcome is not None
    assert (outcome.code, outcome.out_of_memory) == (-signal.SIGKILL, False)


def test_a_second_stop_may_shorten_the_grace(host: ContainerHost, tmp_path: Path) -> None:
    container = start(host, tmp_path, DEAF)
    next(container.lines())
    container.stop(grace_seconds=300)
    assert container.wait(0.05) is None
    container.stop(grace_seconds=0)
    outcome = container.wait(10)
    assert outcome is not None
    assert outcome.code == -signal.SIGKILL


def test_stopping_an_ended_container_does_nothing(host: ContainerHost, tmp_path: Path) -> None:
    container = start(host, tmp_path, "3")
    first = container.wait(10)
    container.stop(grace_seconds=0)
    assert container.wait(0) == first
    assert first is not None
    assert first.code == 3
    assert container.usage() is None


def test_a_container_that_outgrows_its_memory_is_killed_for_it(host: ContainerHost, tmp_path: Path) -> None:
    body = f"(lambda held: __import__('time').sleep(60) or 0)(b'x' * {400 << 20})"
    container = start(host, tmp_path, body, memory=200 << 20)
    outcome = container.wait(20)
    assert outcome is not None
    assert (outcome.code, outcome.out_of_memory) == (-signal.SIGKILL, True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds data segments so")
def test_one_allocation_far_beyond_the_memory_counts_as_out_of_memory(
    host: ContainerHost, tmp_path: Path
) -> None:
    container = start(host, tmp_path, f"len(bytearray({64 << 30}))", memory=200 << 20)
    outcome = container.wait(20)
    assert outcome is not None
    assert (outcome.code, outcome.out_of_memory) == (-signal.SIGKILL, True)


def test_usage_is_read_from_the_running_process(host: ContainerHost, tmp_path: Path) -> None:
    container = start(host, tmp_path, SLEEP)
    next(container.lines())
    usage = container.usage()
    container.stop(0)
    assert usage is not None
    assert usage.memory_bytes > 10 << 20
    assert usage.cpu_percent >= 0


def test_closing_the_host_ends_every_container_and_the_worker_parent(tmp_path: Path) -> None:
    host = ContainerHost()
    container = start(
        host, tmp_path, "[print(__import__('os').getppid(), flush=True), __import__('time').sleep(60), 0][-1]"
    )
    parent = psutil.Process(int(next(container.lines()).text))
    host.close()
    outcome = container.wait(0)
    assert outcome is not None
    assert outcome.code == -signal.SIGKILL
    assert psutil.wait_procs([parent], timeout=10)[1] == []


def test_a_container_started_anew_behaves_like_a_forked_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where nothing is forked."""
    monkeypatch.setattr("corelab.engine.host._FORKS", False)
    host = ContainerHost()
    names = "('xgboost', 'pandas', 'sklearn')"
    body = f"[print(*[name for name in {names} if __import__('sys').modules.get(name)]), 5][-1]"
    assert run(host, tmp_path, body, MINE="1") == (5, ["xgboost"])
    host.close()


def test_finished_containers_leave_no_descriptors(host: ContainerHost, tmp_path: Path) -> None:
    run(host, tmp_path, "0")
    gc.collect()
    before = psutil.Process().num_fds()
    for body in ["0"] * 5:
        run(host, tmp_path, body)
        start(host, tmp_path, body).wait(10)
    wait_until(lambda: gc.collect() >= 0 and psutil.Process().num_fds() <= before)
    assert psutil.Process().num_fds() <= before


_SERVER = """
import sys
from pathlib import Path
from corelab.engine.child import Surroundings
from corelab.engine.host import ContainerHost

print("main", flush=True)
body, root = sys.argv[1:]
container = ContainerHost().start("builtins:eval", body, Surroundings(Path(root), {}, 1 << 30))
lines = container.lines()
print(container.pid, next(lines).text, flush=True)
for line in lines:
    pass
"""
_DEAF_CHILD = (
    "[print(__import__('os').getppid(), flush=True), __import__('signal').signal(15, __import__('signal').SIG_IGN), "
    "__import__('time').sleep(60), 0][-1]"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs one container; its main module has no guard against being run twice."""
    script = tmp_path / "server.py"
    script.write_text(_SERVER)
    command = [sys.executable, str(script), _DEAF_CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_the_servers_main_module_is_not_run_again_in_a_container(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    assert server.stdout.readline() == "main\n"
    assert server.stdout.readline().split()[1].isdecimal()


def test_containers_and_worker_parent_die_with_a_killed_server(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    assert server.stdout.readline() == "main\n"
    family = [psutil.Process(int(pid)) for pid in server.stdout.readline().split()]
    os.kill(server.pid, signal.SIGKILL)
    assert psutil.wait_procs(family, timeout=10)[1] == []
