from __future__ import annotations

import importlib
import io
import os
import struct
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from corelab.engine.xgb.recordio import MAGIC, read_records
from corelab.engine.xgb.tables import read_recordio


@pytest.fixture(scope="module")
def sdk() -> Any:
    """The SageMaker SDK's own writer of this format."""
    os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("sagemaker.amazon.common")


def frame(payload: bytes, kind: int = 0) -> bytes:
    return struct.pack("<II", MAGIC, kind << 29 | len(payload)) + payload + b"\0" * (-len(payload) % 4)


@pytest.mark.parametrize("kind", ["float32", "float64", int])
def test_dense_rows_of_the_sdk_are_read(sdk: Any, kind: Any) -> None:
    features = np.array([[1, -2, 3], [4, 5, 600000]], kind)
    file = io.BytesIO()
    sdk.write_numpy_to_dense_tensor(file, features, np.array([0, 1], "float32"))
    file.seek(0)
    table = read_recordio([file])
    assert table is not None
    assert np.array_equal(table.features, features)
    assert table.label.tolist() == [0, 1]


@settings(max_examples=30)
@given(rows=st.integers(1, 8), columns=st.integers(1, 6), seed=st.integers(0, 99))
def test_sparse_rows_of_the_sdk_are_read(sdk: Any, rows: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    dense = random.normal(size=(rows, columns)) * (random.random((rows, columns)) > 0.6)
    label = random.integers(0, 3, rows)
    file = io.BytesIO()
    sdk.write_spmatrix_to_sparse_tensor(file, scipy.sparse.csr_matrix(dense), label.astype(float))
    file.seek(0)
    table = read_recordio([file])
    assert table is not None
    assert not isinstance(table.features, np.ndarray)
    assert np.array_equal(table.features.toarray(), dense.astype(np.float32))
    assert table.label.tolist() == label.tolist()


def test_records_of_several_files_follow_each_other(sdk: Any) -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for number, file in enumerate(files):
        sdk.write_numpy_to_dense_tensor(file, np.array([[number]], "float32"), np.array([number], "float32"))
        file.seek(0)
    table = read_recordio(files)
    assert table is not None
    assert table.features.tolist() == [[0], [1]]


def test_a_payload_that_was_cut_at_the_magic_number_is_made_whole(sdk: Any) -> None:
    file = io.BytesIO()
    magic_float = np.frombuffer(struct.pack("<I", MAGIC), "<f4")
    sdk.write_numpy_to_dense_tensor(
        file, np.array([[1, magic_float[0], 2]], "float32"), np.array([7], "float32")
    )
    payload = file.getvalue()[8:]
    payload = payload[: struct.unpack_from("<II", file.getvalue())[1]]
    before, after = payload.split(struct.pack("<I", MAGIC))
    (record,) = read_records(io.BytesIO(frame(before, 1) + frame(after, 3)))
    assert record.features.values.tolist() == [1, float(magic_float[0]), 2]


def test_an_empty_stream_holds_no_table() -> None:
    assert read_recordio([io.BytesIO()]) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"label,feature\n1,2\n", "expected the magic number 0xced7230a"),
        (b"\x0a\x23", "ends inside a header"),
        (frame(b"x" * 8)[:10], "ends inside a record"),
        (frame(b"", 5), "unknown kind of record 5"),
        (frame(b"", 3), "a record's end without its start"),
        (frame(b"", 1), "ends inside a record"),
        (frame(b"", 1) + frame(b"", 0), "a record starts before the last one ended"),
        (frame(b""), "record without a numeric feature named 'values'"),
        (frame(b"\x0a\x7f"), "the message ends inside a field"),
        (frame(b"\xff" * 11), "a number that does not end"),
        (frame(b"\x0b"), "unknown wire type 3"),
    ],
)
def test_other_bytes_are_refused(data: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        read_recordio([io.BytesIO(data)])


@given(st.binary(max_size=60))
def test_any_payload_is_a_record_or_a_refusal(payload: bytes) -> None:
    try:
        table = read_recordio([io.BytesIO(frame(payload))])
    except ValueError:
        return
    assert table is not None


def test_a_sparse_row_wider_than_the_engine_takes_is_refused() -> None:
    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    tensor = field(1, struct.pack("<f", 1)) + field(2, b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
    features = field(1, field(1, b"values") + field(2, field(2, tensor)))
    label = field(2, field(1, b"values") + field(2, field(2, field(1, struct.pack("<f", 1)))))
    with pytest.raises(ValueError, match=r"expected at most 2147483647 columns"):
        read_recordio([io.BytesIO(frame(features + label))])
