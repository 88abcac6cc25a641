"""moto's S3 backend over the index: buckets, listings, and the rules of versioning moto lacks."""

from __future__ import annotations

import datetime
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3 import models as moto_models
from moto.s3.exceptions import BucketAlreadyExists
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends
from moto.utilities.tagging_service import TaggingService

from corelab.aws.embedded import ACCOUNT, PARTITION
from corelab.aws.s3.keys import KeyTable, ObjectTags, StoredKey, StoredMarker, load
from corelab.aws.s3.listing import PAGE, Wanted, list_keys, list_versions
from corelab.aws.s3.unit import current
from corelab.aws.s3.uploads import StoredUpload, UploadTable
from corelab.store.contract import ObjectNotFound
from corelab.store.index import NULL_VERSION, Bucket, ObjectIndex, Version


class StoredBucket(FakeBucket):
    """A bucket whose keys and uploads lie in the index. Its configuration is replayed into it at start."""

    @classmethod
    def of(cls, bucket: Bucket) -> StoredBucket:
        stored = cls(bucket.name, ACCOUNT, bucket.region)
        stored.creation_date = datetime.datetime.fromtimestamp(bucket.created, tz=datetime.UTC)
        stored.__dict__.update(bucket.detail, versioning_status=bucket.versioning)
        return stored

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = KeyTable(self.name)  # type: ignore[assignment]
        self.multiparts = UploadTable(self.name)  # type: ignore[assignment]

    def get_permission(self, action: str, resource: str) -> PermissionResult:
        """Whoever comes here was let in already; only a batch of deletions is judged key by key."""
        refused = action == "s3:DeleteObject" and current().denies(resource)
        return PermissionResult.DENIED if refused else PermissionResult.PERMITTED

    def row(self) -> Bucket:
        detail = {"object_lock_enabled": self.object_lock_enabled, "ownership_rule": self.ownership_rule}
        return Bucket(
            self.name, self.region_name, self.creation_date.timestamp(), self.versioning_status, detail
        )


class BucketTable(dict[str, StoredBucket]):
    """Buckets by name; one that the server made itself is found in the index when it is asked for."""

    def __init__(self, index: ObjectIndex) -> None:
        super().__init__()
        self._index = index

    def __missing__(self, name: str) -> StoredBucket:
        try:
            bucket = StoredBucket.of(self._index.bucket(name))
        except ObjectNotFound:
            raise KeyError(name) from None
        self[name] = bucket
        return bucket

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def refresh(self) -> None:
        """Take up all buckets of the index."""
        for bucket in self._index.buckets():
            self[bucket.name]


class StoredBackend(S3Backend):
    """The one S3 backend; ``index`` is given by the composition before moto makes it."""

    index: ObjectIndex

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.buckets = BucketTable(self.index)  # type: ignore[assignment]
        self.tagger = TaggingService()
        self.tagger.tags = ObjectTags()  # type: ignore[assignment]

    @property
    def _url_module(self) -> Any:
        from moto.s3 import urls

        return urls

    def log_incoming_request(self, request: Any, bucket_name: str) -> None:
        """Access logs are not delivered."""

    def create_bucket(
        self, bucket_name: str, region_name: str, bucket_namespace: str | None = None
    ) -> FakeBucket:
        if bucket_name in self.buckets:
            raise BucketAlreadyExists(bucket=bucket_name)
        bucket = StoredBucket(bucket_name, ACCOUNT, region_name, bucket_namespace)  # type: ignore[abstract]
        self.buckets[bucket_name] = bucket
        return bucket

    def list_buckets(
        self, prefix: str | None, bucket_region: str | None, max_buckets: str | None
    ) -> list[FakeBucket]:
        self.buckets.refresh()  # type: ignore[attr-defined]
        return sorted(
            super().list_buckets(prefix, bucket_region, max_buckets), key=lambda bucket: bucket.name
        )

    def delete_bucket(self, bucket_name: str) -> FakeBucket | None:
        removed = super().delete_bucket(bucket_name)
        if removed is not None:
            current().remove_bucket(bucket_name)
        return removed

    def get_bucket_encryption(self, bucket_name: str) -> dict[str, Any] | None:
        # Every bucket encrypts with S3's own keys since January 2023.
        return super().get_bucket_encryption(bucket_name) or {
            "Rule": {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                "BucketKeyEnabled": False,
            }
        }

    def put_object(self, bucket_name: str, key_name: str, value: Any, **kwargs: Any) -> FakeKey:  # type: ignore[override]
        bucket = self.get_bucket(bucket_name)
        before = bucket.keys.getlist(key_name, [])
        if not bucket.encryption:
            kwargs["encryption"] = kwargs.get("encryption") or "AES256"
        key = super().put_object(bucket_name, key_name, value, **kwargs)
        # moto would drop every older version here.
        if bucket.versioning_status == "Suspended":
            bucket.keys.setlist(key_name, [*_not_null(before), key])
        return key

    def delete_object(
        self, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        bucket = self.get_bucket(bucket_name)
        status = bucket.versioning_status
        if status == "Suspended" and version_id is None:
            return True, self._suspended_delete(bucket, key_name)
        # An unversioned bucket has the null version only; moto would delete it whatever was asked.
        if status is None and version_id not in (None, NULL_VERSION):
            return False, {}
        if status == "Suspended":
            return True, self._delete_version(bucket, key_name, str(version_id))
        if status == "Enabled" and version_id is None and key_name not in bucket.keys:
            marker = self._mark(bucket, key_name)
            return True, {"version-id": marker.version_id, "delete-marker": "true"}
        return super().delete_object(bucket_name, key_name, version_id, bypass)

    def delete_objects(
        self, bucket_name: str, objects: list[dict[str, Any]], bypass_retention: bool = False
    ) -> tuple[list[tuple[str, str | None, str | None]], list[str]]:
        deleted, errors = super().delete_objects(bucket_name, objects, bypass_retention)
        return ([] if current().quiet else deleted), errors

    def list_objects(
        self,
        bucket: FakeBucket,
        prefix: str | None,
        delimiter: str | None,
        marker: str | None,
        max_keys: int | None,
    ) -> tuple[Any, Any, bool, str | None]:
        wanted = Wanted(bucket.name, prefix or "", delimiter or "", PAGE if max_keys is None else max_keys)
        page = list_keys(self.index, wanted, marker or "")
        return _keys(page.versions), page.prefixes, page.truncated, page.last if delimiter else None

    def list_object_versions(
        self,
        bucket_name: str,
        delimiter: str | None = None,
        key_marker: str | None = None,
        max_keys: int | None = PAGE,
        prefix: str = "",
        version_id_marker: str | None = None,
    ) -> tuple[Any, list[str], Any, str | None, str | None]:
        self.get_bucket(bucket_name)
        wanted = Wanted(bucket_name, prefix, delimiter or "", PAGE if max_keys is None else max_keys)
        page = list_versions(self.index, wanted, key_marker or "", version_id_marker)
        found = load(page.versions)
        for entry in found:
            entry.is_latest = (entry.name, entry.version_id) in page.latest
        keys = [entry for entry in found if isinstance(entry, StoredKey)]
        markers = [entry for entry in found if isinstance(entry, StoredMarker)]
        return keys, page.prefixes, markers, page.last, page.last_version

    def _suspended_delete(self, bucket: FakeBucket, key: str) -> dict[str, Any]:
        """In place of the null version comes a marker; older versions stay."""
        versions = _not_null(bucket.keys.getlist(key, []))
        marker = self._mark(bucket, key)
        marker._version_id = NULL_VERSION
        bucket.keys.setlist(key, [*versions, marker])
        return {"version-id": NULL_VERSION, "delete-marker": "true"}

    def _delete_version(self, bucket: FakeBucket, key: str, version: str) -> dict[str, Any]:
        versions = bucket.keys.getlist(key, [])
        bucket.keys.setlist(key, [entry for entry in versions if entry.version_id != version])
        return {"version-id": version}

    def _mark(self, bucket: FakeBucket, key: str) -> StoredMarker:
        marker = StoredMarker.new(bucket.name, key)
        bucket.keys[key] = marker
        return marker


_MOTO = {
    name: getattr(moto_models, name) for name in ("FakeKey", "FakeMultipart", "FakeDeleteMarker", "S3Backend")
}


def install(index: ObjectIndex) -> StoredBackend:
    """Put our classes in moto's places and make the one backend."""
    _place(FakeKey=StoredKey, FakeMultipart=StoredUpload, FakeDeleteMarker=StoredMarker)
    StoredBackend.index = index
    s3_backends.clear()
    s3_backends.backend = StoredBackend
    backend = s3_backends[ACCOUNT][PARTITION]
    assert isinstance(backend, StoredBackend)
    return backend


def uninstall() -> None:
    """Give moto its own classes back, for whoever else in this process may use it."""
    _place(**_MOTO)
    s3_backends.clear()
    s3_backends.backend = _MOTO["S3Backend"]


def _place(**classes: type) -> None:
    for name, chosen in classes.items():
        setattr(moto_models, name, chosen)


def _keys(versions: list[Version]) -> list[StoredKey]:
    unit = current()
    return [StoredKey.of(version, unit) for version in versions]


def _not_null(versions: list[Any]) -> list[Any]:
    return [version for version in versions if version.version_id != NULL_VERSION]
