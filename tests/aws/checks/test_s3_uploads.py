"""S3 uploads in parts, and requests signed beforehand (checks 46 to 52, 62, 69 to 74)."""

from __future__ import annotations

import hashlib
import io
import os
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.aws.checks.register import check
from tests.aws.checks.test_s3_buckets import refused
from tests.aws.conftest import Server

MB = 1024 * 1024


@pytest.fixture(scope="module")
def large() -> bytes:
    return os.urandom(50 * MB)


@pytest.fixture(scope="module")
def uploaded(s3: Any, large: bytes, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Bucket and key of a 50 MB object, uploaded from a file in parts of 8 MB."""
    file = tmp_path_factory.mktemp("upload") / "large"
    file.write_bytes(large)
    s3.create_bucket(Bucket="uploaded-in-parts")
    s3.upload_file(str(file), "uploaded-in-parts", "large")
    return "uploaded-in-parts", "large"


@check(46)
def test_a_large_file_goes_up_in_parts(s3: Any, uploaded: tuple[str, str]) -> None:
    bucket, key = uploaded
    head = s3.head_object(Bucket=bucket, Key=key)
    assert head["ContentLength"] == 50 * MB
    assert head["ETag"].endswith('-7"')


@check(47)
def test_and_comes_down_in_parallel_ranges(
    s3: Any, uploaded: tuple[str, str], large: bytes, tmp_path: Path
) -> None:
    s3.download_file(*uploaded, str(tmp_path / "copy"))
    assert hashlib.md5((tmp_path / "copy").read_bytes()).digest() == hashlib.md5(large).digest()


def test_a_part_of_it_can_be_asked_for_by_number(s3: Any, uploaded: tuple[str, str], large: bytes) -> None:
    bucket, key = uploaded
    part = s3.get_object(Bucket=bucket, Key=key, PartNumber=2)
    assert part["PartsCount"] == 7
    assert part["Body"].read() == large[8 * MB : 16 * MB]


@check(48)
def test_file_objects_go_up_and_down(s3: Any, bucket: str) -> None:
    body = os.urandom(9 * MB)
    s3.upload_fileobj(io.BytesIO(body), bucket, "k")
    target = io.BytesIO()
    s3.download_fileobj(bucket, "k", target)
    assert target.getvalue() == body


@check(49)
def test_the_steps_of_an_upload_can_be_made_one_by_one(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", Metadata={"v": "1"}, ContentType="text/csv")
    name = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    bodies = {2: b"end", 1: os.urandom(5 * MB)}
    etags = {
        number: s3.upload_part(**name, PartNumber=number, Body=body)["ETag"]
        for number, body in bodies.items()
    }
    listed = s3.list_parts(**name)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, 5 * MB), (2, 3)]
    assert [entry["Key"] for entry in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["k"]
    parts = [{"PartNumber": number, "ETag": etags[number]} for number in (1, 2)]
    s3.complete_multipart_upload(**name, MultipartUpload={"Parts": parts})
    answer = s3.get_object(Bucket=bucket, Key="k")
    assert answer["Body"].read() == bodies[1] + bodies[2]
    assert (answer["Metadata"], answer["ContentType"]) == ({"v": "1"}, "text/csv")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@check(50)
def test_only_the_last_part_may_be_small(s3: Any, bucket: str) -> None:
    name, parts = begun(s3, bucket, [b"small", b"last"])
    with refused("EntityTooSmall", 400):
        s3.complete_multipart_upload(**name, MultipartUpload={"Parts": parts})


@check(51)
def test_a_wrong_part_is_refused_and_an_aborted_upload_is_gone(s3: Any, bucket: str) -> None:
    name, parts = begun(s3, bucket, [b"only"])
    with refused("InvalidPart", 400):
        wrong = [{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}]
        s3.complete_multipart_upload(**name, MultipartUpload={"Parts": wrong})
    s3.abort_multipart_upload(**name)
    for call in (
        lambda: s3.upload_part(**name, PartNumber=2, Body=b""),
        lambda: s3.complete_multipart_upload(**name, MultipartUpload={"Parts": parts}),
        lambda: s3.list_parts(**name),
        lambda: s3.abort_multipart_upload(**name),
    ):
        with refused("NoSuchUpload", 404):
            call()


def begun(s3: Any, bucket: str, bodies: list[bytes]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    name = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    return name, [
        {"PartNumber": number, "ETag": s3.upload_part(**name, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, start=1)
    ]


@check(52)
def test_a_part_may_be_copied_from_an_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    name = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    source = {"CopySource": f"{bucket}/source", "CopySourceRange": "bytes=2-5"}
    copied = s3.upload_part_copy(**name, PartNumber=1, **source)["CopyPartResult"]
    parts = [{"PartNumber": 1, "ETag": copied["ETag"]}]
    s3.complete_multipart_upload(**name, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2345"


@check(62)
def test_a_large_object_is_copied_in_parts(s3: Any, uploaded: tuple[str, str], large: bytes) -> None:
    bucket, key = uploaded
    s3.copy({"Bucket": bucket, "Key": key}, bucket, "large copy")
    body = s3.get_object(Bucket=bucket, Key="large copy")["Body"].read()
    assert hashlib.md5(body).digest() == hashlib.md5(large).digest()


def fetch(url: str, body: bytes | None = None, method: str = "GET") -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method), timeout=30) as answer:
        content: bytes = answer.read()
    return content


@check(69, 70)
@pytest.mark.parametrize("signer", ["s3v4", "s3", None])
def test_a_presigned_get_needs_no_key(server: Server, s3: Any, bucket: str, signer: str | None) -> None:
    s3.put_object(Bucket=bucket, Key="a b+c", Body=b"presigned")
    client = server.client("s3", config={"signature_version": signer} if signer else {})
    assert (
        fetch(client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b+c"})) == b"presigned"
    )


@check(71)
def test_a_presigned_put_stores(s3: Any, bucket: str) -> None:
    fetch(s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"}), b"put", "PUT")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"put"


@check(72)
@pytest.mark.parametrize("signer", ["s3v4", "s3"])
def test_a_presigned_url_runs_out(server: Server, s3: Any, bucket: str, signer: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    client = server.client("s3", config={"signature_version": signer})
    url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}, ExpiresIn=1)
    time.sleep(2)
    status, _, body = server.raw("GET", url.removeprefix(server.url))
    assert status == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body


@check(73)
def test_a_form_may_post_what_was_presigned(server: Server, s3: Any, bucket: str) -> None:
    form = s3.generate_presigned_post(bucket, "folder/${filename}")
    assert post(server, bucket, form["fields"])[0] == 204
    assert s3.get_object(Bucket=bucket, Key="folder/a.csv")["Body"].read() == b"1,2,3"


def test_a_form_that_ran_out_or_names_nobody_is_refused(server: Server, s3: Any, bucket: str) -> None:
    late = s3.generate_presigned_post(bucket, "late", ExpiresIn=-60)["fields"]
    assert post(server, bucket, late)[0] == 403
    assert post(server, bucket, {"key": "anonymous"})[0] == 403
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def post(server: Server, bucket: str, fields: dict[str, str]) -> tuple[int, bytes]:
    """A browser's form with one file."""
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        '--B\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1,2,3\r\n--B--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=B"}
    status, _, body = server.raw("POST", f"/{bucket}", "".join(parts).encode(), headers)
    return status, body


@check(74)
def test_a_get_may_override_what_the_answer_says_of_itself(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ContentType="text/csv")
    answer = s3.get_object(
        Bucket=bucket, Key="k", ResponseContentType="text/plain", ResponseCacheControl="no-store"
    )
    assert (answer["ContentType"], answer["CacheControl"]) == ("text/plain", "no-store")
