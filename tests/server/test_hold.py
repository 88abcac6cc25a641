"""A repeated Describe waits for news; a first one does not, unless its client would sleep for long."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from corelab.resources.records import Record, arn
from corelab.resources.registry import Registry
from corelab.resources.states import Kind, Status
from corelab.server import hold
from corelab.server.hold import Holder

CORE = "Boto3/1.44.5 md/Botocore#1.44.5 lib/AWS-SageMakerCore#1.0.78"
WAITER = "Boto3/1.44.5 md/Botocore#1.44.5 m/Z,B,b cfg/retry-mode#standard"
LOOP = "Boto3/1.44.5 md/Botocore#1.44.5"
SDK_2 = "Boto3/1.44.5 lib/AWS-SageMaker-Python-SDK#2.257.7"
REQUEST = {"TrainingJobName": "one"}


@pytest.fixture
def registry(tmp_path: Path):
    registry = Registry(tmp_path / "state.db")
    kind = Kind.TRAINING_JOB
    name = arn(kind, "us-east-1", "1", "one")
    registry.create(Record(kind, "us-east-1", "one", name, Status.IN_PROGRESS, 1.0, 1.0, {}))
    yield registry
    registry.close()


async def held(holder: Holder, client: str, operation: str = "DescribeTrainingJob") -> bool:
    """Whether the call still waits after every other task had its turn."""
    task = asyncio.create_task(holder.wait(operation, dict(REQUEST), "us-east-1", client))
    done, _ = await asyncio.wait({task}, timeout=0.05)
    task.cancel()
    return not done


def test_the_first_describe_answers_at_once_and_the_second_is_held(registry: Registry) -> None:
    async def run() -> list[bool]:
        holder = Holder(registry)
        return [await held(holder, CORE), await held(holder, CORE)]

    assert asyncio.run(run()) == [False, True]


@pytest.mark.parametrize("client", [WAITER, SDK_2])
def test_a_client_that_would_sleep_for_long_is_held_from_the_first(registry: Registry, client: str) -> None:
    assert asyncio.run(held(Holder(registry), client))


def test_another_client_hears_the_first_answer_at_once(registry: Registry) -> None:
    async def run() -> bool:
        holder = Holder(registry)
        await held(holder, CORE)
        return await held(holder, "Boto3/1.44.5")

    assert not asyncio.run(run())


def test_a_held_describe_returns_when_the_status_changes_and_not_before(registry: Registry) -> None:
    async def run() -> tuple[bool, bool]:
        holder = Holder(registry)
        record = registry.get(Kind.TRAINING_JOB, "us-east-1", "one")
        assert record is not None
        task = asyncio.create_task(holder.wait("DescribeTrainingJob", dict(REQUEST), "us-east-1", WAITER))
        await asyncio.sleep(0.02)
        registry.change(record, lambda r: r.note(2.0, {"SecondaryStatus": "Training"}))
        await asyncio.sleep(0.02)
        early = task.done()
        registry.change(record, lambda r: r.advance(Status.COMPLETED, 3.0))
        await asyncio.wait_for(task, 30)
        return early, task.done()

    assert asyncio.run(run()) == (False, True)


def test_a_loop_of_ones_own_hears_again_before_the_status_changes(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "_GLANCE_SECONDS", 0.01)

    async def run() -> list[bool]:
        holder = Holder(registry)
        return [await held(holder, client) for client in (LOOP, LOOP, CORE, CORE)]

    assert asyncio.run(run()) == [False, False, False, True]


def test_a_finished_job_an_absent_one_and_other_operations_are_never_held(registry: Registry) -> None:
    async def run() -> list[bool]:
        holder = Holder(registry)
        record = registry.get(Kind.TRAINING_JOB, "us-east-1", "one")
        assert record is not None
        other = await held(holder, WAITER, "ListTrainingJobs")
        registry.change(record, lambda r: r.advance(Status.FAILED, 3.0))
        finished = await held(holder, WAITER)
        registry.delete(record)
        return [other, finished, await held(holder, WAITER)]

    assert asyncio.run(run()) == [False, False, False]


def test_holding_can_be_turned_off(registry: Registry) -> None:
    assert not asyncio.run(held(Holder(registry, seconds=0), WAITER))
