"""What an S3 data source stands for: which objects, and where each lands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from corelab.store.contract import ObjectNotFound, ObjectStore

_MANIFEST_LIMIT = 64 << 20


class BadSource(Exception):
    """The data source cannot be read as what it says it is; the text says why."""


@dataclass(frozen=True, slots=True)
class S3Uri:
    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Uri:
        """Raises BadSource for anything but ``s3://bucket/key``."""
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            raise BadSource(f"expected s3://bucket/prefix, got {uri!r}")
        return cls(parts.netloc, uri[len("s3://") + len(parts.netloc) :].removeprefix("/"))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def joined(self, *parts: str) -> S3Uri:
        """A key below this one, with no doubled slash at the seam."""
        return S3Uri(self.bucket, "/".join([self.key.rstrip("/"), *parts]).lstrip("/"))


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a source: its key, its size and its path below the channel's folder."""

    bucket: str
    key: str
    size: int
    relative: str


def relative_name(prefix: str, key: str) -> str:
    """The key's path below the prefix: its basename when the prefix is the key; a prefix that cuts a name
    in the middle counts from its last slash (Service spec 7, Fact 34)."""
    if key == prefix:
        return key.rpartition("/")[2]
    if prefix == "" or prefix.endswith("/") or key[len(prefix)] == "/":
        return key[len(prefix) :].lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def items(objects: ObjectStore, uri: str, data_type: str = "S3Prefix") -> Iterator[Item]:
    """The objects of a source in key order. Folder markers are left out.

    Raises BadSource for a manifest that cannot be read, ObjectNotFound for a bucket that is not there.
    """
    source = S3Uri.parse(uri)
    if data_type == "S3Prefix":
        yield from _under(objects, source)
    elif data_type == "ManifestFile":
        yield from _listed(objects, source)
    else:
        raise BadSource(
            f"S3DataType {data_type} is not supported by this algorithm: use S3Prefix or ManifestFile"
        )


def safe_path(relative: str) -> PurePosixPath:
    """The relative path, when it stays in its folder on every system. Raises BadSource."""
    path = PurePosixPath(relative)
    bad = path.is_absolute() or not path.parts or any(
        part == ".." or "\\" in part or ":" in part or "\0" in part or len(part.encode()) > 255 for part in path.parts
    )  # fmt: skip
    if bad:
        raise BadSource(f"the key {relative!r} cannot be laid out as a file")
    return path


def shard(found: Sequence[Item], hosts: int, index: int) -> list[Item]:
    """The items host ``index`` of ``hosts`` gets under ShardedByS3Key: whole objects in turn."""
    return [item for position, item in enumerate(found) if position % hosts == index]


def _under(objects: ObjectStore, source: S3Uri) -> Iterator[Item]:
    for found in objects.list(source.bucket, source.key):
        relative = relative_name(source.key, found.key)
        if relative and not found.key.endswith("/"):
            yield Item(found.bucket, found.key, found.size, relative)


def _listed(objects: ObjectStore, source: S3Uri) -> Iterator[Item]:
    with objects.open(source.bucket, source.key) as stream:
        raw = stream.read(_MANIFEST_LIMIT + 1)
    try:
        manifest: Any = json.loads(raw) if len(raw) <= _MANIFEST_LIMIT else None
        prefix, names = manifest[0]["prefix"], manifest[1:]
        well_formed = isinstance(prefix, str) and all(isinstance(name, str) for name in names)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        well_formed = False
    if not well_formed:
        raise BadSource(
            f'{source} is not a manifest such as [{{"prefix": "s3://bucket/folder/"}}, "a.csv", "b.csv"]'
        )
    base = S3Uri.parse(prefix)
    for name in names:
        key = base.key + name
        found = next((o for o in objects.list(base.bucket, key) if o.key == key), None)
        if found is None:
            raise ObjectNotFound(f"s3://{base.bucket}/{key}")
        yield Item(base.bucket, key, found.size, name)
