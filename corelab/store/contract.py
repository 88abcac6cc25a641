"""What the server's parts may ask of the stores: objects, logs, metrics and identities.

Every write is on disk when the call returns, and is seen at once by the AWS services that read the same
stores over the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

SERVICE = "service"


class ObjectNotFound(KeyError):
    """No such bucket or key."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    bucket: str
    key: str
    size: int
    etag: str  # without the quotes it wears on the wire
    modified: float  # epoch seconds
    writer: str = ""  # "service", or the access key that wrote it; empty for nobody known


class ObjectStore(Protocol):
    """S3's objects, current versions only. Keys are text; they never become file names."""

    def bucket_region(self, bucket: str) -> str | None:
        """The bucket's region, or None when there is no such bucket."""

    def create_bucket(self, bucket: str, region: str) -> None: ...

    def list(self, bucket: str, prefix: str = "") -> Iterator[StoredObject]:
        """Objects whose key starts with ``prefix``, in S3's order (UTF-8 bytes). Raises ObjectNotFound."""

    def head(self, bucket: str, key: str) -> StoredObject:
        """What is stored under the key. Raises ObjectNotFound."""

    def open(self, bucket: str, key: str) -> BinaryIO:
        """A seekable reader. Raises ObjectNotFound."""

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        """Lay the object at ``target``: a read-only hard link where possible, else a copy."""

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
        """Store the file's bytes under the key. Raises ObjectNotFound when there is no such bucket.

        With ``move`` the file itself becomes the object where the disk allows it: write it no more.
        """

    def put_bytes(
        self,
        bucket: str,
        key: str,
        body: bytes,
        content_type: str = "binary/octet-stream",
        *,
        writer: str = SERVICE,
    ) -> None:
        """Store ``body`` under the key. Raises ObjectNotFound when there is no such bucket."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    timestamp_ms: int
    message: str


class LogStore(Protocol):
    """CloudWatch Logs: groups and streams are created on first use."""

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None: ...


@dataclass(frozen=True, slots=True)
class Datum:
    name: str
    value: float
    timestamp: float  # epoch seconds
    unit: str = "None"
    dimensions: Mapping[str, str] = field(default_factory=dict)
    count: int = 1  # how often this value was seen


class MetricStore(Protocol):
    """CloudWatch metrics."""

    def put(self, region: str, namespace: str, data: Sequence[Datum]) -> None: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request."""

    account: str
    arn: str
    access_key: str


class Identity(Protocol):
    """IAM and STS, as far as the server must know them."""

    def caller(self, access_key: str | None) -> Caller | None:
        """Who owns the key; None when nobody does."""

    def role_exists(self, role_arn: str) -> bool: ...

    def can_assume(self, role_arn: str, service: str = "sagemaker.amazonaws.com") -> bool:
        """Whether the role exists and its trust policy lets the service assume it."""

    def allows(self, principal_arn: str, action: str, resource: str) -> bool:
        """Whether the policies of a role (or assumed role) allow the action on the resource."""
