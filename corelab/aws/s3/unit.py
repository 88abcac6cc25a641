"""One S3 request as one unit of work: what it read stays the same object, what it changed is written together.

begin ─▶ moto works on keys loaded from the index ─▶ commit (2xx) or nothing
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from corelab.store.blobs import Content
from corelab.store.index import Bucket, Change, ObjectIndex, Part, Upload, Version

Name = tuple[str, str]  # bucket, key


class Loaded(Protocol):
    """A key or delete marker of moto's that knows the row it came from."""

    origin: Version | None

    def row(self, writer: str) -> Version: ...


Loader = Callable[[Sequence[Version]], list[Any]]


class Unit:
    """Everything one request has touched."""

    def __init__(self, index: ObjectIndex, writer: str, load: Loader) -> None:
        self.index = index
        self.writer = writer
        self._load = load
        self.denies: Callable[[str], bool] = lambda resource: False  # may not delete this object
        self.check_form: Callable[[str | None, str], None] = lambda access_key, key: None
        self.quiet = False  # a DeleteObjects that wants to hear of failures only
        self.incoming: Content | None = None  # the request's body, read before moto ran
        self.checksums: dict[str, str] = {}  # of that body, base64 by algorithm
        self._now: dict[Name, list[Any]] = {}
        self._before: dict[Name, list[Version]] = {}
        self._buckets: dict[str, Bucket | None] = {}
        self._uploads: list[Upload] = []
        self._parts: list[Part] = []
        self._ended: list[str] = []
        self._fresh: list[Content] = []

    def versions(self, name: Name) -> list[Any]:
        """The key's versions as this request sees them, oldest first."""
        if name not in self._now:
            self._before[name] = self.index.versions(*name)
            self._now[name] = self._load(self._before[name])
        return self._now[name]

    def replace(self, name: Name, versions: Sequence[Any]) -> None:
        self.versions(name)
        self._now[name] = list(versions)

    def keep(self, content: Content) -> Content:
        """Note a new body, to be thrown away if no row comes to name it."""
        self._fresh.append(content)
        return content

    def put_bucket(self, bucket: Bucket) -> None:
        self._buckets[bucket.name] = bucket

    def remove_bucket(self, name: str) -> None:
        self._buckets[name] = None

    def begin_upload(self, upload: Upload) -> None:
        self._uploads.append(upload)

    def add_part(self, part: Part) -> None:
        self._parts.append(part)

    def end_upload(self, upload: str) -> None:
        self._ended.append(upload)

    @property
    def touches_buckets(self) -> bool:
        return bool(self._buckets)

    def commit(self) -> None:
        """Write all changes in one transaction. Raises what ``ObjectIndex.change`` raises."""
        if not (self._now or self._buckets or self._uploads or self._parts or self._ended):
            return
        with self.index.change() as change:
            self._write_buckets(change)
            for name, versions in self._now.items():
                self._write_versions(change, name, versions)
            for upload in self._uploads:
                change.put_upload(upload)
            for part in self._parts:
                change.put_part(part)
            for ended in self._ended:
                change.remove_upload(ended)

    def discard(self) -> None:
        """Throw away new bodies that no row names; called once, after commit or instead of it."""
        blobs = {content.blob for content in self._fresh if content.blob is not None}
        if blobs:
            self.index.discard_unnamed(blobs)

    def _write_buckets(self, change: Change) -> None:
        for name, bucket in self._buckets.items():
            if bucket is None:
                change.remove_bucket(name)
            else:
                change.put_bucket(bucket)

    def _write_versions(self, change: Change, name: Name, versions: Sequence[Loaded]) -> None:
        # Told apart by where they came from: a new null version may stand where an old one stood.
        kept = {version.origin.id for version in versions if version.origin is not None}
        for before in self._before[name]:
            if before.id not in kept:
                change.remove(*name, before.id)
        for version in versions:
            row = version.row(self.writer)
            if version.origin is None:
                change.put(row)
            elif row.detail != version.origin.detail:
                change.amend(row)


_local = threading.local()


@contextmanager
def begin(index: ObjectIndex, writer: str, load: Loader) -> Iterator[Unit]:
    """Make a unit the current one of this thread until the block ends; committing is the caller's."""
    unit = Unit(index, writer, load)
    outer = getattr(_local, "unit", None)
    _local.unit = unit
    try:
        yield unit
    finally:
        _local.unit = outer
        unit.discard()


def current() -> Unit:
    """The unit of work of the request this thread answers. Raises LookupError outside of one."""
    unit = getattr(_local, "unit", None)
    if unit is None:
        raise LookupError("no S3 request is being answered by this thread")
    return unit  # type: ignore[no-any-return]
