"""Logs, metrics and the request journal on disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corelab.store import journal, logs, metrics
from corelab.store.contract import Datum, LogEvent
from corelab.store.database import Database
from corelab.store.journal import AlarmState, Entry, Journal, Session
from corelab.store.logs import Logs, NewGroup, Span
from corelab.store.metrics import Metric, Metrics

ALL = Span()
GROUP, STREAM = "/aws/sagemaker/TrainingJobs", "job/algo-1"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    schema = logs.SCHEMA + metrics.SCHEMA + journal.SCHEMA
    database = Database(tmp_path / "watch.db", schema, survives_power_loss=False)
    yield database
    database.close()


@pytest.fixture
def log(database: Database) -> Logs:
    return Logs(database)


@pytest.fixture
def metric(database: Database) -> Metrics:
    return Metrics(database)


@pytest.fixture
def book(database: Database) -> Journal:
    return Journal(database)


def messages(log: Logs, span: Span = ALL, limit: int = -1, *, newest: bool = False) -> list[str]:
    group = log.group("us-east-1", GROUP)
    assert group is not None
    stream = log.stream(group.id, STREAM)
    assert stream is not None
    return [event.message for event in log.read(stream.id, span, limit, newest=newest)]


def append(log: Logs, *events: tuple[int, str]) -> None:
    log.append("us-east-1", GROUP, STREAM, [LogEvent(at, text) for at, text in events])


def test_the_first_line_makes_group_and_stream(log: Logs) -> None:
    assert log.group("us-east-1", GROUP) is None
    append(log, (1, "a"))
    assert messages(log) == ["a"]
    assert log.group("eu-west-1", GROUP) is None
    log.append("us-east-1", GROUP, "empty", [])
    group = log.group("us-east-1", GROUP)
    assert group is not None
    assert [stream.name for stream in log.streams(group.id)] == ["empty", STREAM]


def test_lines_are_in_the_order_of_their_times_then_of_their_coming(log: Logs) -> None:
    append(log, (5, "c"), (1, "a"))
    append(log, (5, "d"), (3, "b"))
    assert messages(log) == ["a", "b", "c", "d"]


def test_a_span_cuts_at_both_ends_and_at_places(log: Logs) -> None:
    append(log, *[(at, str(at)) for at in range(10)])
    assert messages(log, Span(3, 5)) == ["3", "4", "5"]
    assert messages(log, Span(after=(3, 3), before=(6, 6))) == ["4", "5"]
    assert messages(log, limit=2) == ["0", "1"]
    assert messages(log, limit=2, newest=True) == ["8", "9"]


def test_a_stream_knows_its_extent(log: Logs) -> None:
    append(log, (7, "ü"), (3, "x"))
    append(log, (5, "y"))
    group = log.group("us-east-1", GROUP)
    assert group is not None
    stream = log.stream(group.id, STREAM)
    assert stream is not None
    assert (stream.first, stream.last, stream.bytes, stream.events) == (3, 7, 4, 3)
    assert log.stored_bytes(group.id) == 4


def test_a_group_takes_its_streams_and_events_with_it(log: Logs, database: Database) -> None:
    append(log, (1, "a"))
    group = log.group("us-east-1", GROUP)
    assert group is not None
    log.delete_group(group.id)
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM log_events").fetchone() == (0,)


def test_a_group_s_name_is_taken_once(log: Logs) -> None:
    log.create_group("us-east-1", NewGroup("g", tags={"a": "1"}))
    with pytest.raises(sqlite3.IntegrityError):
        log.create_group("us-east-1", NewGroup("g"))
    group = log.group("us-east-1", "g")
    assert group is not None
    log.change_group(group.id, retention=7, tags={})
    changed = log.group("us-east-1", "g")
    assert changed is not None
    assert (changed.retention, changed.tags) == (7, {})


def test_a_stream_deleted_meanwhile_takes_no_more(log: Logs) -> None:
    append(log, (1, "a"))
    group = log.group("us-east-1", GROUP)
    assert group is not None
    stream = log.stream(group.id, STREAM)
    assert stream is not None
    log.delete_stream(stream.id)
    with pytest.raises(sqlite3.IntegrityError):
        log.add(stream.id, [(1, "b")])


def test_many_threads_append_without_loss(log: Logs) -> None:
    def work(number: int) -> None:
        for line in range(25):
            append(log, (line, f"{number}:{line}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(messages(log))) == 100


def test_points_belong_to_exactly_their_dimensions(metric: Metrics) -> None:
    metric.put("us-east-1", "N", [Datum("m", 1.0, 10.0, dimensions={"b": "2", "a": "1"})])
    metric.put("us-east-1", "N", [Datum("m", 2.0, 11.0)])
    dimensioned = Metric("N", "m", {"a": "1", "b": "2"})
    assert [point.total for point in metric.points("us-east-1", dimensioned, 0, 20)] == [1.0]
    assert [point.total for point in metric.points("us-east-1", Metric("N", "m"), 0, 20)] == [2.0]
    assert metric.points("eu-west-1", dimensioned, 0, 20) == []
    assert metric.points("us-east-1", dimensioned, 10.5, 20) == []
    assert metric.metrics("us-east-1", "N") == [Metric("N", "m", {"a": "1", "b": "2"}), Metric("N", "m")]


def test_units_are_kept_apart_when_asked(metric: Metrics) -> None:
    metric.put("us-east-1", "N", [Datum("m", 1.0, 1.0, "Seconds"), Datum("m", 2.0, 2.0, "Count")])
    assert len(metric.points("us-east-1", Metric("N", "m"), 0, 9)) == 2
    assert len(metric.points("us-east-1", Metric("N", "m", unit="Count"), 0, 9)) == 1
    assert metric.unit("us-east-1", Metric("N", "m")) == "Count"


def entry(subject: str, path: str = "/") -> Entry:
    return Entry("iam", "us-east-1", subject, 1.5, 7, "POST", path, "q=1", {"CONTENT_TYPE": "x"}, b"\x00body")


def test_requests_come_back_in_order_and_whole(book: Journal) -> None:
    first, second = entry("a"), entry("b")
    book.append(first)
    book.append(second)
    assert book.entries("iam") == [first, second]
    assert book.entries("ecr") == []


def test_a_later_request_may_take_the_place_of_earlier_ones(book: Journal) -> None:
    for path in ("/1", "/2"):
        book.append(entry("a", path))
    book.append(entry("b"))
    book.append(entry("a", "/3"), supersede=True)
    assert [kept.path for kept in book.entries("iam")] == ["/", "/3"]
    book.forget("iam", "us-east-1", "a")
    assert [kept.subject for kept in book.entries("iam")] == ["b"]


def test_old_sessions_are_forgotten_when_a_new_one_opens(book: Journal) -> None:
    book.open_session(Session("OLD", "s", "t", "arn", "id", 1.0))
    book.open_session(Session("NEW", "s", "t", "arn", "id", 9e12))
    assert book.session("OLD") is None
    assert book.session("NEW") == Session("NEW", "s", "t", "arn", "id", 9e12)


def test_an_alarm_s_state_is_the_last_one_set(book: Journal) -> None:
    for value in ("OK", "ALARM"):
        book.set_alarm_state("us-east-1", "a", AlarmState(value, "why", "{}", 2.0))
    assert book.alarm_state("us-east-1", "a") == AlarmState("ALARM", "why", "{}", 2.0)
    book.set_alarm_state("us-east-1", "a", None)
    assert book.alarm_state("us-east-1", "a") is None
