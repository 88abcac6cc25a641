"""The table of all resources: durable, one writer at a time, watchable."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corelab.resources.records import Record
from corelab.resources.states import TRANSITIONS, Kind, Status

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
  kind TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, arn TEXT NOT NULL, status TEXT NOT NULL,
  created REAL NOT NULL, modified REAL NOT NULL, version INTEGER NOT NULL,
  request TEXT NOT NULL, facts TEXT NOT NULL, private TEXT NOT NULL,
  PRIMARY KEY (kind, region, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_creation ON records (kind, region, created);
CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, created, name);
CREATE INDEX IF NOT EXISTS records_by_status ON records (kind, status);
CREATE INDEX IF NOT EXISTS records_by_arn ON records (arn);
CREATE TABLE IF NOT EXISTS tags (
  arn TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (arn, key)) WITHOUT ROWID;
"""
_COLUMNS = "kind, region, name, arn, status, created, modified, version, request, facts, private"


class AlreadyExists(Exception):
    """A record of this kind, region and name is there; carries it as ``record``."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record.kind} {record.name} exists")
        self.record = record


class NotThere(Exception):
    """No such record."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a List operation may ask for; times are epoch seconds, ``after`` is a place to go on from."""

    name_contains: str | None = None
    statuses: frozenset[str] | None = None
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    sort_by: str = "created"  # a column of the table
    descending: bool = True
    limit: int | None = None
    after: tuple[Any, str] | None = None  # (sort value, name) of the last record seen

    def conditions(self) -> Iterator[tuple[str, Any]]:
        if self.name_contains is not None:
            yield "instr(name, ?) > 0", self.name_contains
        for column, sign, value in (
            ("created", ">", self.created_after),
            ("created", "<", self.created_before),
            ("modified", ">", self.modified_after),
            ("modified", "<", self.modified_before),
        ):
            if value is not None:
                yield f"{column} {sign} ?", value


class Registry:
    """Records by kind, region and name; every change is on disk when the call returns.

    Safe to call from any thread. Raises sqlite3.OperationalError when the disk is full; nothing has changed then.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._watchers: dict[tuple[str, str, str], list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}
        self._listeners: list[Callable[[Record], None]] = []

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def on_change(self, listener: Callable[[Record], None]) -> None:
        """Call ``listener`` with each record after it was created or changed."""
        self._listeners.append(listener)

    def create(self, record: Record, tags: Mapping[str, str] | None = None) -> Record:
        """Add a record with its tags. Raises AlreadyExists."""
        with self._write():
            existing = self.get(record.kind, record.region, record.name)
            if existing is not None:
                raise AlreadyExists(existing)
            self._put(record)
            self._add_tags(record.arn, tags or {})
        self._tell(record)
        return record

    def get(self, kind: Kind, region: str, name: str) -> Record | None:
        with self._lock:
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM records WHERE kind=? AND region=? AND name=?",  # noqa: S608 (own columns)
                (kind, region, name),
            ).fetchone()
        return None if row is None else _record(row)

    def state(self, kind: Kind, region: str, name: str) -> tuple[Status, int] | None:
        """Status and version of a record, without reading all the rest of it; None when it is not there."""
        with self._lock:
            row = self._db.execute(
                "SELECT status, version FROM records WHERE kind=? AND region=? AND name=?",
                (kind, region, name),
            ).fetchone()
        return None if row is None else (Status(row[0]), row[1])

    def by_arn(self, arn: str) -> Record | None:
        with self._lock:
            row = self._db.execute(f"SELECT {_COLUMNS} FROM records WHERE arn=?", (arn,)).fetchone()  # noqa: S608
        return None if row is None else _record(row)

    def change(self, record: Record, edit: Callable[[Record], Record]) -> Record:
        """Apply ``edit`` to the newest version of a record. Raises NotThere when it is gone."""
        with self._write():
            newest = self.get(record.kind, record.region, record.name)
            if newest is None:
                raise NotThere(f"{record.kind} {record.name}")
            changed = edit(newest)
            self._put(changed)
        self._tell(changed)
        return changed

    def delete(self, record: Record) -> None:
        with self._write():
            self._db.execute(
                "DELETE FROM records WHERE kind=? AND region=? AND name=?",
                (record.kind, record.region, record.name),
            )
            self._db.execute("DELETE FROM tags WHERE arn=?", (record.arn,))
        self._tell(record)

    def find(self, kind: Kind, region: str | None = None, query: Query | None = None) -> list[Record]:
        """The records that fit, in order; ties are broken by name, so that paging is exact."""
        query = query or Query()
        where: list[str] = ["kind = ?"]
        values: list[Any] = [kind]
        if region is not None:
            where.append("region = ?")
            values.append(region)
        for condition, value in query.conditions():
            where.append(condition)
            values.append(value)
        if query.statuses is not None:
            where.append(f"status IN ({','.join('?' * len(query.statuses))})")
            values.extend(sorted(query.statuses))
        sign, order = ("<", "DESC") if query.descending else (">", "ASC")
        if query.after is not None:
            where.append(f"({query.sort_by}, name) {sign} (?, ?)")
            values.extend(query.after)
        sql = (
            f"SELECT {_COLUMNS} FROM records WHERE {' AND '.join(where)}"  # noqa: S608 (own columns, bound values)
            f" ORDER BY {query.sort_by} {order}, name {order} LIMIT ?"
        )
        with self._lock:
            rows = self._db.execute(sql, (*values, -1 if query.limit is None else query.limit)).fetchall()
        return [_record(row) for row in rows]

    def unfinished(self, kind: Kind, region: str) -> list[Record]:
        """The records that may still change their status, however many cannot."""
        passing = frozenset(status for status, following in TRANSITIONS[kind].items() if following)
        # In this order the index by status finds them; by creation, SQLite would look at all that ever ran.
        return self.find(kind, region, Query(statuses=passing, sort_by="status"))

    def counts(self, kind: Kind) -> dict[str, int]:
        """How many records of a kind there are in each status."""
        with self._lock:
            rows = self._db.execute(
                "SELECT status, count(*) FROM records WHERE kind=? GROUP BY status", (kind,)
            ).fetchall()
        return dict(rows)

    def tags(self, arn: str) -> dict[str, str]:
        with self._lock:
            rows = self._db.execute(
                "SELECT key, value FROM tags WHERE arn=? ORDER BY position", (arn,)
            ).fetchall()
        return dict(rows)

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> dict[str, str]:
        """Add or overwrite tags; gives all the resource has then."""
        with self._write():
            self._add_tags(arn, tags)
        return self.tags(arn)

    def delete_tags(self, arn: str, keys: list[str]) -> None:
        with self._write():
            self._db.executemany("DELETE FROM tags WHERE arn=? AND key=?", [(arn, key) for key in keys])

    async def changed(self, record: Record, timeout: float) -> bool:
        """Wait until the record differs from this version or is gone; False after ``timeout`` seconds."""
        key, event = (record.kind, record.region, record.name), asyncio.Event()
        watcher = (asyncio.get_running_loop(), event)
        with self._lock:
            newest = self.state(*key)
            if newest is None or newest[1] != record.version:
                return True
            self._watchers.setdefault(key, []).append(watcher)
        try:
            await asyncio.wait_for(event.wait(), timeout)
        except TimeoutError:
            return False
        finally:
            with self._lock:
                watchers = self._watchers.get(key, [])
                if watcher in watchers:
                    watchers.remove(watcher)
        return True

    @contextmanager
    def _write(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:  # whatever happened, the table must be as it was
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _put(self, record: Record) -> None:
        self._db.execute(
            f"INSERT OR REPLACE INTO records ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            (
                record.kind,
                record.region,
                record.name,
                record.arn,
                record.status,
                record.created,
                record.modified,
                record.version,
                json.dumps(record.request),
                json.dumps(record.facts),
                json.dumps(record.private),
            ),
        )

    def _add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            self._db.execute(
                "INSERT INTO tags VALUES (?1, (SELECT count(*) FROM tags WHERE arn=?1), ?2, ?3)"
                " ON CONFLICT (arn, key) DO UPDATE SET value=?3",
                (arn, key, value),
            )

    def _tell(self, record: Record) -> None:
        with self._lock:
            watchers = self._watchers.pop((record.kind, record.region, record.name), [])
        for loop, event in watchers:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        for listener in self._listeners:
            listener(record)


def _record(row: tuple[Any, ...]) -> Record:
    kind, region, name, arn, status, created, modified, version, request, facts, private = row
    return Record(
        Kind(kind),
        region,
        name,
        arn,
        Status(status),
        created,
        modified,
        json.loads(request),
        json.loads(facts),
        json.loads(private),
        version,
    )
