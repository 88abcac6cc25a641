"""moto's keys and delete markers as views of index rows."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from moto.core.utils import utcfromtimestamp
from moto.s3.models import FakeAcl, FakeDeleteMarker, FakeGrant, FakeGrantee, FakeKey, get_canned_acl
from moto.utilities.utils import LowercaseDict

from corelab.aws.embedded import ACCOUNT, DEFAULT_REGION, PARTITION
from corelab.aws.s3.body import Body
from corelab.aws.s3.unit import Unit, current
from corelab.store.blobs import Content
from corelab.store.index import NULL_VERSION, Version

_PLAIN = {
    "storage": "_storage_class",
    "encryption": "encryption",
    "kms_key": "kms_key_id",
    "bucket_key": "bucket_key_enabled",
    "lock_mode": "lock_mode",
    "legal_hold": "lock_legal_status",
    "lock_until": "lock_until",
    "website": "website_redirect_location",
    "checksum_algorithm": "checksum_algorithm",
    "checksum": "checksum_value",
    "checksum_type": "checksum_type",
    "checksum_parts": "checksum_parts",
}
_DEFAULTS = {"storage": "STANDARD"}


class PartSizes:
    """What stays of a multipart upload in the finished object."""

    def __init__(self, upload: str, sizes: list[int]) -> None:
        self.id = upload
        self.sizes = sizes

    def dispose(self) -> None:
        """moto's word for closing files; there are none."""


class StoredKey(FakeKey):
    """A key whose body is a stored content, and whose every other property fits a row's detail."""

    origin: Version | None = None
    is_latest = False  # as a listing of versions found it
    tags: dict[str, str | None]
    _content: Content

    @classmethod
    def of(cls, version: Version, unit: Unit) -> StoredKey:
        """The key a row describes."""
        assert version.content is not None
        key = cast(StoredKey, cls.__new__(cls))
        detail = version.detail
        key.__dict__.update(_blank(unit))
        key.__dict__.update(
            name=version.key,
            bucket_name=version.bucket,
            last_modified=utcfromtimestamp(version.modified),  # type: ignore[arg-type]
            origin=version,
            tags=dict(detail.get("tags", {})),
            acl=read_acl(detail.get("acl")),
            contentsize=version.content.size,
            _content=version.content,
            _metadata=LowercaseDict(detail.get("metadata", {})),
            _etag=version.etag,
            _version_id=version.id,
            _is_versioned=version.id != NULL_VERSION,
        )
        for name, attribute in _PLAIN.items():
            setattr(key, attribute, detail.get(name, _DEFAULTS.get(name)))
        if "upload" in detail:
            key.multipart = PartSizes(**detail["upload"])  # type: ignore[assignment]
        return key

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._unit = current()
        self.tags = {}
        super().__init__(*args, **kwargs)
        self._value_buffer.close()  # moto's place for the body

    @property
    def value(self) -> Any:
        return Body(self._unit.index.blobs, self._content)

    @value.setter
    def value(self, new: Body | bytes | str) -> None:
        unit = self._unit
        if isinstance(new, str):
            new = new.encode()
        if isinstance(new, Body):
            content = new.content if new.whole else unit.keep(new.stored())
        elif unit.incoming is not None and not new:
            content = unit.incoming
        else:
            content = unit.keep(unit.index.blobs.store(new))
        self._content = content
        self.contentsize = content.size
        self._etag = self.__dict__.get("_etag") or content.md5

    @property
    def content(self) -> Content:
        return self._content

    def row(self, writer: str) -> Version:
        """The row that describes this key as it is now; an old key keeps its writer."""
        modified = self.last_modified.replace(tzinfo=datetime.UTC).timestamp()
        if self.origin is not None:
            writer, modified = self.origin.writer, self.origin.modified
        assert self.bucket_name is not None
        etag = self.etag.strip('"')
        return Version(
            self.bucket_name,
            self.name,
            self.version_id,
            self._content,
            etag,
            modified,
            writer,
            self._detail(),
        )

    def advance(self) -> None:
        """moto counts looks at a key to play out a restore; a row does not change by being read."""

    def dispose(self, garbage: bool = False) -> None:
        """Nothing to close."""

    def __del__(self) -> None:
        """Nothing to close, so nothing to warn of."""

    def _detail(self) -> dict[str, Any]:
        detail: dict[str, Any] = {"metadata": dict(self._metadata)}
        for name, attribute in _PLAIN.items():
            value = getattr(self, attribute)
            if value is not None and value != _DEFAULTS.get(name):
                detail[name] = value
        if self.tags:
            detail["tags"] = self.tags
        if (acl := write_acl(self.acl)) is not None:
            detail["acl"] = acl
        # A copy is a new object in one part, though moto hands it the note of its source.
        if self.multipart is not None and "-" in self.etag:
            upload = cast(PartSizes, self.multipart)
            detail["upload"] = {"upload": upload.id, "sizes": upload.sizes}
        return detail


class StoredMarker(FakeDeleteMarker):
    """A delete marker and the row it came from; a new one is made without."""

    origin: Version | None = None
    is_latest = False

    @classmethod
    def of(cls, version: Version) -> StoredMarker:
        marker = cast(StoredMarker, cls.__new__(cls))
        marker.key = None  # type: ignore[assignment]
        marker.name = version.key
        marker.last_modified = utcfromtimestamp(version.modified)  # type: ignore[arg-type]
        marker._version_id = version.id
        marker.bucket_name = version.bucket
        marker.origin = version
        return marker

    @classmethod
    def new(cls, bucket: str, key: str) -> StoredMarker:
        """A marker for a key that may have no version yet."""
        return cls(StoredMarker.of(Version(bucket, key, "", None, "", 0.0, "")))

    def __init__(self, key: Any) -> None:
        super().__init__(key)
        self.bucket_name: str = key.bucket_name

    def row(self, writer: str) -> Version:
        if self.origin is not None:
            return self.origin
        modified = self.last_modified.replace(tzinfo=datetime.UTC).timestamp()
        return Version(self.bucket_name, self.name, self.version_id, None, "", modified, writer)

    def dispose(self, garbage: bool = False) -> None:
        """Nothing to close."""


def load(versions: Sequence[Version]) -> list[StoredKey | StoredMarker]:
    """moto's objects for rows, within the current unit of work."""
    unit = current()
    return [StoredMarker.of(row) if row.content is None else StoredKey.of(row, unit) for row in versions]


class KeyTable:
    """A bucket's keys, as moto's versioned dictionary would offer them, read from the index when asked for."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def __contains__(self, key: str) -> bool:
        return bool(current().versions((self._bucket, key)))

    def __getitem__(self, key: str) -> Any:
        if versions := current().versions((self._bucket, key)):
            return versions[-1]
        raise KeyError(key)

    def __setitem__(self, key: str, version: Any) -> None:
        name = (self._bucket, key)
        current().replace(name, [*current().versions(name), version])

    def __len__(self) -> int:
        return int(current().index.holds(self._bucket))

    def get(self, key: str, default: Any = None) -> Any:
        versions = current().versions((self._bucket, key))
        return versions[-1] if versions else default

    def getlist(self, key: str, default: Any = None) -> Any:
        return current().versions((self._bucket, key)) or default

    def setlist(self, key: str, versions: list[Any]) -> None:
        current().replace((self._bucket, key), versions)

    def pop(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        current().replace((self._bucket, key), [])


class ObjectTags(Mapping[str, Any]):
    """moto's table of tags by ARN, kept with the keys themselves; buckets' tags lie in a plain one."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[str, str | None]] = {}

    def __getitem__(self, arn: str) -> dict[str, str | None]:
        key = _find(arn)
        return self._buckets[arn] if key is None else key.tags

    def __setitem__(self, arn: str, tags: dict[str, str | None]) -> None:
        key = _find(arn)
        if key is None:
            self._buckets[arn] = tags
        else:
            # moto fills the dictionary it has just put here, so it must be this very one.
            key.tags = tags

    def __delitem__(self, arn: str) -> None:
        key = _find(arn)
        if key is None:
            del self._buckets[arn]
        else:
            key.tags = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._buckets)

    def __len__(self) -> int:
        return len(self._buckets)


def _find(arn: str) -> StoredKey | None:
    """The key behind ``arn:aws:s3:::bucket/key/version``, None for a bucket's ARN."""
    bucket, slash, rest = arn.partition(":::")[2].partition("/")
    if not slash:
        return None
    key, _, version = rest.rpartition("/")
    for candidate in current().versions((bucket, key)):
        if isinstance(candidate, StoredKey) and candidate.version_id == version:
            return candidate
    raise KeyError(arn)


def _blank(unit: Unit) -> dict[str, Any]:
    return {
        "_unit": unit,
        "account_id": ACCOUNT,
        "region_name": DEFAULT_REGION,
        "partition": PARTITION,
        "multipart": None,
        "disposed": False,
        "_expiry": None,
        "_value_buffer": io.BytesIO(),
    }


def write_acl(acl: FakeAcl | None) -> list[dict[str, Any]] | None:
    """An ACL as plain data; None for the private one that every object begins with."""
    if acl is None or repr(acl) == _PRIVATE:
        return None
    return [
        {
            "permissions": grant.permissions,
            "grantees": [[grantee.id, grantee.uri, grantee.display_name] for grantee in grant.grantees],
        }
        for grant in acl.grants
    ]


def read_acl(data: list[dict[str, Any]] | None) -> FakeAcl:
    if data is None:
        return get_canned_acl("private")
    return FakeAcl(
        [
            FakeGrant([FakeGrantee(*grantee) for grantee in grant["grantees"]], grant["permissions"])
            for grant in data
        ]
    )


_PRIVATE = repr(get_canned_acl("private"))
