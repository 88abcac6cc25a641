"""The record of every API call: who asked for what, when, and how it went."""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, seconds REAL NOT NULL, service TEXT NOT NULL,
  operation TEXT NOT NULL, region TEXT NOT NULL, access_key TEXT NOT NULL, caller TEXT NOT NULL,
  resource TEXT NOT NULL, status INTEGER NOT NULL, error TEXT NOT NULL, bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL, client TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS journal_by_operation ON journal (service, operation);
CREATE INDEX IF NOT EXISTS journal_by_resource ON journal (resource, at);
CREATE INDEX IF NOT EXISTS journal_by_error ON journal (id) WHERE error != '';
"""
_MOST_ROWS = 500_000
_PRUNE_EVERY = 10_000
_GATHER_SECONDS = 0.2  # a commit for each call would cost a quick endpoint half of its speed


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls to look up; what is None does not matter. ``after`` and ``before`` are epoch seconds."""

    service: str | None = None
    operation: str | None = None
    resource: str | None = None
    region: str | None = None
    after: float | None = None
    before: float | None = None
    failed: bool = False

    def condition(self) -> tuple[str, list[Any]]:
        """SQL and its values."""
        rows = (
            ("service = ?", self.service),
            ("operation = ?", self.operation),
            ("resource = ?", self.resource),
            ("region = ?", self.region),
            ("at >= ?", self.after),
            ("at < ?", self.before),
        )
        given = [(sql, value) for sql, value in rows if value is not None]
        failed = ["error != ''"] if self.failed else []
        return " AND ".join(["1=1", *(sql for sql, _ in given), *failed]), [value for _, value in given]


@dataclass(frozen=True, slots=True)
class Call:
    """One API call. ``error`` is AWS's code, empty when it succeeded; times are epoch seconds."""

    at: float
    seconds: float
    service: str
    operation: str
    region: str = ""
    access_key: str = ""
    caller: str = ""
    resource: str = ""  # a job's name, bucket/key, ...
    status: int = 200
    error: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    client: str = ""  # the User-Agent
    detail: Mapping[str, Any] = field(default_factory=dict)


_COLUMNS = ", ".join(f.name for f in fields(Call))
_PLAIN = attrgetter(*(f.name for f in fields(Call) if f.name != "detail"))


class Journal:
    """Appends calls in the background, so that writing them down costs the caller nothing.

    What was acknowledged less than a moment before a kill may be missing here; the resources themselves never are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[Call | threading.Event | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        with self._open() as db:
            db.executescript(_SCHEMA)
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def add(self, call: Call) -> None:
        self._queue.put(call)

    def flush(self) -> None:
        """Return once everything added so far can be read."""
        written = threading.Event()
        self._queue.put(written)
        self._hurry.set()
        written.wait(10)

    def close(self) -> None:
        self._queue.put(None)
        self._hurry.set()
        self._writer.join(10)

    def find(self, service: str | None = None, operation: str | None = None, limit: int = 1000) -> list[Call]:
        """The newest calls first."""
        return self.search(Wanted(service, operation), limit)

    def search(self, wanted: Wanted, limit: int = 1000) -> list[Call]:
        """The newest calls that fit, the newest first."""
        self.flush()
        where, values = wanted.condition()
        sql = f"SELECT {_COLUMNS} FROM journal WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608 (own columns)
        with closing(self._open()) as db:
            rows = db.execute(sql, (*values, limit)).fetchall()
        return [Call(*(*row[:-1], json.loads(row[-1]))) for row in rows]

    def tally(self, wanted: Wanted) -> tuple[int, int, dict[str, int]]:
        """How many calls fit, how many bytes they moved both ways, and how often each error was the answer."""
        self.flush()
        where, values = wanted.condition()
        sql = (
            "SELECT error, count(*), sum(bytes_in + bytes_out) FROM journal"  # noqa: S608 (own columns)
            f" WHERE {where} GROUP BY error"
        )
        with closing(self._open()) as db:
            rows = db.execute(sql, values).fetchall()
        errors = {error: count for error, count, _ in rows if error}
        return sum(row[1] for row in rows), sum(row[2] for row in rows), errors

    def needs(self, caller: str | None = None) -> set[tuple[str, str]]:
        """Every permission, (action, resource), that the calls of this ARN, or of anybody, took and had."""
        self.flush()
        sql = (
            "SELECT DISTINCT json_extract(detail, '$.needs') FROM journal"
            " WHERE error NOT LIKE 'AccessDenied%' AND caller = coalesce(?, caller)"
        )
        with closing(self._open()) as db:
            rows = db.execute(sql, (caller,)).fetchall()
        return {(action, resource) for (needs,) in rows if needs for action, resource in json.loads(needs)}

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=10)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        return db

    def _write(self) -> None:
        db = self._open()
        count, ended = 0, False
        while not ended:
            calls, waiting, ended = self._drain()
            try:
                _insert(db, calls)
                count += len(calls)
                if count >= _PRUNE_EVERY:
                    db.execute(
                        "DELETE FROM journal WHERE id <= (SELECT max(id) FROM journal) - ?", (_MOST_ROWS,)
                    )
                    db.commit()
                    count = 0
            except sqlite3.Error:  # a full disk: calls go on unrecorded rather than fail
                db.rollback()
            for event in waiting:
                event.set()
        db.close()

    def _drain(self) -> tuple[list[Call], list[threading.Event], bool]:
        calls: list[Call] = []
        waiting: list[threading.Event] = []
        entry = self._queue.get()
        self._hurry.wait(_GATHER_SECONDS)
        self._hurry.clear()
        while entry is not None:
            if isinstance(entry, Call):
                calls.append(entry)
            else:
                waiting.append(entry)
            if self._queue.empty():
                return calls, waiting, False
            entry = self._queue.get()
        return calls, waiting, True


def _insert(db: sqlite3.Connection, calls: list[Call]) -> None:
    marks = ",".join("?" * len(fields(Call)))
    rows = [(*_PLAIN(call), json.dumps(dict(call.detail))) for call in calls]
    db.executemany(f"INSERT INTO journal ({_COLUMNS}) VALUES ({marks})", rows)  # noqa: S608 (own columns)
    db.commit()
