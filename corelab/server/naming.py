"""Names for the calls that moto answers, for the journal: ``GetObject`` on ``bucket/key``."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

from corelab.wire.http import HttpRequest

# (method, level, sub-resource) -> operation; level is 0 for the service, 1 for a bucket, 2 for an object.
_S3: Mapping[tuple[str, int, str], str] = {
    ("GET", 0, ""): "ListBuckets",
    ("HEAD", 1, ""): "HeadBucket",
    ("PUT", 1, ""): "CreateBucket",
    ("DELETE", 1, ""): "DeleteBucket",
    ("GET", 1, ""): "ListObjects",
    ("GET", 1, "list-type"): "ListObjectsV2",
    ("GET", 1, "location"): "GetBucketLocation",
    ("GET", 1, "versions"): "ListObjectVersions",
    ("GET", 1, "versioning"): "GetBucketVersioning",
    ("PUT", 1, "versioning"): "PutBucketVersioning",
    ("GET", 1, "tagging"): "GetBucketTagging",
    ("PUT", 1, "tagging"): "PutBucketTagging",
    ("DELETE", 1, "tagging"): "DeleteBucketTagging",
    ("GET", 1, "policy"): "GetBucketPolicy",
    ("PUT", 1, "policy"): "PutBucketPolicy",
    ("DELETE", 1, "policy"): "DeleteBucketPolicy",
    ("GET", 1, "uploads"): "ListMultipartUploads",
    ("POST", 1, "delete"): "DeleteObjects",
    ("POST", 1, ""): "PostObject",
    ("HEAD", 2, ""): "HeadObject",
    ("GET", 2, ""): "GetObject",
    ("PUT", 2, ""): "PutObject",
    ("PUT", 2, "x-amz-copy-source"): "CopyObject",
    ("DELETE", 2, ""): "DeleteObject",
    ("GET", 2, "attributes"): "GetObjectAttributes",
    ("GET", 2, "tagging"): "GetObjectTagging",
    ("PUT", 2, "tagging"): "PutObjectTagging",
    ("DELETE", 2, "tagging"): "DeleteObjectTagging",
    ("POST", 2, "uploads"): "CreateMultipartUpload",
    ("PUT", 2, "uploadId"): "UploadPart",
    ("POST", 2, "uploadId"): "CompleteMultipartUpload",
    ("DELETE", 2, "uploadId"): "AbortMultipartUpload",
    ("GET", 2, "uploadId"): "ListParts",
}


def name(service: str, request: HttpRequest) -> tuple[str, str]:
    """(operation, resource) of a request to moto; an S3 sub-resource not listed above is named after itself."""
    if service == "s3":
        return _s3(request)
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2], ""
    if "/operation/" in request.path:  # the CBOR form of CloudWatch
        return request.path.rpartition("/")[2], ""
    fields = parse_qs(request.query or request.body.decode("utf-8", "replace"))
    return fields.get("Action", ["unknown"])[0], ""


def _s3(request: HttpRequest) -> tuple[str, str]:
    resource = unquote(request.path.lstrip("/"))
    bucket, _, key = resource.partition("/")
    level = 2 if key else 1 if bucket else 0
    present = [field.partition("=")[0] for field in request.query.split("&") if field]
    if "x-amz-copy-source" in request.headers:
        present.append("x-amz-copy-source")
    for part in present:
        operation = _S3.get((request.method, level, part))
        if operation:
            return operation, resource
    plain = _S3.get((request.method, level, ""))
    unlisted = [
        p
        for p in present
        if not p.lower().startswith(("x-", "prefix", "max-", "start", "delim", "enc", "resp"))
    ]
    if plain is None or (level == 1 and request.method != "GET" and unlisted):
        return f"{request.method.title()}:{'&'.join(unlisted)}", resource
    return plain, resource
