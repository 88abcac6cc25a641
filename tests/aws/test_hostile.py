"""Requests no SDK would make: nothing leaves the folder, nothing is run, every answer is AWS's."""

from __future__ import annotations

import gzip
import http.client
import os
import socket
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.aws.checks.test_s3_buckets import refused
from tests.aws.conftest import Server

KEYS = [
    "..%2F..%2F..%2Fetc%2Fpasswd",
    "../../../outside",
    "%2e%2e/%2e%2e/outside",
    "/etc/passwd",
    "..%5C..%5Coutside",
    "a%00b",
    "objects.db",
    "blobs/aa/" + "a" * 32,
    "con",
    "x%0d%0aSet-Cookie:%20a=b",
    "%F0%9F%98%80",
    "a/" * 500 + "deep",
    "-rf",
    "~root",
    "$(touch%20outside)",
]
NAMES = ["..", "%2e%2e", "..%2f..%2fetc", "a%00b", "A" * 70, "moto-api", "etc%2fpasswd"]


def code(body: bytes) -> str:
    return ElementTree.fromstring(body).findtext("Code") or ""


def outside(server: Server) -> set[Path]:
    """Every file next to the server's folder."""
    return {path for path in server.folder.parent.rglob("*") if server.folder not in path.parents}


@pytest.mark.parametrize("key", KEYS)
def test_a_hostile_key_is_just_a_name(server: Server, bucket: str, key: str) -> None:
    before = outside(server)
    target = f"/{bucket}/{key}"
    status, _ = server.signed("PUT", target, b"hostile" * 10_000)
    assert status == 200
    assert server.signed("GET", target) == (200, b"hostile" * 10_000)
    assert outside(server) == before
    assert all(len(path.name) == 32 for path in (server.folder / "blobs").glob("*/*"))


def test_a_key_that_is_not_utf_8_is_refused(server: Server, bucket: str) -> None:
    status, body = server.signed("PUT", f"/{bucket}/%ff%fe", b"x")
    assert (status, code(body)) == (400, "InvalidURI")


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_bucket_name_is_refused(server: Server, name: str) -> None:
    before = outside(server)
    status, body = server.signed("PUT", f"/{name}")
    assert status in (200, 400)
    assert status == 200 if name == "moto-api" else code(body) in ("InvalidBucketName", "InvalidURI")
    assert outside(server) == before


@pytest.mark.parametrize(
    "path", ["/moto-api/reset", "/moto-api/data.json", "/moto-api/state-manager", "/latest/meta-data/"]
)
def test_moto_s_own_doors_are_closed(server: Server, s3: Any, bucket: str, path: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"still here")
    for method in ("GET", "POST"):
        status, _, body = server.raw(method, path)
        assert status in (403, 404, 405)
        assert b"html" not in body.lower()
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"still here"


def test_anonymous_callers_may_only_what_was_made_public(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="private", Body=b"private")
    s3.put_object(Bucket=bucket, Key="public", Body=b"public", ACL="public-read")
    assert server.raw("GET", f"/{bucket}/public")[2] == b"public"
    for method, target in (
        ("GET", f"/{bucket}/private"),
        ("PUT", f"/{bucket}/private"),
        ("DELETE", f"/{bucket}/public"),
        ("PUT", f"/{bucket}?acl"),
        ("GET", f"/{bucket}"),
        ("GET", "/"),
        ("POST", f"/{bucket}?delete"),
    ):
        body = b"<Delete><Object><Key>public</Key></Object></Delete>" if "delete" in target else b""
        status, _, answer = server.raw(method, target, body)
        assert status == 403 or (status == 200 and b"<Code>AccessDenied</Code>" in answer), target
    assert s3.get_object(Bucket=bucket, Key="public")["Body"].read() == b"public"


def test_an_unknown_key_is_nobody(server: Server) -> None:
    stranger = {"key": "AKIASTRANGER00000000"}
    with refused("InvalidAccessKeyId", 403):
        server.client("s3", **stranger).list_buckets()
    with refused("InvalidClientTokenId", 403):
        server.client("sts", **stranger).get_caller_identity()
    with refused("InvalidClientTokenId", 403):
        server.client("cloudwatch", **stranger).list_metrics()
    with refused("UnrecognizedClientException", 400):
        server.client("logs", **stranger).describe_log_groups()


def test_headers_cannot_lead_to_another_account_region_or_bucket(
    server: Server, s3: Any, bucket: str
) -> None:
    headers = {
        "host": "other.s3.eu-west-1.amazonaws.com",
        "x-moto-account-id": "999999999999",
        "user-agent": "Boto3/1 region/ap-south-1",
        "x-forwarded-host": "other.s3.amazonaws.com",
    }
    assert server.signed("PUT", f"/{bucket}/k", b"mine", headers)[0] == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"mine"


def test_other_services_and_partitions_are_not_here(server: Server) -> None:
    with refused("UnknownEndpoint", 404):
        server.client("lambda").list_functions()
    with refused("AuthorizationHeaderMalformed", 400):
        server.client("logs", "cn-north-1").describe_log_groups()


def test_an_operation_not_served_says_so_by_name(server: Server, s3: Any, bucket: str, iam: Any) -> None:
    for call, name in (
        (lambda: server.client("logs").describe_metric_filters(), "DescribeMetricFilters"),
        (lambda: server.client("cloudwatch").describe_alarm_history(), "DescribeAlarmHistory"),
        (lambda: s3.get_bucket_notification_configuration(Bucket=bucket), "notification"),
        (lambda: iam.get_service_last_accessed_details(JobId="j" * 36), "GetServiceLastAccessedDetails"),
    ):
        with refused("NotImplemented", 501) as caught:
            call()
        assert name in str(caught.value)


def test_a_body_cut_short_is_not_stored(server: Server, s3: Any, bucket: str) -> None:
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIALOCALSAGEMAKER00/20261122/us-east-1/s3/aws4_request, Signature=0"
    )
    for sent in (b"x" * 10, b"x" * 500_000):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = f"PUT /{bucket}/cut HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n"
            connection.sendall(f"{head}content-length: 1000000\r\n\r\n".encode() + sent)
    s3.put_object(Bucket=bucket, Key="later", Body=b"")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["later"]


@pytest.mark.parametrize("wrapped", [b"zz\r\n", b"5\r\nab", b"3\r\nabcd\r\n0\r\n\r\n", b"", b"-1\r\n"])
def test_a_badly_wrapped_body_is_refused(server: Server, bucket: str, wrapped: bytes) -> None:
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "3",
    }
    status, body = server.signed("PUT", f"/{bucket}/k", wrapped, headers)
    assert (status, code(body)) == (400, "IncompleteBody")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Delete><Object><Key>&c;&x;</Key></Object></Delete>"""


@pytest.mark.parametrize("document", [BOMB, b"<Delete>", b"no xml at all", b"\xff\xfe"])
def test_a_bad_document_is_refused_in_xml(server: Server, bucket: str, document: bytes) -> None:
    status, body = server.signed("POST", f"/{bucket}?delete", document)
    assert (status, code(body)) == (400, "MalformedXML")
    assert b"root:" not in body


def test_a_packed_body_may_not_unpack_for_ever(server: Server) -> None:
    headers = {
        "authorization": (
            "AWS4-HMAC-SHA256 Credential=AKIALOCALSAGEMAKER00/20261122/us-east-1/monitoring/aws4_request, "
            "SignedHeaders=host, Signature=0"
        ),
        "x-amz-target": "GraniteServiceVersion20100801.PutMetricData",
        "content-type": "application/x-amz-json-1.0",
        "content-encoding": "gzip",
    }
    for body in (gzip.compress(b" " * (17 * 1024 * 1024), 1), b"no gzip", gzip.compress(b"{}")[:-4]):
        status, _, answer = server.raw("POST", "/", body, headers)
        assert status in (400, 413)
        assert b"__type" in answer


def test_a_body_of_unknown_length_is_not_taken_for_an_empty_one(server: Server, bucket: str) -> None:
    head = (
        f"PUT /{bucket}/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n"
        "authorization: AWS4-HMAC-SHA256 Credential=AKIALOCALSAGEMAKER00/20261122/us-east-1/s3/aws4_request, x"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(f"{head}\r\n\r\n4\r\nbody\r\n0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b" 411 " in answer.partition(b"\r\n")[0]
    assert b"MissingContentLength" in answer


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "?list-type=2&max-keys=many", {}),
        ("GET", "?versions&max-keys=-1", {}),
        ("PUT", "/k?uploadId=u&partNumber=0", {}),
        ("PUT", "/k?uploadId=u&partNumber=10001", {}),
        ("PUT", "/k", {"x-amz-copy-source": "no-slash"}),
        ("PUT", "/k", {"x-amz-acl": "no-such-acl"}),
        ("GET", "/k", {"if-modified-since": "yesterday"}),
    ],
)
def test_a_bad_parameter_is_the_client_s_fault(
    server: Server, s3: Any, bucket: str, method: str, target: str, headers: dict[str, str]
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    status, body = server.signed(method, f"/{bucket}{target}", b"", headers)
    assert (status, code(body)) == (400, "InvalidArgument")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_an_upload_s_id_is_good_for_its_own_key_only(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="mine")["UploadId"]
    for call in (
        lambda: s3.upload_part(Bucket=bucket, Key="other", UploadId=upload, PartNumber=1, Body=b""),
        lambda: s3.abort_multipart_upload(Bucket=bucket, Key="other", UploadId=upload),
        lambda: s3.list_parts(Bucket=bucket, Key="other", UploadId=upload),
    ):
        with refused("NoSuchUpload", 404):
            call()
    s3.abort_multipart_upload(Bucket=bucket, Key="mine", UploadId=upload)


def test_many_hands_at_once_get_right_answers(server: Server, bucket: str) -> None:
    failures: list[str] = []

    def work(number: int) -> None:
        s3 = server.client("s3")
        for round_ in range(6):
            key, body = f"{number}/{round_}", os.urandom(40_000)
            s3.put_object(Bucket=bucket, Key=key, Body=body)
            if s3.get_object(Bucket=bucket, Key=key)["Body"].read() != body:
                failures.append(f"body of {key}")
            s3.copy_object(Bucket=bucket, Key=f"{key}-copy", CopySource=f"{bucket}/{key}")
            s3.delete_object(Bucket=bucket, Key=key)
            if s3.get_object(Bucket=bucket, Key=f"{key}-copy")["Body"].read() != body:
                failures.append(f"copy of {key}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert server.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 36


def test_a_connection_serves_request_after_request(server: Server, bucket: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    scope = "AWS4-HMAC-SHA256 Credential=AKIALOCALSAGEMAKER00/20261122/us-east-1/s3/aws4_request, Signature=0"
    for method in ("PUT", "HEAD", "GET", "HEAD", "DELETE", "GET", "HEAD"):
        body = b"x" * 100_000 if method == "PUT" else None
        connection.request(method, f"/{bucket}/k", body, {"authorization": scope})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 204, 404)
        if method == "GET" and answer.status == 200:
            assert content == b"x" * 100_000
    connection.close()
