"""The ledger keeps what would be billed, through deletions, changes and kills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corelab.resources.ledger import Ledger
from corelab.resources.records import Record, arn
from corelab.resources.registry import Registry
from corelab.resources.states import Kind, Status


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "state.db")
    yield registry
    registry.close()


@pytest.fixture
def ledger(tmp_path: Path, registry: Registry) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.db", registry, now=0.0)
    yield ledger
    ledger.close()


def record(kind: Kind, name: str, status: Status, **request: Any) -> Record:
    return Record(
        kind, "us-east-1", name, arn(kind, "us-east-1", "123456789012", name), status, 10.0, 10.0, request
    )


def job(name: str = "one") -> Record:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}
    return record(Kind.TRAINING_JOB, name, Status.IN_PROGRESS, ResourceConfig=resources)


def endpoint(count: int = 1) -> Record:
    variant = {
        "name": "AllTraffic",
        "model_name": "m",
        "image": "i",
        "role": "r",
        "artifact": None,
        "environment": {},
        "weight": 1.0,
        "serverless": None,
        "instance_type": "ml.m5.large",
        "count": count,
    }
    return replace(record(Kind.ENDPOINT, "live", Status.CREATING), private={"variants": [variant]})


def test_a_job_is_billed_from_its_training_start_for_its_billable_time(
    registry: Registry, ledger: Ledger
) -> None:
    started = registry.create(job())
    assert ledger.spans() == []
    registry.change(started, lambda r: r.note(20.0, {"TrainingStartTime": 20.0}))
    assert [(s.began, s.ended, s.count) for s in ledger.spans()] == [(20.0, None, 2)]
    facts = {"TrainingEndTime": 50.0, "BillableTimeInSeconds": 30}
    registry.change(started, lambda r: r.advance(Status.COMPLETED, 51.0, **facts))
    assert [(s.began, s.ended, s.seconds) for s in ledger.spans()] == [(20.0, 50.0, 30.0)]


def test_a_deleted_job_stays_on_the_bill(registry: Registry, ledger: Ledger) -> None:
    made = registry.create(job())
    registry.change(made, lambda r: r.note(20.0, {"TrainingStartTime": 20.0}))
    done = registry.change(made, lambda r: r.advance(Status.FAILED, 30.0, TrainingEndTime=30.0))
    registry.delete(done)
    assert [(s.name, s.seconds) for s in ledger.spans()] == [("one", 10.0)]


def test_a_name_used_twice_is_billed_twice(registry: Registry, ledger: Ledger) -> None:
    for start in (20.0, 80.0):
        made = registry.create(job())
        registry.change(made, lambda r, at=start: r.note(at, {"TrainingStartTime": at}))
        registry.delete(
            registry.change(
                made, lambda r, at=start: r.advance(Status.STOPPED, at + 5, TrainingEndTime=at + 5)
            )
        )
    assert [s.began for s in ledger.spans()] == [80.0, 20.0]


def test_an_endpoint_is_billed_from_service_to_deletion(registry: Registry, ledger: Ledger) -> None:
    made = registry.create(endpoint())
    assert ledger.spans() == []
    registry.change(made, lambda r: r.advance(Status.IN_SERVICE, 40.0))
    gone = registry.change(made, lambda r: r.advance(Status.DELETING, 100.0))
    registry.delete(gone)
    assert [(s.began, s.ended, s.variant) for s in ledger.spans()] == [(40.0, 100.0, "AllTraffic")]


def test_a_resized_endpoint_has_a_span_for_each_size(registry: Registry, ledger: Ledger) -> None:
    made = registry.create(endpoint())
    registry.change(made, lambda r: r.advance(Status.IN_SERVICE, 40.0))
    registry.change(made, lambda r: r.advance(Status.UPDATING, 50.0))
    registry.change(
        made, lambda r: replace(r.advance(Status.IN_SERVICE, 60.0), private=endpoint(count=3).private)
    )
    assert [(s.count, s.began, s.ended) for s in ledger.spans()] == [(3, 60.0, None), (1, 40.0, 60.0)]


def test_what_happened_while_the_ledger_was_away_is_made_good(tmp_path: Path, registry: Registry) -> None:
    first = Ledger(tmp_path / "ledger.db", registry, now=0.0)
    served = registry.change(registry.create(endpoint()), lambda r: r.advance(Status.IN_SERVICE, 40.0))
    first.close()
    other = Registry(tmp_path / "state.db")  # nobody listens to this one
    other.delete(served)
    late = other.create(job("late"))
    other.change(late, lambda r: r.note(45.0, {"TrainingStartTime": 45.0}))
    second = Ledger(tmp_path / "ledger.db", other, now=70.0)
    assert [(s.name, s.began, s.ended) for s in second.spans()] == [
        ("late", 45.0, None),
        ("live", 40.0, 70.0),
    ]
    second.close()
    other.close()


def test_changes_that_arrive_in_the_wrong_order_do_not_reopen_a_span(
    registry: Registry, ledger: Ledger
) -> None:
    made = registry.create(endpoint())
    served = registry.change(made, lambda r: r.advance(Status.IN_SERVICE, 40.0))
    registry.delete(registry.change(made, lambda r: r.advance(Status.DELETING, 50.0)))
    ledger.note(replace(served, status=Status.DELETING, modified=50.0))
    assert [(s.began, s.ended) for s in ledger.spans()] == [(40.0, 50.0)]
