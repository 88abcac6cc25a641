"""The journal calls requests to moto by AWS's names."""

from __future__ import annotations

import pytest

from corelab.server.naming import name
from corelab.wire.http import HttpRequest


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/", "", ("ListBuckets", "")),
        ("PUT", "/b", "", ("CreateBucket", "b")),
        ("GET", "/b", "list-type=2&prefix=x", ("ListObjectsV2", "b")),
        ("GET", "/b", "prefix=x", ("ListObjects", "b")),
        ("GET", "/b/a/c%20d", "", ("GetObject", "b/a/c d")),
        ("HEAD", "/b/k", "", ("HeadObject", "b/k")),
        ("POST", "/b/k", "uploads", ("CreateMultipartUpload", "b/k")),
        ("PUT", "/b/k", "partNumber=1&uploadId=x", ("UploadPart", "b/k")),
        ("POST", "/b", "delete", ("DeleteObjects", "b")),
    ],
)
def test_an_s3_request_has_its_operations_name(
    method: str, path: str, query: str, expected: tuple[str, str]
) -> None:
    assert name("s3", HttpRequest(method, path, query, {}, b"")) == expected


def test_a_copy_is_told_from_a_put() -> None:
    request = HttpRequest("PUT", "/b/k", "", {"x-amz-copy-source": "b/x"}, b"")
    assert name("s3", request)[0] == "CopyObject"


@pytest.mark.parametrize(
    ("path", "headers", "body", "expected"),
    [
        ("/", {}, b"Action=GetCallerIdentity&Version=2011-06-15", "GetCallerIdentity"),
        ("/", {"x-amz-target": "Logs_20140328.GetLogEvents"}, b"{}", "GetLogEvents"),
        ("/service/GraniteServiceVersion20100801/operation/PutMetricData", {}, b"\xa0", "PutMetricData"),
        ("/", {}, b"\xff\xfe", "unknown"),
    ],
)
def test_other_services_are_named_by_target_action_or_path(
    path: str, headers: dict[str, str], body: bytes, expected: str
) -> None:
    assert name("sts", HttpRequest("POST", path, "", headers, body))[0] == expected
