"""S3 objects: bodies, digests, headers, conditions, copies, tags (checks 14 to 45, 60 to 67, 77 to 79)."""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import io
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from corelab.aws.checksums import checksum_of
from tests.aws.checks.register import check
from tests.aws.checks.test_s3_buckets import new_name, refused
from tests.aws.conftest import Server

BODY = b"0123456789"


def read(s3: Any, bucket: str, key: str, **options: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()
    return body


@check(14, 15)
def test_put_answers_with_the_md5_as_etag_and_the_default_checksum(s3: Any, bucket: str) -> None:
    answer = s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    assert answer["ETag"] == f'"{hashlib.md5(BODY).hexdigest()}"'
    assert answer["ChecksumCRC32"] == base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()


@check(16)
def test_get_gives_the_body_and_all_that_is_known_of_it(s3: Any, bucket: str) -> None:
    metadata = {"my_key": "underscored", "other-key": "dashed"}
    s3.put_object(Bucket=bucket, Key="k", Body=BODY, ContentType="text/csv", Metadata=metadata)
    answer = s3.get_object(Bucket=bucket, Key="k")
    assert answer["Body"].read() == BODY
    assert answer["ContentType"] == "text/csv"
    assert answer["Metadata"] == metadata
    assert answer["ContentLength"] == len(BODY)
    assert answer["AcceptRanges"] == "bytes"
    assert abs(datetime.now(UTC) - answer["LastModified"]) < timedelta(minutes=5)


@check(17)
def test_the_default_content_type_is_a_stream_of_bytes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == "binary/octet-stream"


@check(18)
def test_get_and_head_give_the_checksum_when_asked(s3: Any, bucket: str) -> None:
    stored = s3.put_object(Bucket=bucket, Key="k", Body=BODY)["ChecksumCRC32"]
    for call in (s3.get_object, s3.head_object):
        assert call(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == stored


@check(19)
def test_a_wrong_checksum_is_refused_and_nothing_stored(s3: Any, bucket: str) -> None:
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=BODY, ChecksumCRC32="AAAAAA==")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="k")


@check(20)
def test_a_wrong_md5_is_refused(s3: Any, bucket: str) -> None:
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=BODY, ContentMD5=wrong)
    with refused("InvalidDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=BODY, ContentMD5="no md5")


@check(21, 22, 23, 24, 25)
@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"])
def test_every_checksum_goes_round(s3: Any, bucket: str, algorithm: str) -> None:
    member = f"Checksum{algorithm}"
    value = checksum_of([BODY], algorithm)
    assert s3.put_object(Bucket=bucket, Key="k", Body=BODY, **{member: value})[member] == value
    assert s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[member] == value


def test_the_checksums_are_those_of_their_definitions() -> None:
    # The check values of the catalogue of parametrised CRC algorithms.
    assert base64.b64decode(checksum_of([b"1234", b"56789"], "CRC32C")).hex() == "e3069283"
    assert base64.b64decode(checksum_of([b"123456789"], "CRC64NVME")).hex() == "ae8b14860a799888"


@check(26)
def test_a_file_like_body_is_streamed(s3: Any, bucket: str) -> None:
    body = b"x" * 300_000
    s3.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(body))
    assert read(s3, bucket, "k") == body


@check(27)
@pytest.mark.parametrize("size", [0, 10, 200_000])
def test_an_aws_chunked_body_is_unwrapped_and_its_trailer_checked(
    s3: Any, server: Server, bucket: str, size: int
) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    assert put_chunked(server, bucket, body, checksum_of([body], "CRC32"))[0] == 200
    assert read(s3, bucket, "chunked") == body
    status, answer = put_chunked(server, bucket, body, "AAAAAQ==")
    assert status == 400
    assert b"BadDigest" in answer


def put_chunked(server: Server, bucket: str, body: bytes, checksum: str) -> tuple[int, bytes]:
    """PUT as SDKs do over TLS: chunks, then a trailing checksum."""
    pieces = [body[start : start + 70_000] for start in range(0, len(body), 70_000)]
    wrapped = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    wrapped += b"0\r\nx-amz-checksum-crc32:" + checksum.encode() + b"\r\n\r\n"
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(body)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    return server.signed("PUT", f"/{bucket}/chunked", wrapped, headers)


@check(28)
def test_descriptive_headers_are_kept(s3: Any, bucket: str) -> None:
    headers = {
        "ContentEncoding": "gzip",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a.csv"',
        "ContentLanguage": "de",
    }
    s3.put_object(Bucket=bucket, Key="k", Body=BODY, **headers)
    answer = s3.get_object(Bucket=bucket, Key="k")
    assert {name: answer[name] for name in headers} == headers


@check(29, 30)
@pytest.mark.parametrize(
    ("asked", "body", "range_"),
    [("2-4", b"234", "2-4/10"), ("-3", b"789", "7-9/10"), ("8-", b"89", "8-9/10"), ("0-99", BODY, "0-9/10")],
)
def test_a_range_gives_those_bytes(s3: Any, bucket: str, asked: str, body: bytes, range_: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    answer = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={asked}")
    assert answer["Body"].read() == body
    assert answer["ContentRange"] == f"bytes {range_}"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


@check(31)
def test_a_range_beyond_the_end_cannot_be_given(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=10-")


@check(32, 33)
def test_a_missing_key_is_named_so(s3: Any, bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="none")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="none")


@check(34, 35, 36)
def test_a_missing_bucket_is_named_so(s3: Any) -> None:
    for call in (
        lambda: s3.get_object(Bucket=new_name(), Key="k"),
        lambda: s3.put_object(Bucket=new_name(), Key="k", Body=BODY),
        lambda: s3.list_objects_v2(Bucket=new_name()),
    ):
        with refused("NoSuchBucket", 404):
            call()


@check(37)
def test_deleting_nothing_is_fine_but_a_full_bucket_stays(s3: Any, bucket: str) -> None:
    assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)


@check(38)
def test_an_empty_object_is_an_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert read(s3, bucket, "k") == b""
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 0


@check(39, 41)
def test_keys_that_look_like_folders_or_differ_in_case_are_different_keys(s3: Any, bucket: str) -> None:
    keys = ["Dir", "dir", "dir/", "dir/x"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert [read(s3, bucket, key).decode() for key in keys] == keys
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == keys


ODD = [
    "a b+c%25",
    "ü/日本/😀",
    "a//b///c",
    "./..//x",
    "../../etc/passwd",
    "/leading",
    "q?a=1&b=2#f",
    "'single' \"double\"",
    "per%2Fcent",
    "<xml>&amp;",
    "tab\tkey",
    "back\\slash",
]


@check(40)
@pytest.mark.parametrize("key", ODD)
def test_odd_keys_are_kept_to_the_letter(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"odd")
    assert read(s3, bucket, key) == b"odd"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.copy_object(Bucket=bucket, Key="copied", CopySource={"Bucket": bucket, "Key": key})
    assert read(s3, bucket, "copied") == b"odd"


@check(42)
def test_a_key_has_at_most_1024_bytes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="ü" * 512, Body=BODY)
    with refused("KeyTooLongError", 400):
        s3.put_object(Bucket=bucket, Key="k" * 1025, Body=BODY)


@check(43)
def test_what_has_not_changed_is_not_sent_again(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=BODY)["ETag"]
    with refused("304"):
        s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag)
    with refused("304"):
        s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=datetime.now(UTC) + timedelta(minutes=1))


@check(44, 45)
def test_conditions_are_kept(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    with refused("PreconditionFailed", 412):
        s3.get_object(Bucket=bucket, Key="k", IfMatch='"0"')
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"new", IfNoneMatch="*")
    assert read(s3, bucket, "k") == BODY


def test_of_many_conditional_writers_exactly_one_wins(s3: Any, bucket: str) -> None:
    def write(number: int) -> bool:
        try:
            s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except s3.exceptions.ClientError:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(24)))
    assert won.count(True) == 1
    assert read(s3, bucket, "lock") == str(won.index(True)).encode()


@check(60)
def test_a_copy_keeps_metadata_unless_told_to_replace_it(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "a"}
    s3.put_object(Bucket=bucket, Key="a", Body=BODY, Metadata={"v": "1"}, ContentType="text/csv")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
    s3.copy_object(
        Bucket=bucket, Key="c", CopySource=source, Metadata={"v": "2"}, MetadataDirective="REPLACE"
    )
    assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"v": "1"}
    assert s3.head_object(Bucket=bucket, Key="b")["ContentType"] == "text/csv"
    assert s3.head_object(Bucket=bucket, Key="c")["Metadata"] == {"v": "2"}
    assert read(s3, bucket, "c") == BODY


@check(61)
def test_a_copy_crosses_buckets_and_regions(server: Server, s3: Any, bucket: str) -> None:
    europe, other = server.client("s3", "eu-west-1"), new_name()
    europe.create_bucket(Bucket=other, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key = "a b/ü+%.csv"
    s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    europe.copy_object(Bucket=other, Key="k", CopySource=f"{bucket}/{key}")
    assert read(europe, other, "k") == BODY


@check(63)
def test_a_copy_of_nothing_is_refused(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/none")


@check(64)
def test_a_copy_onto_itself_must_change_something(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")


@check(65)
def test_many_keys_go_at_once_and_quietly_if_asked(s3: Any, bucket: str) -> None:
    for key in "abc":
        s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    loud = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "none"}]})
    assert sorted(entry["Key"] for entry in loud["Deleted"]) == ["a", "none"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}, {"Key": "c"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert "Errors" not in quiet
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@check(66)
def test_a_filtered_collection_is_deleted_by_the_resource(s3: Any, server: Server, bucket: str) -> None:
    for number in range(12):
        s3.put_object(Bucket=bucket, Key=f"old/{number}", Body=b"")
    s3.put_object(Bucket=bucket, Key="new", Body=b"")
    server.resource("s3").Bucket(bucket).objects.filter(Prefix="old/").delete()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["new"]


@check(67)
def test_tags_come_with_the_object_or_later_and_go(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=BODY, Tagging="a=1&b=two%20words")
    tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "two words"}]
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "c", "Value": "3"}]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


@check(77)
def test_encryption_is_told_and_there_by_default(s3: Any, bucket: str) -> None:
    assert s3.put_object(Bucket=bucket, Key="k", Body=BODY)["ServerSideEncryption"] == "AES256"
    s3.put_object(Bucket=bucket, Key="k", Body=BODY, ServerSideEncryption="aws:kms", SSEKMSKeyId="key")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "key")
    default = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert default["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@check(78)
def test_attributes_are_told_without_the_body(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    wanted = ["ETag", "Checksum", "ObjectSize", "StorageClass"]
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=wanted)
    assert attributes["ETag"] == put["ETag"].strip('"')
    assert attributes["Checksum"]["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert (attributes["ObjectSize"], attributes["StorageClass"]) == (10, "STANDARD")


@check(79)
def test_of_parallel_writers_one_s_whole_body_is_left(s3: Any, bucket: str) -> None:
    bodies = [bytes([number]) * 100_000 for number in range(16)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: s3.put_object(Bucket=bucket, Key="k", Body=body), bodies))
    answer = s3.get_object(Bucket=bucket, Key="k")
    body = answer["Body"].read()
    assert body in bodies
    assert answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
