"""Multipart uploads as views of index rows; a finished one is put together on disk."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from moto.s3.exceptions import (
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    MalformedXML,
    NoSuchUpload,
)
from moto.s3.models import FakeKey, FakeMultipart
from moto.settings import S3_UPLOAD_PART_MIN_SIZE
from requests.structures import CaseInsensitiveDict

from corelab.aws.checksums import ALGORITHMS, base64_digest, checksum_of
from corelab.aws.embedded import ACCOUNT, DEFAULT_REGION
from corelab.aws.s3.body import Body
from corelab.aws.s3.keys import StoredKey, read_acl, write_acl
from corelab.aws.s3.unit import current
from corelab.store.index import Part, Upload

Details = tuple[str, str, int]  # checksum type, value, number of parts


class StoredUpload(FakeMultipart):
    """An upload in progress; ``sizes`` are known once it is complete."""

    sizes: list[int]
    started: float

    @classmethod
    def of(cls, upload: Upload) -> StoredUpload:
        detail = upload.detail
        stored = cls(
            upload.key,
            CaseInsensitiveDict(detail["metadata"]),
            ACCOUNT,
            DEFAULT_REGION,
            storage=detail["storage"],
            tags=detail["tags"],
            acl=read_acl(detail["acl"]) if detail["acl"] else None,
            sse_encryption=detail["encryption"],
            kms_key_id=detail["kms_key"],
        )
        stored.id = upload.id
        stored.started = upload.started
        return stored

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sizes = []
        self.started = time.time()

    def row(self, bucket: str) -> Upload:
        detail = {
            "metadata": dict(self.metadata),
            "storage": self.storage,
            "tags": self.tags,
            "acl": write_acl(self.acl),
            "encryption": self.sse_encryption,
            "kms_key": self.kms_key_id,
        }
        return Upload(self.id, bucket, self.key_name, self.started, detail)

    def set_part(self, part_id: int, value: Any) -> FakeKey:
        unit = current()
        key = StoredKey(part_id, value, account_id=self.account_id, region_name=self.region_name)
        checksum = unit.checksums.get(self.metadata.get("x-amz-checksum-algorithm", ""))
        unit.add_part(Part(self.id, part_id, key.content, time.time(), checksum))
        return key

    def list_parts(self, part_number_marker: int, max_parts: int) -> Iterator[FakeKey]:
        unit = current()
        for part in unit.index.parts(self.id, part_number_marker, max_parts):
            body = Body(unit.index.blobs, part.content)
            yield StoredKey(part.number, body, account_id=self.account_id, region_name=self.region_name)

    def complete(self, body: Iterable[tuple[int, str]]) -> tuple[Body, str, Details | None]:  # type: ignore[override]
        """The whole body, its ETag and checksum. Source of rules and texts: S3's CompleteMultipartUpload."""
        parts = self._chosen(list(body))
        self.sizes = [part.content.size for part in parts]
        md5s = b"".join(bytes.fromhex(part.content.md5) for part in parts)
        etag = f"{hashlib.md5(md5s, usedforsecurity=False).hexdigest()}-{len(parts)}"
        algorithm = self.metadata.get("x-amz-checksum-algorithm")
        if algorithm not in ALGORITHMS:
            return self._join(parts), etag, None
        whole = ALGORITHMS[algorithm]()
        joined = self._join(parts, whole)
        if self.metadata.get("x-amz-checksum-type") == "FULL_OBJECT" or algorithm == "CRC64NVME":
            return joined, etag, ("FULL_OBJECT", base64_digest(whole), 1)
        return joined, etag, ("COMPOSITE", self._composite(parts, algorithm), len(parts))

    def _chosen(self, wanted: list[tuple[int, str]]) -> list[Part]:
        if not wanted:
            raise MalformedXML
        numbers = [number for number, _ in wanted]
        if any(after <= before for before, after in pairwise(numbers)):
            raise InvalidPartOrder
        stored = {part.number: part for part in current().index.parts(self.id)}
        for number, etag in wanted:
            if number not in stored or stored[number].content.md5 != etag.strip('"'):
                raise InvalidPart
        parts = [stored[number] for number in numbers]
        if any(part.content.size < S3_UPLOAD_PART_MIN_SIZE for part in parts[:-1]):
            raise EntityTooSmall
        return parts

    def _join(self, parts: list[Part], *digests: Any) -> Body:
        unit = current()
        blobs = unit.index.blobs
        if len(parts) == 1 and not digests:  # the part's own file will do
            return Body(blobs, parts[0].content)
        with blobs.writer(*digests) as writer:
            for part in parts:
                for piece in Body(blobs, part.content).open():
                    writer.write(piece)
            return Body(blobs, unit.keep(writer.finish()))

    def _composite(self, parts: list[Part], algorithm: str) -> str:
        """The checksum of the parts' checksums."""
        blobs = current().index.blobs
        checksum = ALGORITHMS[algorithm]()
        for part in parts:
            value = part.checksum or checksum_of(Body(blobs, part.content).open(), algorithm)
            checksum.update(base64.b64decode(value))
        return base64_digest(checksum)


class UploadTable:
    """A bucket's unfinished uploads, as moto's dictionary would offer them."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def get(self, upload: str, default: Any = None) -> Any:
        row = current().index.upload(upload)
        return StoredUpload.of(row) if row is not None and row.bucket == self._bucket else default

    def __contains__(self, upload: str) -> bool:
        return self.get(upload) is not None

    def __getitem__(self, upload: str) -> StoredUpload:
        found: StoredUpload | None = self.get(upload)
        if found is None:
            raise NoSuchUpload(upload_id=upload)
        return found

    def __setitem__(self, upload: str, stored: StoredUpload) -> None:
        current().begin_upload(stored.row(self._bucket))

    def __delitem__(self, upload: str) -> None:
        current().end_upload(upload)

    def values(self) -> list[StoredUpload]:
        return [StoredUpload.of(row) for row in current().index.uploads(self._bucket)]
