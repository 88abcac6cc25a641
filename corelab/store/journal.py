"""The request journal: what was asked of services whose state lives in memory, to be asked again at start."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, field
from typing import Any

from corelab.store.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, service TEXT NOT NULL, region TEXT NOT NULL, subject TEXT NOT NULL,
    at REAL NOT NULL, seed INTEGER NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,
    headers TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS requests_by_subject ON requests (service, region, subject);
CREATE TABLE IF NOT EXISTS sessions (
    access_key TEXT PRIMARY KEY, secret TEXT NOT NULL, token TEXT NOT NULL, principal TEXT NOT NULL,
    user_id TEXT NOT NULL, expires REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS alarm_states (
    region TEXT NOT NULL, alarm TEXT NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL, data TEXT NOT NULL,
    updated REAL NOT NULL, held_until REAL NOT NULL, PRIMARY KEY (region, alarm)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted request.

    ``subject`` names what it is about: a later request may take the place of all earlier ones about the same.
    ``at`` and ``seed`` are the clock and the source of identifiers it was answered with.
    """

    service: str
    region: str
    subject: str
    at: float
    seed: int
    method: str
    path: str
    query: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials and who holds them."""

    access_key: str
    secret: str
    token: str
    principal: str
    user_id: str
    expires: float


@dataclass(frozen=True, slots=True)
class AlarmState:
    value: str
    reason: str
    data: str
    updated: float
    held_until: float = 0.0  # set by hand, and not looked at again before


class Journal:
    """Accepted requests, sessions and alarm states on disk. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, service: str) -> list[Entry]:
        """Requests of a service in the order they were accepted."""
        query = (
            "SELECT service, region, subject, at, seed, method, path, query, headers, body"
            " FROM requests WHERE service = ? ORDER BY id"
        )
        with self._database.read() as connection:
            rows = connection.execute(query, (service,)).fetchall()
        return [_entry(row) for row in rows]

    def append(self, entry: Entry, *, supersede: bool = False) -> None:
        """Add a request; with ``supersede`` in place of all earlier ones about its subject."""
        with self._database.write() as connection:
            if supersede:
                _forget(connection, entry.service, entry.region, entry.subject)
            connection.execute(
                "INSERT INTO requests VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.service,
                    entry.region,
                    entry.subject,
                    entry.at,
                    entry.seed,
                    entry.method,
                    entry.path,
                    entry.query,
                    json.dumps(entry.headers),
                    entry.body,
                ),
            )

    def forget(self, service: str, region: str, subject: str) -> None:
        """Drop all requests about a subject."""
        with self._database.write() as connection:
            _forget(connection, service, region, subject)

    def open_session(self, session: Session) -> None:
        with self._database.write() as connection:
            # The only moment that adds sessions is a good one to let old ones go.
            connection.execute("DELETE FROM sessions WHERE expires < ?", (time.time(),))
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
                (
                    session.access_key,
                    session.secret,
                    session.token,
                    session.principal,
                    session.user_id,
                    session.expires,
                ),
            )

    def session(self, access_key: str) -> Session | None:
        """The session of a key, expired ones too while they are remembered."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM sessions WHERE access_key = ?", (access_key,)).fetchone()
        return Session(*row) if row is not None else None

    def alarm_state(self, region: str, alarm: str) -> AlarmState | None:
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT value, reason, data, updated, held_until FROM alarm_states"
                " WHERE region = ? AND alarm = ?",
                (region, alarm),
            ).fetchone()
        return AlarmState(*row) if row is not None else None

    def set_alarm_state(self, region: str, alarm: str, state: AlarmState | None) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM alarm_states WHERE region = ? AND alarm = ?", (region, alarm))
            if state is not None:
                connection.execute(
                    "INSERT INTO alarm_states VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (region, alarm, state.value, state.reason, state.data, state.updated, state.held_until),
                )


def _entry(row: tuple[Any, ...]) -> Entry:
    service, region, subject, at, seed, method, path, query, headers, body = row
    return Entry(service, region, subject, at, seed, method, path, query, json.loads(headers), body)


def _forget(connection: sqlite3.Connection, service: str, region: str, subject: str) -> None:
    connection.execute(
        "DELETE FROM requests WHERE service = ? AND region = ? AND subject = ?", (service, region, subject)
    )
