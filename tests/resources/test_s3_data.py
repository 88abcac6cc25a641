"""Which objects a data source stands for, and where they may land."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.resources.s3_data import BadSource, S3Uri, items, relative_name, safe_path, shard
from corelab.store.contract import ObjectNotFound, StoredObject


class Bucket:
    """The two reading methods of an object store, over a dictionary."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies = bodies

    def list(self, bucket: str, prefix: str = ""):
        for key in sorted(self.bodies):
            if key.startswith(prefix):
                yield StoredObject(bucket, key, len(self.bodies[key]), "", 0.0)

    def open(self, bucket: str, key: str) -> io.BytesIO:
        if key not in self.bodies:
            raise ObjectNotFound(key)
        return io.BytesIO(self.bodies[key])


@pytest.mark.parametrize(
    ("prefix", "key", "relative"),
    [
        ("in/", "in/test.csv", "test.csv"),
        ("in", "in/test.csv", "test.csv"),
        ("in", "in/d/b.csv", "d/b.csv"),
        ("in/test.csv", "in/test.csv", "test.csv"),
        ("train/x", "train/x2/file", "x2/file"),
        ("in/te", "in/test.csv", "test.csv"),
        ("", "a/b.csv", "a/b.csv"),
        ("te", "test.csv", "test.csv"),
    ],
)
def test_a_key_keeps_the_part_after_its_prefix(prefix: str, key: str, relative: str) -> None:
    assert relative_name(prefix, key) == relative


def test_a_prefix_is_a_string_and_not_a_folder() -> None:
    store = Bucket({"train/x.csv": b"1", "train/x2/file": b"2", "other": b"3"})
    assert [i.relative for i in items(store, "s3://b/train/x")] == ["x.csv", "x2/file"]


def test_folder_markers_are_no_data() -> None:
    assert list(items(Bucket({"in/": b"", "in/d/": b""}), "s3://b/in/")) == []


def test_a_manifest_names_its_objects() -> None:
    store = Bucket(
        {"m.json": b'[{"prefix": "s3://b/p/"}, "a.csv", "d/b.csv"]', "p/a.csv": b"1", "p/d/b.csv": b"22"}
    )
    assert [(i.key, i.size, i.relative) for i in items(store, "s3://b/m.json", "ManifestFile")] == [
        ("p/a.csv", 1, "a.csv"),
        ("p/d/b.csv", 2, "d/b.csv"),
    ]


def test_a_manifest_that_names_a_missing_object_is_not_found() -> None:
    store = Bucket({"m.json": b'[{"prefix": "s3://b/p/"}, "a.csv"]'})
    with pytest.raises(ObjectNotFound):
        list(items(store, "s3://b/m.json", "ManifestFile"))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"[1]", b'[{"prefix": 1}]', b'[{"prefix": "s3://b/"}, 7]', b"[" * 9000]
)
def test_a_broken_manifest_says_what_one_looks_like(body: bytes) -> None:
    with pytest.raises(BadSource, match="is not a manifest such as"):
        list(items(Bucket({"m.json": body}), "s3://b/m.json", "ManifestFile"))


@pytest.mark.parametrize("uri", ["", "b/k", "https://b/k", "s3://", "s3:/b"])
def test_anything_but_an_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(BadSource, match="expected s3://bucket/prefix"):
        S3Uri.parse(uri)


def test_joining_makes_no_doubled_slash() -> None:
    assert str(S3Uri.parse("s3://b/out/").joined("job", "output")) == "s3://b/out/job/output"
    assert str(S3Uri.parse("s3://b").joined("job")) == "s3://b/job"


@pytest.mark.parametrize(
    "hostile", ["../x", "a/../../x", "/etc/passwd", "a\0b", "a\\..\\b", "c:x", "x" * 256, ""]
)
def test_hostile_keys_are_refused(hostile: str) -> None:
    with pytest.raises(BadSource):
        safe_path(hostile)


@given(st.text(min_size=1))
def test_no_accepted_key_leaves_its_folder(relative: str) -> None:
    try:
        path = safe_path(relative)
    except BadSource:
        return
    assert (Path("/folder") / path).resolve().is_relative_to("/folder")


def test_shards_share_out_whole_objects() -> None:
    store = Bucket({f"in/{n}": b"x" for n in range(5)})
    found = list(items(store, "s3://b/in/"))
    parts = [shard(found, 2, index) for index in range(2)]
    assert sorted(parts[0] + parts[1], key=lambda i: i.key) == found
    assert [len(part) for part in parts] == [3, 2]
