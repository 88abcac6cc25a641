"""S3 listings: pages, prefixes, markers (checks 53 to 59)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws.checks.register import check
from tests.aws.checks.test_s3_buckets import refused

TREE = ["a.csv", "data/2024/x", "data/2024/y", "data/2025/x", "data/readme", "logs/1", "logs/2", "z"]


@pytest.fixture
def tree(s3: Any, bucket: str) -> str:
    for key in TREE:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    return bucket


def keys(page: dict[str, Any]) -> list[str]:
    return [entry["Key"] for entry in page.get("Contents", [])]


def prefixes(page: dict[str, Any]) -> list[str]:
    return [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]


@check(53)
def test_pages_follow_each_other_in_order_and_count(s3: Any, bucket: str) -> None:
    names = [f"k{number:02}" for number in range(25)]
    for name in reversed(names):
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 10}))
    assert [page["KeyCount"] for page in pages] == [10, 10, 5]
    assert [key for page in pages for key in keys(page)] == names


@check(54)
def test_a_listing_starts_after_a_key_and_says_whether_there_is_more(s3: Any, tree: str) -> None:
    page = s3.list_objects_v2(Bucket=tree, StartAfter="data/2025/x", MaxKeys=2)
    assert keys(page) == ["data/readme", "logs/1"]
    assert page["IsTruncated"]
    rest = s3.list_objects_v2(Bucket=tree, ContinuationToken=page["NextContinuationToken"])
    assert keys(rest) == ["logs/2", "z"]
    assert not rest["IsTruncated"]
    assert s3.list_objects_v2(Bucket=tree, MaxKeys=0)["KeyCount"] == 0


@check(55)
def test_a_delimiter_rolls_keys_up_into_prefixes(s3: Any, tree: str) -> None:
    top = s3.list_objects_v2(Bucket=tree, Delimiter="/")
    assert (keys(top), prefixes(top)) == (["a.csv", "z"], ["data/", "logs/"])
    inside = s3.list_objects_v2(Bucket=tree, Delimiter="/", Prefix="data/")
    assert (keys(inside), prefixes(inside)) == (["data/readme"], ["data/2024/", "data/2025/"])


@check(56)
def test_in_pages_each_prefix_comes_once(s3: Any, tree: str) -> None:
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=tree, Delimiter="/", PaginationConfig={"PageSize": 1}))
    assert [prefixes(page) + keys(page) for page in pages] == [["a.csv"], ["data/"], ["logs/"], ["z"]]


@check(57)
def test_a_prefix_need_not_end_with_a_slash(s3: Any, tree: str) -> None:
    assert keys(s3.list_objects_v2(Bucket=tree, Prefix="data/20")) == TREE[1:4]
    empty = s3.list_objects_v2(Bucket=tree, Prefix="none")
    assert empty["KeyCount"] == 0
    assert "Contents" not in empty


@check(58)
def test_an_entry_tells_what_a_listing_should(s3: Any, tree: str) -> None:
    page = s3.list_objects_v2(Bucket=tree, EncodingType="url")
    entry = page["Contents"][0]
    assert page["EncodingType"] == "url"
    assert entry["ETag"] == s3.head_object(Bucket=tree, Key="a.csv")["ETag"]
    assert (entry["Size"], entry["StorageClass"]) == (1, "STANDARD")
    assert entry["LastModified"] == s3.head_object(Bucket=tree, Key="a.csv")["LastModified"]


@check(59)
def test_version_1_lists_by_marker(s3: Any, tree: str) -> None:
    pages = list(s3.get_paginator("list_objects").paginate(Bucket=tree, PaginationConfig={"PageSize": 3}))
    assert [key for page in pages for key in keys(page)] == TREE
    assert keys(s3.list_objects(Bucket=tree, Marker="logs/1")) == ["logs/2", "z"]


def test_versions_are_listed_in_pages_too(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "b", "a", "b", "a"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.delete_object(Bucket=bucket, Key="b")
    paginator = s3.get_paginator("list_object_versions")
    pages = list(paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
    versions = [entry for page in pages for entry in page.get("Versions", [])]
    assert [entry["Key"] for entry in versions] == ["a", "a", "a", "b", "b"]
    assert [entry["IsLatest"] for entry in versions] == [True, False, False, False, False]
    assert [entry["Key"] for page in pages for entry in page.get("DeleteMarkers", [])] == ["b"]


def test_a_foreign_continuation_token_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400):
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="gibberish")
