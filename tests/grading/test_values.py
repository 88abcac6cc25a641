"""Plain values cross the wall unchanged; everything else crosses as nothing or as a handle."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corelab.grading.values import Decoder, Handle, NotPlain, encode


def refuse(_: dict[str, Any]) -> Any:
    raise AssertionError("nobody asked")


def across(value: Any) -> Any:
    kept: list[Any] = []
    text = json.dumps(encode(value, lambda thing: kept.append(thing) or len(kept) - 1))
    return Decoder(refuse).decode(json.loads(text))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
    | st.tuples(inner, inner),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(plain)
def test_plain_values_cross_unchanged(value: Any) -> None:
    assert across(value) == value


@pytest.mark.parametrize(
    "value",
    [
        {1, 2}, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.date(2026, 1, 2), dt.timedelta(seconds=1.5),
        Decimal("1.10"), PurePosixPath("a/b"), 10**40, "\ud800",
    ],
    ids=repr,
)  # fmt: skip
def test_other_plain_values_cross_too(value: Any) -> None:
    assert across(value) == value


def test_numbers_of_numpy_become_numbers() -> None:
    assert across(np.float32(0.5)) == 0.5
    assert type(across(np.int64(3))) is int
    assert across(np.bool_(True)) is True
    assert math.isnan(across(float("nan")))


@pytest.mark.parametrize(
    "array", [np.arange(6).reshape(2, 3), np.array([], float), np.array(["a", "bc"]), np.zeros((2, 0, 3))]
)
def test_arrays_cross_unchanged(array: np.ndarray) -> None:
    np.testing.assert_array_equal(across(array), array)
    assert across(array).dtype == array.dtype


def test_tables_cross_unchanged() -> None:
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.to_datetime(["2026-01-01", "2026-01-02"]), "d": [True, False]}, index=[7, 9])  # fmt: skip
    pd.testing.assert_frame_equal(across(table), table)
    pd.testing.assert_series_equal(across(table["a"]), table["a"])
    pd.testing.assert_frame_equal(
        across(pd.DataFrame(index=[1, 2])), pd.DataFrame(index=[1, 2]), check_column_type=False
    )


def test_shapes_of_the_sdk_are_made_anew_from_their_fields() -> None:
    from sagemaker_core.shapes import Channel, DataSource, S3DataSource

    source = DataSource(s3_data_source=S3DataSource(s3_data_type="S3Prefix", s3_uri="s3://b/k"))
    channel = across(Channel(channel_name="train", data_source=source, content_type="text/csv"))
    assert type(channel) is Channel
    assert channel.data_source.s3_data_source.s3_uri == "s3://b/k"


def test_a_subclass_leaves_its_tricks_behind() -> None:
    class Liar(float):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert type(across(Liar(1.0))) is float
    assert across(Liar(1.0)) != 2.0


def test_a_function_becomes_a_handle_that_is_asked_by_value() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> Any:
        asked.append(request)
        return 12

    handle = Decoder(answer).decode(json.loads(json.dumps(encode(abs, lambda _: 4))))
    assert isinstance(handle, Handle)
    assert handle(-12, key=[1]) == 12
    assert handle.name == 12
    assert asked[0] == {"do": "call", "id": 4, "args": [-12], "kwargs": {"key": [1]}}


def test_the_judges_own_objects_do_not_cross() -> None:
    with pytest.raises(NotPlain):
        encode(object())


def header(text: str) -> str:
    head = text.encode().ljust(117) + b"\n"
    return base64.b64encode(
        b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + b"12345678"
    ).decode()


@pytest.mark.parametrize(
    "item",
    [
        {"t": "nobody knows"}, {"v": 1}, {"t": "tuple", "v": 3}, {"t": "dict", "v": [[1]]}, {"t": "bytes", "v": "*"},
        {"t": "set", "v": [[]]}, {"t": "dict", "v": [[[], 1]]}, {"t": "array", "v": ""},
        {"t": "array", "v": header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}")},
        {"t": "array", "v": header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}")},
        {"t": "array", "v": header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}")},
        {"t": "array", "v": header("__import__('os').abort()")},
        {"t": "frame", "names": [1], "index": [1], "v": [[1, 2]]}, {"t": "shape", "type": "os", "v": {}},
        {"t": "shape", "type": "Unassigned", "v": {}}, {"t": "shape", "type": "Channel", "v": {"nope": 1}},
        {"t": "handle", "id": "x"}, {"t": "datetime", "v": "soon"}, {"t": "decimal", "v": "x"}, {"t": ["list"]},
        {"t": "_ask", "v": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_forged_encoding_is_refused(item: Any) -> None:
    with pytest.raises(NotPlain):
        Decoder(refuse).decode(item)


def test_a_deep_or_endless_value_is_refused() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(NotPlain):
        Decoder(refuse).decode(deep)
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(NotPlain):
        encode(ring)
