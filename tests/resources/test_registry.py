"""The registry keeps records exactly, pages without gaps, and wakes those who wait."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from corelab.resources.records import Record, TransitionRefused, arn
from corelab.resources.registry import AlreadyExists, NotThere, Query, Registry
from corelab.resources.states import TRANSITIONS, Kind, Status, may_follow


@pytest.fixture
def registry(tmp_path: Path):
    registry = Registry(tmp_path / "state.db")
    yield registry
    registry.close()


def job(
    name: str, created: float = 1.0, region: str = "us-east-1", status: Status = Status.IN_PROGRESS
) -> Record:
    kind = Kind.TRAINING_JOB
    return Record(
        kind, region, name, arn(kind, region, "123456789012", name), status, created, created, {"a": [1]}
    )


def test_a_record_reads_back_as_it_was_written(registry: Registry) -> None:
    record = registry.create(job("one"), {"team": "churn"})
    assert registry.get(Kind.TRAINING_JOB, "us-east-1", "one") == record
    assert registry.by_arn(record.arn) == record
    assert registry.tags(record.arn) == {"team": "churn"}


def test_a_record_survives_a_new_registry_on_the_same_file(registry: Registry, tmp_path: Path) -> None:
    record = registry.create(job("one"))
    second = Registry(tmp_path / "state.db")
    assert second.get(Kind.TRAINING_JOB, "us-east-1", "one") == record
    second.close()


def test_a_name_is_unique_in_its_region_only(registry: Registry) -> None:
    first = registry.create(job("one"))
    registry.create(job("one", region="eu-west-1"))
    with pytest.raises(AlreadyExists) as refusal:
        registry.create(job("one"))
    assert refusal.value.record == first


def test_a_finished_record_never_changes(registry: Registry) -> None:
    record = registry.create(job("one"))
    done = registry.change(record, lambda r: r.advance(Status.COMPLETED, 2.0, ModelArtifacts={}))
    with pytest.raises(TransitionRefused):
        registry.change(done, lambda r: r.note(3.0, {"FailureReason": "late"}))
    with pytest.raises(TransitionRefused):
        registry.change(done, lambda r: r.advance(Status.FAILED, 3.0))
    assert registry.get(Kind.TRAINING_JOB, "us-east-1", "one") == done


def test_an_edit_that_raises_changes_nothing(registry: Registry) -> None:
    record = registry.create(job("one"))

    def broken(_: Record) -> Record:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        registry.change(record, broken)
    assert registry.get(Kind.TRAINING_JOB, "us-east-1", "one") == record


def test_changing_a_deleted_record_says_so(registry: Registry) -> None:
    record = registry.create(job("one"), {"a": "b"})
    registry.delete(record)
    with pytest.raises(NotThere):
        registry.change(record, lambda r: r)
    assert registry.tags(record.arn) == {}


def test_concurrent_changes_lose_nothing(registry: Registry) -> None:
    record = registry.create(job("one"))

    def count() -> None:
        for _ in range(25):
            registry.change(record, lambda r: r.note(1.0, {"n": r.facts.get("n", 0) + 1}))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = registry.get(Kind.TRAINING_JOB, "us-east-1", "one")
    assert newest is not None
    assert newest.facts["n"] == 100


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort_by", ["created", "name", "status", "modified"])
def test_pages_add_up_to_the_whole_even_with_equal_keys(
    registry: Registry, sort_by: str, descending: bool
) -> None:
    for number in range(23):
        registry.create(job(f"job-{number:02}", created=float(number // 5)))
    query = Query(sort_by=sort_by, descending=descending, limit=4)
    seen: list[str] = []
    while page := registry.find(Kind.TRAINING_JOB, "us-east-1", query):
        seen += [record.name for record in page]
        query = replace(query, after=(getattr(page[-1], sort_by), page[-1].name))
    whole = [
        r.name for r in registry.find(Kind.TRAINING_JOB, "us-east-1", replace(query, limit=None, after=None))
    ]
    assert seen == whole
    assert len(set(seen)) == 23


def test_filters_are_anded(registry: Registry) -> None:
    registry.create(job("churn-1", 10.0))
    registry.create(job("churn-2", 20.0, status=Status.FAILED))
    registry.create(job("other", 20.0))
    query = Query(
        name_contains="churn", statuses=frozenset({"Failed"}), created_after=15.0, created_before=25.0
    )
    assert [r.name for r in registry.find(Kind.TRAINING_JOB, "us-east-1", query)] == ["churn-2"]


def test_a_percent_sign_in_a_name_filter_is_only_a_percent_sign(registry: Registry) -> None:
    registry.create(job("churn"))
    assert registry.find(Kind.TRAINING_JOB, "us-east-1", Query(name_contains="%")) == []


def test_tags_keep_their_order_and_newer_values_win(registry: Registry) -> None:
    record = registry.create(job("one"), {"b": "1", "a": "2"})
    assert registry.add_tags(record.arn, {"c": "3", "b": "4"}) == {"b": "4", "a": "2", "c": "3"}
    registry.delete_tags(record.arn, ["a", "absent"])
    assert list(registry.tags(record.arn)) == ["b", "c"]


def test_who_waits_for_a_record_is_woken_by_its_change(registry: Registry) -> None:
    record = registry.create(job("one"))

    async def wait() -> bool:
        waiting = asyncio.create_task(registry.changed(record, 30))
        await asyncio.sleep(0)
        await asyncio.to_thread(registry.change, record, lambda r: r.note(2.0, {}))
        return await waiting

    assert asyncio.run(wait())


def test_waiting_for_a_record_that_already_changed_ends_at_once(registry: Registry) -> None:
    record = registry.create(job("one"))
    registry.change(record, lambda r: r.note(2.0, {}))
    assert asyncio.run(registry.changed(record, 30))


def test_waiting_ends_when_the_time_is_up(registry: Registry) -> None:
    record = registry.create(job("one"))
    assert not asyncio.run(registry.changed(record, 0.01))


def test_a_full_disk_is_an_error_and_leaves_the_table_as_it_was(registry: Registry) -> None:
    record = registry.create(job("one"))
    pages = registry._db.execute("PRAGMA page_count").fetchone()[0]
    registry._db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        registry.create(replace(job("two"), request={"big": "x" * 100_000}))
    assert [r.name for r in registry.find(Kind.TRAINING_JOB)] == [record.name]
    registry._db.execute("PRAGMA max_page_count=1000000")
    registry.create(job("two"))


def test_every_status_a_transition_leads_to_has_a_row_of_its_own() -> None:
    for kind, table in TRANSITIONS.items():
        for following in table.values():
            assert following <= set(table), kind


def test_nothing_follows_a_finished_status() -> None:
    assert not may_follow(Kind.TRAINING_JOB, Status.COMPLETED, Status.FAILED)
    assert not may_follow(Kind.ENDPOINT, Status.DELETING, Status.IN_SERVICE)


def test_names_of_what_serves_are_lower_case_in_their_arn() -> None:
    assert arn(Kind.ENDPOINT, "us-east-1", "1", "MyEp") == "arn:aws:sagemaker:us-east-1:1:endpoint/myep"
    assert arn(Kind.TRAINING_JOB, "us-east-1", "1", "MyJob").endswith("training-job/MyJob")


def test_only_what_may_still_change_counts_as_unfinished(registry: Registry) -> None:
    for status in TRANSITIONS[Kind.TRAINING_JOB]:
        registry.create(job(status.lower(), status=status))
    registry.create(job("elsewhere", region="eu-west-1"))
    found = {record.name for record in registry.unfinished(Kind.TRAINING_JOB, "us-east-1")}
    assert found == {"inprogress", "stopping"}


def test_a_record_shows_its_state_without_the_rest(registry: Registry) -> None:
    record = registry.create(job("one"))
    assert registry.state(record.kind, record.region, record.name) == (Status.IN_PROGRESS, 1)
    registry.change(record, lambda r: r.advance(Status.STOPPING, 2.0))
    assert registry.state(record.kind, record.region, record.name) == (Status.STOPPING, 2)
    assert registry.state(record.kind, record.region, "two") is None
