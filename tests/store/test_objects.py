"""Objects on disk: bodies, bucket rules, files moved and laid out, readers beside writers."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.errors import ServerError
from corelab.store import index
from corelab.store.blobs import INLINE_LIMIT, BlobFolder, Content
from corelab.store.contract import ObjectNotFound
from corelab.store.database import Database
from corelab.store.index import Bucket, ObjectIndex, Version, range_end
from corelab.store.objects import Objects

SMALL, LARGE = b"small", b"l" * (INLINE_LIMIT + 1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "objects.db", index.SCHEMA, survives_power_loss=True)
    yield database
    database.close()


@pytest.fixture
def table(database: Database, tmp_path: Path) -> ObjectIndex:
    return ObjectIndex(database, BlobFolder(tmp_path / "blobs"))


@pytest.fixture
def objects(table: ObjectIndex) -> Objects:
    objects = Objects(table)
    objects.create_bucket("b", "us-east-1")
    return objects


def blobs(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "blobs").glob("*/*"))


@pytest.mark.parametrize("body", [b"", SMALL, LARGE])
def test_a_body_comes_back_whole_and_known_by_its_md5(objects: Objects, body: bytes) -> None:
    objects.put_bytes("b", "k", body)
    with objects.open("b", "k") as reader:
        assert reader.read() == body
    assert objects.head("b", "k").etag == hashlib.md5(body).hexdigest()
    assert objects.head("b", "k").size == len(body)


def test_large_bodies_are_read_only_files_and_small_ones_none(objects: Objects, tmp_path: Path) -> None:
    objects.put_bytes("b", "small", SMALL)
    assert blobs(tmp_path) == []
    objects.put_bytes("b", "large", LARGE)
    (blob,) = blobs(tmp_path)
    assert blob.stat().st_mode & 0o222 == 0


def test_a_replaced_body_leaves_no_file(objects: Objects, tmp_path: Path) -> None:
    for _ in range(3):
        objects.put_bytes("b", "k", LARGE)
    assert len(blobs(tmp_path)) == 1
    objects.put_bytes("b", "k", SMALL)
    assert blobs(tmp_path) == []


def test_what_is_not_there_is_not_found(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    for call in (
        lambda: objects.open("b", "none"),
        lambda: objects.open("none", "k"),
        lambda: list(objects.list("none")),
        lambda: objects.put_bytes("none", "k", LARGE),
        lambda: objects.put_file("none", "k", tmp_path / "file", move=True),
        lambda: objects.fetch("b", "none", tmp_path / "target"),
    ):
        with pytest.raises(ObjectNotFound):
            call()
    assert blobs(tmp_path) == []
    assert (tmp_path / "file").exists()


@given(
    st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=1, max_size=12), st.data()
)
def test_the_range_of_a_prefix_holds_exactly_the_keys_that_start_with_it(
    keys: set[str], data: st.DataObject
) -> None:
    prefix = data.draw(st.sampled_from(sorted(keys)))[: data.draw(st.integers(0, 3))]
    end = range_end(prefix.encode())
    chosen = {key for key in keys if key.encode() >= prefix.encode() and (end is None or key.encode() < end)}
    assert chosen == {key for key in keys if key.startswith(prefix)}


def test_a_listing_is_complete_and_ordered(objects: Objects, table: ObjectIndex) -> None:
    keys = [f"k/{number}" for number in range(1005)] + ["l", "ü", "😀", "K"]
    with table.change() as change:
        for key in keys:
            change.put(Version("b", key, "null", Content(0, "", b""), "", 0.0, ""))
    assert [entry.key for entry in objects.list("b")] == sorted(keys, key=str.encode)
    assert len(list(objects.list("b", "k/"))) == 1005
    assert [entry.key for entry in objects.list("b", "ü")] == ["ü"]


def test_a_bucket_is_made_once_and_keeps_its_region(objects: Objects, table: ObjectIndex) -> None:
    with table.change() as change:
        change.put_bucket(Bucket("b", "ignored", 0.0, "Enabled"))
    objects.create_bucket("b", "eu-west-1")
    assert objects.bucket_region("b") == "us-east-1"
    assert objects.bucket_region("none") is None
    assert table.bucket("b").versioning == "Enabled"


def test_versions_pile_up_or_replace_as_the_bucket_says(objects: Objects, table: ObjectIndex) -> None:
    for status, expected in ((None, 1), ("Enabled", 3), ("Suspended", 3)):
        with table.change() as change:
            change.put_bucket(Bucket("b", "us-east-1", 0.0, status))
        objects.put_bytes("b", "k", b"1")
        objects.put_bytes("b", "k", b"2")
        assert len(table.versions("b", "k")) == expected
    assert [version.id for version in table.versions("b", "k")][-1] == "null"


def test_a_deleted_latest_version_brings_the_one_before_back(objects: Objects, table: ObjectIndex) -> None:
    with table.change() as change:
        change.put_bucket(Bucket("b", "us-east-1", 0.0, "Enabled"))
    objects.put_bytes("b", "k", b"old")
    objects.put_bytes("b", "k", b"new")
    with table.change() as change:
        change.remove("b", "k", table.current("b", "k").id)
    with objects.open("b", "k") as reader:
        assert reader.read() == b"old"


def test_a_moved_file_becomes_the_object(objects: Objects, tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.write_bytes(LARGE)
    inode = source.stat().st_ino
    objects.put_file("b", "k", source, move=True)
    assert not source.exists()
    assert blobs(tmp_path)[0].stat().st_ino == inode
    with objects.open("b", "k") as reader:
        assert reader.read() == LARGE


def test_a_copied_file_stays_and_may_change(objects: Objects, tmp_path: Path) -> None:
    source = tmp_path / "checkpoint"
    source.write_bytes(LARGE)
    objects.put_file("b", "k", source)
    source.write_bytes(b"changed")
    assert objects.head("b", "k").size == len(LARGE)


def test_a_fetched_object_is_a_link_and_takes_the_place_of_what_was_there(
    objects: Objects, tmp_path: Path
) -> None:
    target = tmp_path / "train.csv"
    for key, body in (("small", SMALL), ("large", LARGE)):
        target.write_bytes(b"old")
        objects.put_bytes("b", key, body)
        objects.fetch("b", key, target)
        assert target.read_bytes() == body
    assert target.stat().st_ino == blobs(tmp_path)[0].stat().st_ino
    objects.put_bytes("b", "large", b"replaced")
    assert target.read_bytes() == LARGE


def test_readers_see_whole_bodies_while_they_are_replaced(objects: Objects) -> None:
    bodies = [bytes([number]) * (INLINE_LIMIT + 7) for number in range(4)]
    objects.put_bytes("b", "k", bodies[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            with objects.open("b", "k") as reader:
                seen.add(reader.read())

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(20):
        objects.put_bytes("b", "k", bodies[number % 4])
    done.set()
    for thread in threads:
        thread.join()
    assert seen <= set(bodies)


def test_a_failed_change_changes_nothing(objects: Objects, table: ObjectIndex, tmp_path: Path) -> None:
    objects.put_bytes("b", "k", LARGE)
    with pytest.raises(RuntimeError), table.change() as change:
        change.remove("b", "k", "null")
        raise RuntimeError("half way")
    with objects.open("b", "k") as reader:
        assert reader.read() == LARGE
    assert len(blobs(tmp_path)) == 1


def test_a_full_bucket_cannot_go_and_a_missing_one_takes_nothing(
    objects: Objects, table: ObjectIndex
) -> None:
    objects.put_bytes("b", "k", SMALL)
    with pytest.raises(sqlite3.IntegrityError), table.change() as change:
        change.remove_bucket("b")
    with pytest.raises(sqlite3.IntegrityError), table.change() as change:
        change.put(Version("none", "k", "null", Content(0, ""), "", 0.0, ""))


def test_a_row_never_names_a_body_that_has_gone(objects: Objects, table: ObjectIndex) -> None:
    objects.put_bytes("b", "k", LARGE)
    version = table.current("b", "k")
    objects.put_bytes("b", "k", SMALL)
    with pytest.raises(FileNotFoundError), table.change() as change:
        change.put(Version("b", "copy", "null", version.content, version.etag, 0.0, ""))
    with pytest.raises(ObjectNotFound):
        objects.open("b", "copy")


def test_a_sweep_takes_only_what_no_row_names(objects: Objects, table: ObjectIndex, tmp_path: Path) -> None:
    objects.put_bytes("b", "k", LARGE)
    stray = tmp_path / "blobs" / "ff" / ("f" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    assert table.blobs.sweep(table.blob_ids()) == 1
    assert [blob.read_bytes() for blob in blobs(tmp_path)] == [LARGE]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 31, "A" * 32, "", "a" * 32 + "\n"])
def test_a_blob_has_an_id_and_no_other_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="id of a blob"):
        BlobFolder(tmp_path / "blobs").path(name)


def test_an_abandoned_body_leaves_no_file(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path / "blobs")
    with pytest.raises(KeyError), folder.writer() as writer:
        writer.write(LARGE)
        raise KeyError
    assert blobs(tmp_path) == []


def test_a_reopened_database_has_everything(objects: Objects, database: Database, tmp_path: Path) -> None:
    objects.put_bytes("b", "k", LARGE)
    database.close()
    again = Database(tmp_path / "objects.db", index.SCHEMA, survives_power_loss=True)
    with Objects(ObjectIndex(again, BlobFolder(tmp_path / "blobs"))).open("b", "k") as reader:
        assert reader.read() == LARGE
    again.close()


def test_a_file_of_another_kind_or_version_is_named_and_left_alone(tmp_path: Path) -> None:
    strange, newer = tmp_path / "strange.db", tmp_path / "newer.db"
    strange.write_bytes(b"no database at all" * 100)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for path in (strange, newer):
        with pytest.raises(ServerError, match=f"{path.name} cannot be used"):
            Database(path, index.SCHEMA, survives_power_loss=True)
    assert strange.read_bytes() == b"no database at all" * 100
    with closing(sqlite3.connect(newer)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_files_are_closed_when_the_database_is(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db", index.SCHEMA, survives_power_loss=False)
    with database.read() as one, database.read() as other:
        assert one is not other
    database.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.db"]
