"""CloudWatch Logs on disk: groups, streams, and their events in the order of their times."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from corelab.store.contract import LogEvent
from corelab.store.database import Database

if TYPE_CHECKING:
    from corelab.store.contract import LogStore

SCHEMA = """
CREATE TABLE IF NOT EXISTS log_groups (
    id INTEGER PRIMARY KEY, region TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
    retention INTEGER, kms TEXT, tags TEXT NOT NULL DEFAULT '{}', UNIQUE (region, name)
) STRICT;
CREATE TABLE IF NOT EXISTS log_streams (
    id INTEGER PRIMARY KEY, log_group INTEGER NOT NULL REFERENCES log_groups (id) ON DELETE CASCADE,
    name TEXT NOT NULL, created INTEGER NOT NULL, first INTEGER, last INTEGER, ingested INTEGER,
    bytes INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0, UNIQUE (log_group, name)
) STRICT;
CREATE TABLE IF NOT EXISTS log_events (
    stream INTEGER NOT NULL REFERENCES log_streams (id) ON DELETE CASCADE,
    at INTEGER NOT NULL, number INTEGER NOT NULL, ingested INTEGER NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (stream, at, number)
) STRICT, WITHOUT ROWID;
"""

Position = tuple[int, int]
START: Position = (-1, -1)
_FOREVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Group:
    id: int
    region: str
    name: str
    created: int  # epoch milliseconds, as all times here
    retention: int | None
    kms: str | None
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stream:
    id: int
    group: int
    name: str
    created: int
    first: int | None
    last: int | None
    ingested: int | None
    bytes: int
    events: int


@dataclass(frozen=True, slots=True)
class Event:
    """An event with its place in the stream: its time, then the order of arrival."""

    at: int
    number: int
    ingested: int
    message: str

    @property
    def position(self) -> Position:
        return self.at, self.number


@dataclass(frozen=True, slots=True)
class Span:
    """Which events to read: both times inclusive."""

    start: int = 0
    end: int = _FOREVER
    after: Position = START
    before: Position = (_FOREVER, _FOREVER)


@dataclass(frozen=True, slots=True)
class NewGroup:
    name: str
    kms: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


_OLDEST = """
    SELECT at, number, ingested, message FROM log_events
    WHERE stream = ? AND at >= ? AND at <= ? AND (at, number) > (?, ?) AND (at, number) < (?, ?)
    ORDER BY at, number LIMIT ?"""
_NEWEST = """
    SELECT at, number, ingested, message FROM log_events
    WHERE stream = ? AND at >= ? AND at <= ? AND (at, number) > (?, ?) AND (at, number) < (?, ?)
    ORDER BY at DESC, number DESC LIMIT ?"""


class Logs:
    """The log store on disk. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        with self._database.write() as connection:
            owner = _ensure_group(connection, region, group)
            identity = _ensure_stream(connection, owner, stream)
            if events:
                _append(connection, identity, [(event.timestamp_ms, event.message) for event in events])

    def add(self, stream: int, events: Sequence[tuple[int, str]]) -> None:
        """Append (milliseconds, message) pairs to an existing stream."""
        with self._database.write() as connection:
            _append(connection, stream, events)

    def group(self, region: str, name: str) -> Group | None:
        with self._database.read() as connection:
            query = "SELECT * FROM log_groups WHERE region = ? AND name = ?"
            row = connection.execute(query, (region, name)).fetchone()
        return _group(row) if row is not None else None

    def groups(self, region: str, prefix: str = "") -> list[Group]:
        with self._database.read() as connection:
            query = "SELECT * FROM log_groups WHERE region = ? ORDER BY name"
            groups = [_group(row) for row in connection.execute(query, (region,))]
        return [group for group in groups if group.name.startswith(prefix)]

    def stored_bytes(self, group: int) -> int:
        with self._database.read() as connection:
            query = "SELECT coalesce(sum(bytes), 0) FROM log_streams WHERE log_group = ?"
            size: int = connection.execute(query, (group,)).fetchone()[0]
        return size

    def create_group(self, region: str, new: NewGroup) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO log_groups (region, name, created, kms, tags) VALUES (?, ?, ?, ?, ?)",
                (region, new.name, _now(), new.kms, json.dumps(new.tags)),
            )

    def change_group(self, group: int, *, retention: int | None, tags: dict[str, str]) -> None:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE log_groups SET retention = ?, tags = ? WHERE id = ?",
                (retention, json.dumps(tags), group),
            )

    def delete_group(self, group: int) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM log_groups WHERE id = ?", (group,))

    def stream(self, group: int, name: str) -> Stream | None:
        with self._database.read() as connection:
            query = "SELECT * FROM log_streams WHERE log_group = ? AND name = ?"
            row = connection.execute(query, (group, name)).fetchone()
        return Stream(*row) if row is not None else None

    def streams(self, group: int, prefix: str = "") -> list[Stream]:
        """Streams whose name starts with ``prefix``, by name."""
        with self._database.read() as connection:
            # The index gives names in order: those with the prefix stand together and first.
            query = "SELECT * FROM log_streams WHERE log_group = ? AND name >= ? ORDER BY name"
            streams = (Stream(*row) for row in connection.execute(query, (group, prefix)))
            return list(takewhile(lambda stream: stream.name.startswith(prefix), streams))

    def create_stream(self, group: int, name: str) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO log_streams (log_group, name, created) VALUES (?, ?, ?)", (group, name, _now())
            )

    def delete_stream(self, stream: int) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM log_streams WHERE id = ?", (stream,))

    def read(self, stream: int, span: Span, limit: int, *, newest: bool = False) -> list[Event]:
        """Up to ``limit`` events of the span in order of time: the oldest of them, or the newest."""
        query = _NEWEST if newest else _OLDEST
        values = (stream, span.start, span.end, *span.after, *span.before, limit)
        with self._database.read() as connection:
            events = [Event(*row) for row in connection.execute(query, values)]
        return events[::-1] if newest else events


def _append(connection: sqlite3.Connection, stream: int, events: Iterable[tuple[int, str]]) -> None:
    row = connection.execute("SELECT events FROM log_streams WHERE id = ?", (stream,)).fetchone()
    if row is None:
        raise sqlite3.IntegrityError("the log stream was deleted meanwhile")
    count, now = row[0], _now()
    rows = [(stream, at, count + index, now, message) for index, (at, message) in enumerate(events)]
    # The number makes events of one millisecond keep the order they came in.
    connection.executemany("INSERT INTO log_events VALUES (?, ?, ?, ?, ?)", rows)
    times = [row[1] for row in rows]
    connection.execute(
        "UPDATE log_streams SET first = min(coalesce(first, ?1), ?1), last = max(coalesce(last, ?2), ?2),"
        " ingested = ?3, bytes = bytes + ?4, events = events + ?5 WHERE id = ?6",
        (min(times), max(times), now, sum(len(row[4].encode()) for row in rows), len(rows), stream),
    )


def _ensure_group(connection: sqlite3.Connection, region: str, name: str) -> int:
    connection.execute(
        "INSERT OR IGNORE INTO log_groups (region, name, created) VALUES (?, ?, ?)", (region, name, _now())
    )
    query = "SELECT id FROM log_groups WHERE region = ? AND name = ?"
    return int(connection.execute(query, (region, name)).fetchone()[0])


def _ensure_stream(connection: sqlite3.Connection, group: int, name: str) -> int:
    connection.execute(
        "INSERT OR IGNORE INTO log_streams (log_group, name, created) VALUES (?, ?, ?)", (group, name, _now())
    )
    query = "SELECT id FROM log_streams WHERE log_group = ? AND name = ?"
    return int(connection.execute(query, (group, name)).fetchone()[0])


def _group(row: tuple[Any, ...]) -> Group:
    identity, region, name, created, retention, kms, tags = row
    return Group(identity, region, name, created, retention, kms, json.loads(tags))


def _now() -> int:
    return int(time.time() * 1000)


if TYPE_CHECKING:

    def _proof(logs: Logs) -> LogStore:
        return logs
