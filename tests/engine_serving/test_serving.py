"""Real model processes: answers, crashes, limits and ends."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import xgboost

from corelab.engine.batch.transform import BatchSettings, Transformer
from corelab.engine.frames import response_bytes
from corelab.engine.host import ContainerHost
from corelab.engine.model_client import AsyncModelClient, BlockingModelClient
from corelab.engine.serving import LocalModelServer
from corelab.engine.serving_contract import (
    InvocationRequest,
    InvocationResponse,
    InvocationTimeout,
    ModelProcess,
    ModelProcessDied,
    ServingSpec,
)

ROW = b"0.5,1,-1,2"
CSV = InvocationRequest(ROW, "text/csv")
posix_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows cannot stop or interrupt a process"
)


@pytest.fixture(scope="module")
def host() -> Iterator[ContainerHost]:
    made = ContainerHost()
    made.warm()
    yield made
    made.close()


class Started:
    """A model process with its log being read, as the platform reads it."""

    def __init__(self, process: ModelProcess) -> None:
        self.process = process
        self.container = process.container
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        self.lines.extend(line.text for line in self.container.lines())

    def log(self) -> str:
        """Everything it wrote, once it has ended."""
        self._reader.join(10)
        return "\n".join(self.lines)


@pytest.fixture
def start(host: ContainerHost, train, model_folder: Path) -> Iterator[Callable[..., Started]]:
    running: list[Started] = []

    def started(objective: str | None = "binary:logistic", **settings: Any) -> Started:
        if objective is not None:
            model_folder.joinpath("xgboost-model").write_bytes(train(objective).save_raw("deprecated"))
        running.append(Started(LocalModelServer(host).start(ServingSpec(model_folder.parent, **settings))))
        return running[-1]

    yield started
    for one in running:
        one.container.stop(0)
        one.process.connection.close()
        assert one.container.wait(10) is not None
        one.log()


def run(work: Awaitable[None]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(work, 30)

    asyncio.run(limited())


def predicted(booster: xgboost.Booster, rows: list[list[float]]) -> list[float]:
    return [float(value) for value in booster.predict(xgboost.DMatrix(np.array(rows)))]


def test_a_model_process_answers_pings_and_invocations(start, train) -> None:
    async def ask() -> None:
        client = await AsyncModelClient.connect(start(cpu_count=2).process.connection)
        assert (await client.ping(20)).status == 200
        answer = await client.invoke(CSV)
        assert (answer.status, answer.content_type) == (200, "text/csv; charset=utf-8")
        assert [float(answer.body)] == predicted(train(), [[0.5, 1, -1, 2]])
        assert b'"MaxConcurrentTransforms": 2' in (await client.execution_parameters()).body
        client.close()

    run(ask())


def test_many_callers_at_once_each_get_their_own_answer(start, train) -> None:
    rows = [[0.01 * number, 1.0, -0.02 * number, 2.0] for number in range(300)]

    async def ask() -> None:
        client = await AsyncModelClient.connect(start().process.connection)
        requests = [InvocationRequest(",".join(map(str, row)).encode(), "text/csv") for row in rows]
        requests[7] = InvocationRequest(b"a,b", "text/csv")
        requests[8] = InvocationRequest(b"1,2,3,4,5", "text/csv")
        answers = await asyncio.gather(*[client.invoke(request, 20) for request in requests])
        assert [answer.status for answer in answers[6:10]] == [200, 415, 400, 200]
        good = [place for place, answer in enumerate(answers) if answer.status == 200]
        assert [float(answers[place].body) for place in good] == predicted(
            train(), [rows[place] for place in good]
        )
        assert client.pending == 0
        client.close()

    run(ask())


def test_the_event_loop_of_the_server_works_as_well(start) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def ask() -> None:
        client = await AsyncModelClient.connect(start().process.connection)
        assert (await client.invoke(CSV)).status == 200
        client.close()
        await client.ended

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask())


def test_large_bodies_pass_in_both_directions(start) -> None:
    async def ask() -> None:
        client = await AsyncModelClient.connect(start().process.connection)
        count = (1 << 20) // (len(ROW) + 1)
        answer = await client.invoke(InvocationRequest((ROW + b"\n") * count, "text/csv", "application/json"))
        assert answer.status == 200
        assert answer.body.count(b"score") == count
        client.close()

    run(ask())


@posix_signals
def test_a_crash_is_noticed_at_once_by_everyone_who_waits(start) -> None:
    async def ask() -> None:
        one = start()
        client = await AsyncModelClient.connect(one.process.connection)
        assert (await client.ping(20)).status == 200
        os.kill(one.container.pid, signal.SIGSTOP)
        waiting = [client.invoke(CSV) for _ in range(20)]
        os.kill(one.container.pid, signal.SIGKILL)
        for answer in waiting:
            with pytest.raises(ModelProcessDied):
                await answer
        await client.ended
        with pytest.raises(ModelProcessDied):
            await client.invoke(CSV)
        exited = await asyncio.to_thread(one.container.wait, 5)
        assert exited is not None
        assert exited.code == -signal.SIGKILL

    run(ask())


@posix_signals
def test_an_overdue_answer_is_a_timeout_and_disturbs_nobody_later(start, train) -> None:
    async def ask() -> None:
        one = start()
        client = await AsyncModelClient.connect(one.process.connection)
        assert (await client.ping(20)).status == 200
        os.kill(one.container.pid, signal.SIGSTOP)
        with pytest.raises(InvocationTimeout):
            await client.invoke(CSV, timeout=0.1)
        assert client.pending == 1
        os.kill(one.container.pid, signal.SIGCONT)
        answer = await client.invoke(InvocationRequest(b"1,2,3,4", "text/csv"))
        assert [float(answer.body)] == predicted(train(), [[1, 2, 3, 4]])
        assert client.pending == 0
        client.close()

    run(ask())


def test_a_caller_who_gives_up_leaves_the_others_alone(start) -> None:
    async def ask() -> None:
        client = await AsyncModelClient.connect(start().process.connection)
        given_up, patient = client.invoke(CSV), client.invoke(CSV)
        given_up.cancel()
        assert (await patient).status == 200
        client.close()

    run(ask())


def test_a_model_that_does_not_load_ends_its_process_and_the_log_says_why(start, model_folder: Path) -> None:
    model_folder.joinpath("notes.txt").write_text("not a model")

    async def ask() -> None:
        one = start(None)
        client = await AsyncModelClient.connect(one.process.connection)
        with pytest.raises(ModelProcessDied):
            await client.ping(20)
        exited = await asyncio.to_thread(one.container.wait, 5)
        assert exited is not None
        assert exited.code == 1
        assert "Model /opt/ml/model/notes.txt cannot be loaded" in one.log()
        assert str(model_folder) not in one.log()

    run(ask())


@pytest.mark.parametrize(
    ("environment", "reason"),
    [({"MAX_CONTENT_LENGTH": "lots"}, "lots"), ({"SAGEMAKER_PROGRAM": "inference.py"}, "SAGEMAKER_PROGRAM")],
)
def test_an_environment_that_cannot_be_served_ends_the_process(start, environment, reason) -> None:
    one = start(environment=environment)
    client = BlockingModelClient(one.process.connection)
    with pytest.raises(ModelProcessDied):
        client.ping(20)
    client.close()
    exited = one.container.wait(10)
    assert exited is not None
    assert exited.code == 1
    assert reason in one.log()


def test_invocations_and_errors_appear_in_the_log_and_notes_come_first(start) -> None:
    one = start(notes=("this image stands in for another",))
    client = BlockingModelClient(one.process.connection)
    client.invoke(CSV, 20)
    client.invoke(InvocationRequest(b"a,b", "text/csv"))
    client.close()
    log = one.log()
    assert log.startswith("this image stands in for another")
    assert '"POST /invocations HTTP/1.1" 200 ' in log
    assert '"POST /invocations HTTP/1.1" 415 ' in log
    assert ":ERROR] Loading csv data failed with Exception" in log
    assert "Traceback" in log


def test_hanging_up_ends_the_process_in_order(start) -> None:
    one = start()
    client = BlockingModelClient(one.process.connection)
    client.ping(20)
    client.close()
    exited = one.container.wait(10)
    assert exited is not None
    assert exited.code == 0
    with pytest.raises(ModelProcessDied):
        client.ping()


@posix_signals
def test_sigterm_ends_an_idle_process_in_order(start) -> None:
    one = start()
    client = BlockingModelClient(one.process.connection)
    client.ping(20)
    one.container.stop(30)
    exited = one.container.wait(10)
    assert exited is not None
    assert exited.code == 0
    client.close()


def test_batch_mode_is_the_platforms_and_reaches_the_container(start) -> None:
    one = start("multi:softprob", batch=True)
    client = BlockingModelClient(one.process.connection)
    assert client.invoke(CSV, 20).body.startswith(b"[")
    client.close()


def test_a_batch_through_two_processes_is_xgboosts_own(start, train, rows, to_csv) -> None:
    clients = [BlockingModelClient(start(batch=True).process.connection) for _ in range(2)]
    turns = itertools.cycle(clients)
    settings = BatchSettings(
        content_type="text/csv", split="Line", assemble="Line", max_payload_bytes=100, concurrency=2
    )
    sink = io.BytesIO()
    with Transformer(settings, lambda request, limit: next(turns).invoke(request, limit)) as transformer:
        assert transformer.transform(io.BytesIO(to_csv(rows)), sink) > 2
    assert [float(line) for line in sink.getvalue().splitlines()] == predicted(train(), rows.tolist())
    for client in clients:
        client.close()


def test_threads_share_a_blocking_client(start, train) -> None:
    rows = [[0.1 * number, 0.0, 1.0, -1.0] for number in range(80)]
    client = BlockingModelClient(start().process.connection)

    def ask(row: list[float]) -> float:
        return float(client.invoke(InvocationRequest(",".join(map(str, row)).encode(), "text/csv"), 20).body)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, rows)) == predicted(train(), rows)
    client.close()


@posix_signals
def test_a_blocking_caller_notices_crash_and_timeout(start) -> None:
    one = start()
    client = BlockingModelClient(one.process.connection)
    client.ping(20)
    os.kill(one.container.pid, signal.SIGSTOP)
    with pytest.raises(InvocationTimeout):
        client.invoke(CSV, timeout=0.05)
    threading.Timer(0.05, os.kill, (one.container.pid, signal.SIGKILL)).start()
    with pytest.raises(ModelProcessDied):
        client.invoke(CSV)
    client.close()


@posix_signals
def test_a_model_process_dies_with_its_server_even_by_sigkill(train, model_folder: Path) -> None:
    model_folder.joinpath("xgboost-model").write_bytes(train().save_raw("deprecated"))
    script = textwrap.dedent("""
        import sys, threading
        from pathlib import Path
        from corelab.engine.host import ContainerHost
        from corelab.engine.model_client import BlockingModelClient
        from corelab.engine.serving import LocalModelServer
        from corelab.engine.serving_contract import ServingSpec
        process = LocalModelServer(ContainerHost()).start(ServingSpec(Path(sys.argv[1])))
        threading.Thread(target=lambda: list(process.container.lines()), daemon=True).start()
        BlockingModelClient(process.connection).ping(30)
        print(process.container.pid, flush=True)
        threading.Event().wait()
    """)
    server = subprocess.Popen(
        [sys.executable, "-c", script, str(model_folder.parent)], stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    with server.stdout:
        model = psutil.Process(int(server.stdout.readline()))
    server.kill()
    server.wait()
    model.wait(10)
    assert not model.is_running()


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 8, b"\x01\0\0\0x", response_bytes(99, InvocationResponse(200, "", b""))]
)
def test_a_process_that_answers_garbage_counts_as_dead(garbage: bytes) -> None:
    async def ask() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            client = await AsyncModelClient.connect(ours)
            waiting = client.invoke(CSV)
            theirs.sendall(garbage)
            with pytest.raises(ModelProcessDied):
                await waiting
            await client.ended

    run(ask())
    ours, theirs = socket.socketpair()
    with theirs:
        client = BlockingModelClient(ours)
        theirs.sendall(garbage)
        with pytest.raises(ModelProcessDied):
            client.invoke(CSV)
        client.close()
