"""S3 from the request to the answer, as one list of steps.

names and owner ─▶ allowed? ─▶ body in ─▶ moto, within a unit of work ─▶ commit ─▶ body out
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qs, quote
from xml.parsers.expat import ExpatError

from corelab.aws.authorize import Gate, object_arn, s3_permissions
from corelab.aws.call import Answer, Call, canonical_environ
from corelab.aws.embedded import DEFAULT_REGION
from corelab.aws.intake import DOCUMENT_LIMIT, FORM_LIMIT, Intake
from corelab.aws.policy import Decision
from corelab.aws.request import Environ, split_path
from corelab.aws.s3 import rules
from corelab.aws.s3.answers import Result, S3Answers
from corelab.aws.s3.backend import install, uninstall
from corelab.aws.s3.body import Body
from corelab.aws.s3.keys import load, read_acl
from corelab.aws.s3.unit import Unit, begin
from corelab.errors import AWSError
from corelab.store.contract import ObjectNotFound
from corelab.store.index import ObjectIndex
from corelab.store.journal import Entry, Journal

log = logging.getLogger(__name__)
Query = Mapping[str, list[str]]

# Kept as the last accepted request each, and asked of moto again at start.
_CONFIGURATION = frozenset(
    [
        "acl",
        "cors",
        "encryption",
        "lifecycle",
        "object-lock",
        "ownershipControls",
        "policy",
        "publicAccessBlock",
        "tagging",
    ]
)
_KEPT_HEADERS = ("HTTP_X_AMZ_ACL", "HTTP_X_AMZ_GRANT_READ", "HTTP_X_AMZ_GRANT_FULL_CONTROL", "CONTENT_TYPE")
_ATTEMPTS = 5


class S3Service:
    """Answers calls to S3 over one index."""

    def __init__(self, index: ObjectIndex, journal: Journal, gate: Gate) -> None:
        self._index = index
        self._journal = journal
        self._gate = gate
        self._stripes = [threading.RLock() for _ in range(64)]
        self._backend = install(index)
        self._replay()

    def answer(self, call: Call) -> Answer:
        """Carry out one request. Raises AWSError, and OSError or sqlite3.Error when the disk fails."""
        environ, method = call.environ, call.method
        bucket, key = split_path(environ)
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        rules.check_target(bucket, key)
        rules.check_method(method, key, query)
        rules.check_parameters(query)
        rules.check_owner(environ.get("HTTP_X_AMZ_EXPECTED_BUCKET_OWNER"), head=method == "HEAD")
        rules.check_owner(environ.get("HTTP_X_AMZ_SOURCE_EXPECTED_BUCKET_OWNER"))
        self._authorize(call, bucket, key, query)
        self._check_upload(bucket, key, query)
        if method in ("GET", "HEAD", "OPTIONS"):
            return self._read(call, bucket, key, query)
        return self._write(call, bucket, key, query)

    def policy(self, bucket: str) -> str | None:
        """A bucket's policy document."""
        found = self._backend.buckets.get(bucket)
        return found.policy.decode() if found is not None and found.policy else None

    def _authorize(self, call: Call, bucket: str, key: str, query: Query) -> None:
        if call.caller is None and call.method in ("GET", "HEAD") and key and not query:
            try:
                public = self._index.current(bucket, key).detail.get("acl")
            except ObjectNotFound:
                public = None
            if public and read_acl(public).public_read:
                return
        self._gate.require(call, s3_permissions(call, bucket, key, query))

    def _check_upload(self, bucket: str, key: str, query: Query) -> None:
        """An upload's id is good for its own bucket and key only."""
        if key and "uploadId" in query:
            upload = self._index.upload(query["uploadId"][0])
            if upload is not None and (upload.bucket, upload.key) != (bucket, key):
                raise _no_such_upload()

    def _read(self, call: Call, bucket: str, key: str, query: Query) -> Answer:
        for attempt in range(_ATTEMPTS):
            with begin(self._index, call.writer, load) as unit:
                environ = canonical_environ(call, b"")
                parts = _select_part(unit, environ, bucket, key, query)
                status, headers, body = _answer(S3Answers(bucket, key), environ)
                try:
                    return _finish(status, {**headers, **parts}, body)
                except FileNotFoundError:
                    # Replaced between the look at its row and the look at its file.
                    if attempt == _ATTEMPTS - 1:
                        raise
        raise AssertionError("the loop above returns or raises")

    def _write(self, call: Call, bucket: str, key: str, query: Query) -> Answer:
        with begin(self._index, call.writer, load) as unit:
            self._let_judge(call, unit, bucket)
            environ = self._take_body(call, unit, key, query)
            with self._alone(bucket, key):
                status, headers, body = _answer(S3Answers(bucket, key), environ)
                if status < 300 or status == 303:
                    self._keep(call, unit, bucket, key, query, environ)
            return _finish(status, headers, body)

    def _let_judge(self, call: Call, unit: Unit, bucket: str) -> None:
        """Batches and forms name their keys in the body; they are judged when moto has read it."""

        def denies(resource: str) -> bool:
            self._gate.note(call, [("s3:DeleteObject", resource)])
            return self._gate.judge(call.caller, "s3:DeleteObject", resource) is not Decision.ALLOWED

        def check_form(access_key: str | None, key: str) -> None:
            caller = self._gate.owner(access_key) if access_key else call.caller
            self._gate.permit(caller, [("s3:PutObject", object_arn(bucket, key))], "s3")
            unit.writer = caller.access_key if caller is not None else unit.writer

        unit.denies, unit.check_form = denies, check_form

    def _take_body(self, call: Call, unit: Unit, key: str, query: Query) -> Environ:
        intake = Intake(call.environ)
        if not _carries_object(call, key, query):
            limit = DOCUMENT_LIMIT if key or query else FORM_LIMIT
            return canonical_environ(call, intake.document(self._index.blobs, limit))
        unit.incoming = unit.keep(intake.store(self._index.blobs))
        unit.checksums = intake.checksums
        environ = canonical_environ(call, b"")
        for name in ("HTTP_CONTENT_MD5", "HTTP_X_AMZ_CONTENT_SHA256", "HTTP_X_AMZ_TRAILER"):
            environ.pop(name, None)
        for name, value in intake.checksums.items():
            environ["HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM"] = name
            environ[f"HTTP_X_AMZ_CHECKSUM_{name}"] = value
        return environ

    def _keep(self, call: Call, unit: Unit, bucket: str, key: str, query: Query, environ: Environ) -> None:
        """Bring the accepted request to disk; when that fails, memory forgets it too."""
        try:
            if not key and call.method == "PUT" and bucket in self._backend.buckets:
                unit.put_bucket(self._backend.buckets[bucket].row())  # type: ignore[attr-defined]
            unit.commit()
            # After the commit: a setting of a bucket that is not kept would be replayed in vain.
            if not key and call.method != "POST":
                self._note_configuration(call, bucket, query, environ)
        except (OSError, sqlite3.Error) as error:
            if not key:
                self._reload()
            if isinstance(error, sqlite3.IntegrityError):
                raise _lost_race(call.method, bucket, key, query) from error
            raise

    def _note_configuration(self, call: Call, bucket: str, query: Query, environ: Environ) -> None:
        """Remember a bucket's configuration, or forget it with the bucket."""
        names = _CONFIGURATION.intersection(query)
        if not query and call.method == "DELETE":
            names = _CONFIGURATION
        elif not query and "HTTP_X_AMZ_ACL" in environ:
            names = frozenset({"acl"})
        for name in names:
            subject = f"{bucket}?{name}"
            if call.method == "DELETE":
                self._journal.forget("s3", DEFAULT_REGION, subject)
                continue
            headers = {header: environ[header] for header in _KEPT_HEADERS if header in environ}
            body = environ["wsgi.input"].getvalue() if query else b""
            at, path = time.time(), f"/{quote(bucket)}"
            entry = Entry("s3", DEFAULT_REGION, subject, at, 0, "PUT", path, name, headers, body)
            self._journal.append(entry, supersede=True)

    def close(self) -> None:
        uninstall()

    def _reload(self) -> None:
        """Take up the state that is on disk, in place of what memory has come to believe."""
        self._backend = install(self._index)
        self._replay()

    def _replay(self) -> None:
        for entry in self._journal.entries("s3"):
            bucket = entry.subject.partition("?")[0]
            call = Call.replayed(entry)
            with begin(self._index, "", load):
                status, _, body = S3Answers(bucket, "").answer(canonical_environ(call, entry.body))
            if status >= 300:
                log.warning("the configuration %s was not accepted again: %s %s", entry.subject, status, body)

    def _alone(self, bucket: str, key: str) -> AbstractContextManager[Any]:
        """One writer a key at a time, so that a condition still holds when its write is done."""
        return self._stripes[hash((bucket, key)) % len(self._stripes)]


def _answer(answers: S3Answers, environ: Environ) -> Result:
    """Ask moto, which trusts documents and parameters to be what they should be."""
    try:
        return answers.answer(environ)
    except (ExpatError, KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        if environ["CONTENT_LENGTH"] == "0":
            if not isinstance(error, ValueError | AssertionError):
                raise
            text = "A header or parameter of the request is not valid."
            raise AWSError("InvalidArgument", text) from error
        log.info("moto could not read a document: %r", error)
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AWSError("MalformedXML", text) from error


def _carries_object(call: Call, key: str, query: Query) -> bool:
    if call.method != "PUT" or not key or "HTTP_X_AMZ_COPY_SOURCE" in call.environ:
        return False
    return not {"acl", "tagging", "retention", "legal-hold"}.intersection(query)


def _select_part(unit: Unit, environ: Environ, bucket: str, key: str, query: Query) -> dict[str, str]:
    """Turn a request for one part of an object into one for its bytes."""
    number = query.get("partNumber", [""])[0]
    if not key or "uploadId" in query or not number.isdigit():
        return {}
    chosen = query.get("versionId", [None])[0]
    versions = [
        version
        for version in unit.index.versions(bucket, key)
        if version.content is not None and chosen in (None, version.id)
    ]
    if not versions or versions[-1].content is None:
        return {}
    upload = versions[-1].detail.get("upload")
    sizes = upload["sizes"] if upload else [versions[-1].content.size]
    if not 0 < int(number) <= len(sizes):
        raise AWSError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416)
    first = sum(sizes[: int(number) - 1])
    if sizes[int(number) - 1]:  # an empty part has no range
        environ["HTTP_RANGE"] = f"bytes={first}-{first + sizes[int(number) - 1] - 1}"
    environ["QUERY_STRING"] = f"versionId={quote(chosen)}" if chosen else ""
    return {"x-amz-mp-parts-count": str(len(sizes))} if upload else {}


def _finish(status: int, headers: dict[str, Any], body: Any) -> Answer:
    for name in ("status", "x-amzn-requestid"):
        headers.pop(name, None)
    if isinstance(body, Body):
        return status, headers, body.open()
    return status, headers, [body.encode() if isinstance(body, str) else bytes(body)]


def _no_such_upload() -> AWSError:
    text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
    return AWSError("NoSuchUpload", text + "aborted or completed.", 404)


def _lost_race(method: str, bucket: str, key: str, query: Query) -> AWSError:
    """What the index refused because another request came first."""
    if "uploadId" in query:
        return _no_such_upload()
    if method == "DELETE" and not key:
        text = "The bucket you tried to delete is not empty"
        return AWSError("BucketNotEmpty", text, 409, {"BucketName": bucket})
    return AWSError("NoSuchBucket", "The specified bucket does not exist", 404, {"BucketName": bucket})
