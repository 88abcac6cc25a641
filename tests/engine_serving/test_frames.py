"""Frames survive any cutting of the stream, and a corrupt length never becomes an allocation."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.frames import (
    CorruptFrame,
    FrameSplitter,
    Verb,
    read_request,
    read_response,
    request_head,
    response_bytes,
)
from corelab.engine.serving_contract import InvocationRequest, InvocationResponse

headers = st.none() | st.text(st.characters(codec="utf-8"), max_size=40)
requests = st.builds(InvocationRequest, st.binary(max_size=300), headers, headers)
responses = st.builds(
    InvocationResponse, st.integers(100, 599), st.text("a/b; =", max_size=20), st.binary(max_size=300)
)
numbers = st.integers(0, 2**32 - 1)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


@given(
    st.lists(st.tuples(numbers, st.sampled_from(Verb), requests), max_size=6), st.lists(st.integers(0, 4000))
)
def test_requests_arrive_whole_however_the_stream_is_cut(sent, places) -> None:
    stream = b"".join(request_head(number, verb, request) + request.body for number, verb, request in sent)
    splitter = FrameSplitter()
    frames = [frame for part in cut(stream, places) for frame in splitter.feed(part)]
    assert [read_request(frame) for frame in frames] == sent


@given(st.lists(st.tuples(numbers, responses), max_size=6), st.lists(st.integers(0, 4000)))
def test_responses_arrive_whole_however_the_stream_is_cut(sent, places) -> None:
    stream = b"".join(response_bytes(number, response) for number, response in sent)
    splitter = FrameSplitter()
    frames = [frame for part in cut(stream, places) for frame in splitter.feed(part)]
    assert [read_response(frame) for frame in frames] == sent


def test_an_absent_header_is_not_an_empty_one() -> None:
    absent = read_request(request_head(1, Verb.INVOKE, InvocationRequest(b""))[4:])
    empty = read_request(request_head(1, Verb.INVOKE, InvocationRequest(b"", "", ""))[4:])
    assert absent[2] == InvocationRequest(b"", None, None)
    assert empty[2] == InvocationRequest(b"", "", "")


def test_an_endless_header_is_cut_and_not_an_error() -> None:
    head = request_head(1, Verb.INVOKE, InvocationRequest(b"", "é" * 100_000, "\ud800"))
    _, _, request = read_request(head[4:])
    assert request.content_type == "é" * 4096
    assert request.accept == "?"


@pytest.mark.parametrize("start", [b"", b"\x01"])
def test_a_length_beyond_all_limits_is_a_corrupt_frame(start: bytes) -> None:
    splitter = FrameSplitter()
    splitter.feed(start)
    with pytest.raises(CorruptFrame, match="expected a frame of at most"):
        splitter.feed(b"\xff\xff\xff\xff\xff" + b"\0" * 20)
