"""S3's objects for the server itself: the same rows and bodies the S3 service answers from."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from corelab.store.blobs import Content
from corelab.store.contract import SERVICE, ObjectNotFound, StoredObject
from corelab.store.index import NULL_VERSION, Bucket, ObjectIndex, Version, after

if TYPE_CHECKING:
    from corelab.store.contract import ObjectStore

PAGE = 1000
_T = TypeVar("_T")


class Objects:
    """The object store on disk. Safe to share between threads."""

    def __init__(self, index: ObjectIndex) -> None:
        self._index = index

    @property
    def index(self) -> ObjectIndex:
        """For listings by delimiter, which cost their own entries only (corelab.aws.s3.listing)."""
        return self._index

    def bucket_region(self, bucket: str) -> str | None:
        try:
            return self._index.bucket(bucket).region
        except ObjectNotFound:
            return None

    def create_bucket(self, bucket: str, region: str) -> None:
        if self.bucket_region(bucket) is None:
            with self._index.change() as change:
                change.put_bucket(Bucket(bucket, region, time.time()))

    def list(self, bucket: str, prefix: str = "") -> Iterator[StoredObject]:
        self._index.bucket(bucket)
        start = b""
        while page := self._index.page(bucket, prefix, start, PAGE):
            yield from map(_stored, page)
            start = after(page[-1].key)

    def head(self, bucket: str, key: str) -> StoredObject:
        return _stored(self._index.current(bucket, key))

    def open(self, bucket: str, key: str) -> BinaryIO:
        return self._with_content(bucket, key, self._index.blobs.open)

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        self._with_content(bucket, key, lambda content: self._lay(content, target))

    def put_file(
        self,
        bucket: str,
        key: str,
        source: Path,
        content_type: str = "binary/octet-stream",
        *,
        move: bool = False,
        writer: str = SERVICE,
    ) -> None:
        self._index.bucket(bucket)  # before a file is moved for nothing
        self._put(bucket, key, self._index.blobs.adopt(source, move=move), content_type, writer)

    def put_bytes(
        self,
        bucket: str,
        key: str,
        body: bytes,
        content_type: str = "binary/octet-stream",
        *,
        writer: str = SERVICE,
    ) -> None:
        self._index.bucket(bucket)
        self._put(bucket, key, self._index.blobs.store(body), content_type, writer)

    def _put(self, bucket: str, key: str, content: Content, content_type: str, writer: str) -> None:
        # Suspended versioning writes the null version, as no versioning does.
        versioning = self._index.bucket(bucket).versioning
        version = uuid.uuid4().hex if versioning == "Enabled" else NULL_VERSION
        detail = {"metadata": {"Content-Type": content_type}}
        try:
            with self._index.change() as change:
                change.put(Version(bucket, key, version, content, content.md5, time.time(), writer, detail))
        except sqlite3.Error as error:
            self._index.blobs.discard([content.blob] if content.blob else [])
            if isinstance(error, sqlite3.IntegrityError):  # the bucket went meanwhile
                raise ObjectNotFound(bucket) from error
            raise

    def _with_content(self, bucket: str, key: str, use: Callable[[Content], _T]) -> _T:
        while True:
            content = self._index.current(bucket, key).content
            assert content is not None
            try:
                return use(content)
            except FileNotFoundError:
                # Replaced between the look at its row and the look at its file; else it is a real loss.
                if self._index.current(bucket, key).content == content:
                    raise

    def _lay(self, content: Content, target: Path) -> None:
        # Never write through what is there: it may be a link to another object's body.
        target.unlink(missing_ok=True)
        if content.blob is None:
            target.write_bytes(content.inline or b"")
            return
        blob = self._index.blobs.path(content.blob)
        if not _linked(blob, target):
            shutil.copyfile(blob, target)


def _linked(blob: Path, target: Path) -> bool:
    """Link where the disk can, and where the blob is read-only, so that nobody writes into the store."""
    if os.name != "posix":
        return False
    try:
        os.link(blob, target)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or a file system without links
        return False
    return True


def _stored(version: Version) -> StoredObject:
    assert version.content is not None
    return StoredObject(
        version.bucket, version.key, version.content.size, version.etag, version.modified, version.writer
    )


if TYPE_CHECKING:

    def _proof(objects: Objects) -> ObjectStore:
        return objects
