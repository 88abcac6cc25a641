"""The index of S3: every bucket, object version and unfinished upload as a row; bodies by reference.

A row is the truth: what has no row does not exist, whatever files lie about.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from corelab.store.blobs import BlobFolder, Content
from corelab.store.contract import ObjectNotFound
from corelab.store.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, region TEXT NOT NULL, created REAL NOT NULL, versioning TEXT, detail TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS versions (
    id INTEGER PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key BLOB NOT NULL, -- UTF-8, compared byte by byte as S3 orders keys
    version TEXT NOT NULL,
    latest INTEGER NOT NULL,
    marker INTEGER NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    etag TEXT NOT NULL,
    modified REAL NOT NULL,
    writer TEXT NOT NULL,
    detail TEXT NOT NULL,
    blob TEXT,
    inline BLOB,
    UNIQUE (bucket, key, version)
) STRICT;
CREATE VIEW IF NOT EXISTS heads AS
    SELECT id, bucket, key, version, latest, marker, size, md5, etag, modified, writer, detail, blob,
        NULL AS inline FROM versions;
CREATE INDEX IF NOT EXISTS latest_versions ON versions (bucket, key) WHERE latest;
CREATE INDEX IF NOT EXISTS version_blobs ON versions (blob) WHERE blob IS NOT NULL;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets (name),
    key BLOB NOT NULL, started REAL NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    size INTEGER NOT NULL, md5 TEXT NOT NULL, modified REAL NOT NULL, checksum TEXT,
    blob TEXT, inline BLOB, PRIMARY KEY (upload, number)
) STRICT;
CREATE INDEX IF NOT EXISTS part_blobs ON parts (blob) WHERE blob IS NOT NULL;
"""

NULL_VERSION = "null"


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    region: str
    created: float
    versioning: str | None = None  # None | Enabled | Suspended
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object; without content it is a delete marker."""

    bucket: str
    key: str
    id: str
    content: Content | None
    etag: str
    modified: float
    writer: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that is neither complete nor aborted."""

    id: str
    bucket: str
    key: str
    started: float
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    upload: str
    number: int
    content: Content
    modified: float
    checksum: str | None = None  # base64, by the algorithm the upload was begun with


class ObjectIndex:
    """Reads rows at any time; changes them through one transaction at a time."""

    def __init__(self, database: Database, blobs: BlobFolder) -> None:
        self._database = database
        self.blobs = blobs

    def buckets(self) -> list[Bucket]:
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM buckets ORDER BY name").fetchall()
        return [_bucket(row) for row in rows]

    def bucket(self, name: str) -> Bucket:
        """Raises ObjectNotFound."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM buckets WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise ObjectNotFound(name)
        return _bucket(row)

    def holds(self, bucket: str) -> bool:
        """Whether the bucket has any version, marker or not."""
        with self._database.read() as connection:
            query = "SELECT 1 FROM versions WHERE bucket = ? LIMIT 1"
            return connection.execute(query, (bucket,)).fetchone() is not None

    def versions(self, bucket: str, key: str) -> list[Version]:
        """All versions under the key, oldest first, bodies included."""
        query = "SELECT * FROM versions WHERE bucket = ? AND key = ? ORDER BY id"
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(query, (bucket, key.encode()))]

    def current(self, bucket: str, key: str) -> Version:
        """The version a plain GET answers. Raises ObjectNotFound, for a delete marker too."""
        query = "SELECT * FROM versions WHERE bucket = ? AND key = ? AND latest"
        with self._database.read() as connection:
            row = connection.execute(query, (bucket, key.encode())).fetchone()
        version = _version(row) if row is not None else None
        if version is None or version.content is None:
            raise ObjectNotFound(f"{bucket}/{key}")
        return version

    def page(self, bucket: str, prefix: str, start: bytes, limit: int) -> list[Version]:
        """Up to ``limit`` current objects whose key is not before ``start``, without their inline bodies."""
        stem = prefix.encode()
        query = (
            "SELECT * FROM heads WHERE bucket = ? AND latest AND NOT marker"
            " AND key >= ? AND (? IS NULL OR key < ?) ORDER BY key LIMIT ?"
        )
        end = range_end(stem)
        with self._database.read() as connection:
            rows = connection.execute(query, (bucket, max(stem, start), end, end, limit)).fetchall()
        return [_version(row) for row in rows]

    def all_versions(self, bucket: str, prefix: str, start: bytes) -> Iterator[tuple[Version, bool]]:
        """Every version of keys not before ``start``, a key's newest first; and whether it is the latest."""
        start, end = max(prefix.encode(), start), range_end(prefix.encode())
        query = (
            "SELECT * FROM heads WHERE bucket = ? AND key >= ?"
            " AND (? IS NULL OR key < ?) ORDER BY key, id DESC"
        )
        # A generator keeps one snapshot, whatever is written while a page is made.
        with self._database.read() as connection:
            for row in connection.execute(query, (bucket, start, end, end)):
                yield _version(row), bool(row[4])

    def upload(self, upload: str) -> Upload | None:
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM uploads WHERE id = ?", (upload,)).fetchone()
        return _upload(row) if row is not None else None

    def uploads(self, bucket: str) -> list[Upload]:
        with self._database.read() as connection:
            query = "SELECT * FROM uploads WHERE bucket = ? ORDER BY key, started"
            return [_upload(row) for row in connection.execute(query, (bucket,))]

    def parts(self, upload: str, after: int = 0, limit: int = -1) -> list[Part]:
        """Parts of an upload in order of number, from above ``after``."""
        query = "SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?"
        with self._database.read() as connection:
            return [_part(row) for row in connection.execute(query, (upload, after, limit))]

    def blob_ids(self) -> set[str]:
        """Every blob a row names."""
        query = (
            "SELECT blob FROM versions WHERE blob IS NOT NULL"
            " UNION SELECT blob FROM parts WHERE blob IS NOT NULL"
        )
        with self._database.read() as connection:
            return {blob for (blob,) in connection.execute(query)}

    def discard_unnamed(self, blobs: Iterable[str]) -> None:
        """Remove those of the blobs that no row names."""
        with self._database.exclusive(), self._database.read() as connection:
            self.blobs.discard(_unnamed(connection, blobs))

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Change rows together: on disk when the block has ended, and bodies without a row are gone."""
        # A blob goes before the next writer may look for it, else that one could refer to it.
        with self._database.exclusive():
            with self._database.write() as connection:
                change = Change(connection, self.blobs)
                yield change
                orphans = change.orphans()
            self.blobs.discard(orphans)


class Change:
    """Rows to write in one transaction.

    Raises sqlite3.IntegrityError when the bucket is missing, or not empty where it must be, and
    FileNotFoundError when a body has gone meanwhile.
    """

    def __init__(self, connection: sqlite3.Connection, blobs: BlobFolder) -> None:
        self._connection = connection
        self._blobs = blobs
        self._released: set[str] = set()

    def put_bucket(self, bucket: Bucket) -> None:
        self._connection.execute(
            "INSERT INTO buckets VALUES (?, ?, ?, ?, ?) ON CONFLICT (name)"
            " DO UPDATE SET versioning = excluded.versioning, detail = excluded.detail",
            (bucket.name, bucket.region, bucket.created, bucket.versioning, json.dumps(bucket.detail)),
        )

    def remove_bucket(self, name: str) -> None:
        """An empty bucket and its unfinished uploads."""
        uploads = self._connection.execute("SELECT id FROM uploads WHERE bucket = ?", (name,))
        for (upload,) in uploads.fetchall():
            self.remove_upload(upload)
        self._connection.execute("DELETE FROM buckets WHERE name = ?", (name,))

    def put(self, version: Version) -> None:
        """Add a version as the latest of its key, in place of one with the same id."""
        # Deleted and inserted anew, so that the row's number stays the order of writing.
        self._delete(version.bucket, version.key, version.id)
        where = (version.bucket, version.key.encode())
        self._connection.execute(
            "UPDATE versions SET latest = 0 WHERE bucket = ? AND key = ? AND latest", where
        )
        content = self._present(version.content or Content(0, ""))
        self._connection.execute(
            "INSERT INTO versions (bucket, key, version, latest, marker, size, md5, etag, modified, writer,"
            " detail, blob, inline) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *where,
                version.id,
                version.content is None,
                content.size,
                content.md5,
                version.etag,
                version.modified,
                version.writer,
                json.dumps(version.detail),
                content.blob,
                content.inline,
            ),
        )

    def amend(self, version: Version) -> None:
        """Change what is noted about a version, such as its tags; its body and place stay."""
        self._connection.execute(
            "UPDATE versions SET detail = ? WHERE bucket = ? AND key = ? AND version = ?",
            (json.dumps(version.detail), version.bucket, version.key.encode(), version.id),
        )

    def remove(self, bucket: str, key: str, version: str) -> None:
        """Take one version away for good; the next older one becomes the latest."""
        self._delete(bucket, key, version)
        self._connection.execute(
            "UPDATE versions SET latest = 1 WHERE id ="
            " (SELECT max(id) FROM versions WHERE bucket = ? AND key = ?) AND NOT latest",
            (bucket, key.encode()),
        )

    def put_upload(self, upload: Upload) -> None:
        self._connection.execute(
            "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)",
            (upload.id, upload.bucket, upload.key.encode(), upload.started, json.dumps(upload.detail)),
        )

    def put_part(self, part: Part) -> None:
        """Add a part, in place of an earlier one with its number; without its upload an IntegrityError."""
        old = self._connection.execute(
            "DELETE FROM parts WHERE upload = ? AND number = ? RETURNING blob", (part.upload, part.number)
        )
        self._release(old.fetchall())
        content = self._present(part.content)
        self._connection.execute(
            "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                part.upload,
                part.number,
                content.size,
                content.md5,
                part.modified,
                part.checksum,
                content.blob,
                content.inline,
            ),
        )

    def remove_upload(self, upload: str) -> None:
        blobs = self._connection.execute("SELECT blob FROM parts WHERE upload = ?", (upload,))
        self._release(blobs.fetchall())
        self._connection.execute("DELETE FROM uploads WHERE id = ?", (upload,))

    def orphans(self) -> list[str]:
        """Blobs that lost a row in this transaction and have no other."""
        return _unnamed(self._connection, self._released)

    def _delete(self, bucket: str, key: str, version: str) -> None:
        rows = self._connection.execute(
            "DELETE FROM versions WHERE bucket = ? AND key = ? AND version = ? RETURNING blob",
            (bucket, key.encode(), version),
        )
        self._release(rows.fetchall())

    def _present(self, content: Content) -> Content:
        if content.blob is not None:
            self._blobs.path(content.blob).stat()
        return content

    def _release(self, rows: list[tuple[str | None]]) -> None:
        self._released.update(blob for (blob,) in rows if blob is not None)


def _unnamed(connection: sqlite3.Connection, blobs: Iterable[str]) -> list[str]:
    query = (
        "SELECT EXISTS (SELECT 1 FROM versions WHERE blob = ?) OR EXISTS (SELECT 1 FROM parts WHERE blob = ?)"
    )
    return [blob for blob in blobs if not connection.execute(query, (blob, blob)).fetchone()[0]]


def after(key: str) -> bytes:
    """The least that sorts after the key."""
    return key.encode() + b"\x00"


def range_end(prefix: bytes) -> bytes | None:
    """The first key after all that start with ``prefix``; None when nothing sorts after them."""
    # 0xff has no successor: the byte before it moves on instead.
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def _bucket(row: tuple[Any, ...]) -> Bucket:
    name, region, created, versioning, detail = row
    return Bucket(name, region, created, versioning, json.loads(detail))


def _version(row: tuple[Any, ...]) -> Version:
    _, bucket, key, version, _, marker, size, md5, etag, modified, writer, detail, blob, inline = row
    content = None if marker else Content(size, md5, inline=inline, blob=blob)
    return Version(bucket, key.decode(), version, content, etag, modified, writer, json.loads(detail))


def _upload(row: tuple[Any, ...]) -> Upload:
    upload, bucket, key, started, detail = row
    return Upload(upload, bucket, key.decode(), started, json.loads(detail))


def _part(row: tuple[Any, ...]) -> Part:
    upload, number, size, md5, modified, checksum, blob, inline = row
    return Part(upload, number, Content(size, md5, inline=inline, blob=blob), modified, checksum)
