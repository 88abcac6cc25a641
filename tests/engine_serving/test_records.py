"""Payloads are whole records in order, never above the limit."""

from __future__ import annotations

import io
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.batch.failures import ObjectFailed
from corelab.engine.batch.records import blocks


def cut(body: bytes, split: str, limit: int = 0, single: bool = False) -> list[bytes]:
    return list(blocks(io.BytesIO(body), split, limit, single))


lines = st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=30)


@given(lines, st.booleans(), st.integers(12, 60), st.booleans())
def test_lines_come_out_as_they_went_in(records, ended, limit, single) -> None:
    body = b"\n".join(records) + (b"\n" if ended and records else b"")
    payloads = cut(body, "Line", limit, single)
    assert b"\n".join(payloads) == body.removesuffix(b"\n")
    assert all(len(payload) <= limit for payload in payloads)
    if single:
        assert all(b"\n" not in payload for payload in payloads)


@given(lines, st.integers(12, 60))
def test_a_payload_holds_as_many_lines_as_fit(records, limit) -> None:
    payloads = cut(b"\n".join(records), "Line", limit)
    for payload, following in itertools.pairwise(payloads):
        assert len(payload) + 1 + len(following.split(b"\n")[0]) > limit


def test_a_record_of_exactly_the_limit_fits_and_one_byte_more_fails_the_object() -> None:
    assert cut(b"aaaa\nbbbb\n", "Line", 4) == [b"aaaa", b"bbbb"]
    for single in (False, True):
        with pytest.raises(ObjectFailed, match="Too much data for max payload size"):
            cut(b"aaaa\nbbbbb\ncc", "Line", 4, single)


def test_an_object_larger_than_a_read_is_cut_at_the_same_places() -> None:
    body = b"".join(b"%d,%d\n" % (number, number * number) for number in range(200_000))
    payloads = cut(body, "Line", 300_000)
    assert b"\n".join(payloads) + b"\n" == body
    assert len(payloads) == -(-len(body) // 300_000)


def test_no_limit_makes_one_payload() -> None:
    assert cut(b"a\nb\n" * 500_000, "Line") == [(b"a\nb\n" * 500_000)[:-1]]


def test_an_empty_object_has_no_payload_and_a_blank_line_is_an_empty_record() -> None:
    for split in ("None", "Line", "RecordIO"):
        assert cut(b"", split, 10) == []
    assert cut(b"\n", "Line", 10) == [b""]
    assert cut(b"a\n\nb", "Line", 10, single=True) == [b"a", b"", b"b"]


def test_without_a_split_the_object_is_one_payload_or_too_large() -> None:
    assert cut(b"a\nb\n", "None", 4) == [b"a\nb\n"]
    with pytest.raises(ObjectFailed, match="Too much data"):
        cut(b"a\nb\nc", "None", 4)


def recordio(payload: bytes, kind: int = 0) -> bytes:
    return struct.pack("<II", 0xCED7230A, kind << 29 | len(payload)) + payload + b"\0" * (-len(payload) % 4)


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(28, 100), st.booleans())
def test_recordio_payloads_are_whole_frames(payloads, limit, single) -> None:
    frames = [recordio(payload) for payload in payloads]
    made = cut(b"".join(frames), "RecordIO", limit, single)
    assert b"".join(made) == b"".join(frames)
    assert all(len(part) <= limit for part in made)
    if single:
        assert made == frames


def test_a_recordio_record_of_several_parts_stays_together() -> None:
    whole, parts = recordio(b"abcd"), recordio(b"ab", 1) + recordio(b"cd", 2) + recordio(b"ef", 3)
    assert cut(whole + parts + whole, "RecordIO", 40, single=True) == [whole, parts, whole]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"1,2,3,4,5", "as RecordIO"),
        (recordio(b"ab", 1), "inside a RecordIO record"),
        (recordio(b"a" * 60), "Too much data"),
        (b"\x0a", "as RecordIO"),
    ],
)
def test_what_is_no_recordio_fails_the_object(body: bytes, reason: str) -> None:
    with pytest.raises(ObjectFailed, match=reason):
        cut(body, "RecordIO", 40)
