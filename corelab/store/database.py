"""One SQLite file in WAL mode: one writer at a time, readers that never wait for it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from corelab.errors import ServerError

VERSION = 1


class Database:
    """Threads share it freely; one process at a time, which the home's lock ensures.

    Args:
        path: the file; made when absent, its folder must exist.
        schema: statements that may run at every start (``CREATE ... IF NOT EXISTS``).
        survives_power_loss: sync the disk at every commit. Without it a commit survives the death of the
            process but not, within the last moments, that of the machine.
    """

    def __init__(self, path: Path, schema: str, *, survives_power_loss: bool) -> None:
        self._path = path
        self._synchronous = "FULL" if survives_power_loss else "NORMAL"
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        try:
            self._writer = self._connect()
            _prepare(self._writer, schema)
        except (sqlite3.Error, ServerError) as error:
            raise ServerError(f"{path} cannot be used: {error}. Move it away or reset the home.") from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees the last commit."""
        try:
            # list.pop is atomic, so threads need no lock to share what is idle.
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            self._idle.append(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Lend the writer inside a transaction: on disk when the block has ended, undone when it raised."""
        with self._lock:
            # IMMEDIATE takes the write lock now; a deferred one could find it taken at its first write.
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                # A failed COMMIT, as on a full disk, leaves the transaction open too.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep all other writers out, across several transactions."""
        with self._lock:
            yield

    def close(self) -> None:
        """Wait for the running write, then close; nobody may read any more."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            with closing(connection.execute("PRAGMA journal_mode = WAL")):
                pass
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _prepare(connection: sqlite3.Connection, schema: str) -> None:
    """Make what is missing in the file; closes the connection if the file is not ours."""
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise ServerError(f"expected version {VERSION} of the file, found {version}")
        connection.executescript(schema)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except (sqlite3.Error, ServerError):
        connection.close()
        raise
