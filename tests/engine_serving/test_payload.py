"""Requests of every content type, and the container's words for what it cannot read."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.xgb.serve.payload import UnsupportedPayload, read_features


def shape_of(features: np.ndarray | xgboost.DMatrix) -> tuple[int, int]:
    if isinstance(features, np.ndarray):
        return features.shape
    return features.num_row(), features.num_col()


def refusal(body: bytes, content_type: str | None) -> str:
    with pytest.raises(UnsupportedPayload) as caught:
        read_features(body, content_type)
    return str(caught.value)


@pytest.mark.parametrize("content_type", [None, "libsvm", "text/libsvm", "text/x-libsvm", "TEXT/LIBSVM"])
def test_libsvm_has_three_names_and_is_the_default(content_type: str | None) -> None:
    assert shape_of(read_features(b"1 0:1 2:3", content_type)) == (1, 3)


@pytest.mark.parametrize(
    "content_type",
    [
        "csv",
        "text/csv",
        "text/csv; label_size=1",
        "text/csv;label_size = 1",
        "text/csv; charset=utf-8",
        "Text/CSV",
    ],
)
def test_csv_parameters_and_case_are_tolerated(content_type: str) -> None:
    assert shape_of(read_features(b"1,2", content_type)) == (1, 2)


@pytest.mark.parametrize(
    "content_type", ["text/csv; label_size=5", "csv; label_size=1=1", "csv; label_size=1; label_size=2"]
)
def test_csv_has_one_label_column_or_is_refused(content_type: str) -> None:
    assert refusal(b"1,2", content_type) == (
        f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/octet-stream", "", "incorrect_format", "label_size=1; text/csv"],
)
def test_other_types_are_refused_with_the_list_of_accepted_ones(content_type: str) -> None:
    assert refusal(b"1,2", content_type) == (
        f"{content_type} is not an accepted ContentType: csv, libsvm, parquet, recordio-protobuf, text/csv, "
        "text/libsvm, text/x-libsvm, application/x-parquet, application/x-recordio-protobuf."
    )


def test_parquet_is_for_training_only() -> None:
    assert refusal(b"PAR1", "application/x-parquet") == "Content-type application/x-parquet is not supported."


@pytest.mark.parametrize(
    ("body", "shape"),
    [(b"42,6,9", (1, 3)), (b"42\n6\n9", (3, 1)), (b"1,nan,\n", (1, 3)), (b"1,2\r\n3,4", (2, 2))],
)
def test_a_csv_request_holds_features_only(body: bytes, shape: tuple[int, int]) -> None:
    assert shape_of(read_features(body, "text/csv")) == shape


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"a,b", "ValueError", "could not convert string to float: 'a'"),
        (b'"1","2"', "ValueError", "could not convert string to float: '\"1\"'"),
        ("\ufeff1,2".encode(), "ValueError", "could not convert string to float: '\\ufeff1'"),
        (b"1,2\n3", "ValueError", "setting an array element with a sequence."),
        (b"1,2\n\n3,4", "ValueError", "setting an array element with a sequence."),
        (b"1,\r\n2,3", "ValueError", "could not convert string to float: '\\r'"),
        (b" \n ", "_csv.Error", "Could not determine delimiter"),
        (b"1,inf", "xgboost.core.XGBoostError", "Input data contains `inf` or `nan`"),
        (b"1,1e39", "xgboost.core.XGBoostError", "Input data contains `inf` or `nan`"),
        (b"\xff\xfe1,2", "UnicodeDecodeError", "'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_csv_request_that_cannot_be_read_says_why(body: bytes, kind: str, text: str) -> None:
    answer = refusal(body, "text/csv")
    start = "Loading csv data failed with Exception, please ensure data is in csv format:\n "
    assert answer.startswith(f"{start}<class '{kind}'>\n ")
    assert text in answer


def libsvm(body: bytes) -> np.ndarray:
    matrix = read_features(body, None)
    assert isinstance(matrix, xgboost.DMatrix)
    dense = np.full((matrix.num_row(), matrix.num_col()), np.nan)
    sparse = matrix.get_data()
    for row, (start, end) in enumerate(zip(sparse.indptr, sparse.indptr[1:], strict=False)):
        dense[row, sparse.indices[start:end]] = sparse.data[start:end]
    return dense


def test_libsvm_indices_start_at_zero_and_a_label_is_ignored() -> None:
    np.testing.assert_array_equal(libsvm(b"1 0:2.5 2:7\n0 1:3"), [[2.5, np.nan, 7], [np.nan, 3, np.nan]])


def test_libsvm_rows_without_features_vanish_at_the_end_only() -> None:
    assert len(libsvm(b"0 0:1\n1\n0 0:2\n1\n0")) == 3


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"1,2,3", "ValueError", "cannot infer dimensions from zero sized index arrays"),
        (b" ", "ValueError", "cannot infer dimensions from zero sized index arrays"),
        (b"1 0:abc", "ValueError", "could not convert string to float: 'abc'"),
        (b"1 x:1", "ValueError", "invalid literal for int() with base 10: 'x'"),
        (b"1 -1:1", "ValueError", "negative"),
        (b"1 99999999999999999999:1", "OverflowError", "too large"),
        (b"0:inf", "xgboost.core.XGBoostError", "Input data contains `inf` or `nan`"),
    ],
)
def test_a_libsvm_request_that_cannot_be_read_says_why(body: bytes, kind: str, text: str) -> None:
    answer = refusal(body, "text/libsvm")
    start = "Loading libsvm data failed with Exception, please ensure data is in libsvm format:\n "
    assert answer.startswith(f"{start}<class '{kind}'>\n ")
    assert text in answer


@given(st.binary(max_size=200), st.sampled_from(["text/csv", None, "application/x-recordio-protobuf"]))
def test_any_bytes_are_read_or_refused_never_more(body: bytes, content_type: str | None) -> None:
    try:
        rows, columns = shape_of(read_features(body, content_type))
    except UnsupportedPayload as refused:
        assert re.search("Loading|accepted|supported", str(refused))
    else:
        assert rows >= 1
        assert columns >= 1


@given(st.text("0123456789:,;. \n\r\t\"'-eEinfa|", max_size=60), st.sampled_from(["text/csv", None]))
def test_nearly_right_text_is_read_or_refused_never_more(body: str, content_type: str | None) -> None:
    try:
        rows, _ = shape_of(read_features(body.encode(), content_type))
    except UnsupportedPayload as refused:
        assert "Loading" in str(refused)
    else:
        assert rows >= 1


def record(values: list[float], keys: list[int] | None = None, width: int | None = None) -> bytes:
    """One RecordIO-protobuf row without a label, written by hand from the published schema."""
    packed = struct.pack(f"<{len(values)}f", *values)
    tensor = b"\x0a" + bytes([len(packed)]) + packed
    if keys is not None:
        tensor += b"\x12" + bytes([len(keys)]) + bytes(keys)
    if width is not None:
        tensor += b"\x1a\x01" + bytes([width])
    value = b"\x12" + bytes([len(tensor)]) + tensor
    entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
    message = b"\x0a" + bytes([len(entry)]) + entry
    return struct.pack("<II", 0xCED7230A, len(message)) + message + b"\0" * (-len(message) % 4)


def test_a_protobuf_request_needs_no_label() -> None:
    matrix = read_features(record([1, 2, 3]) + record([4, 5, 6]), "application/x-recordio-protobuf")
    assert shape_of(matrix) == (2, 3)


def test_a_sparse_protobuf_request_has_its_declared_width() -> None:
    matrix = read_features(record([1.5], [2], 5) + record([2.5], [0], 5), "recordio-protobuf")
    assert shape_of(matrix) == (2, 5)
    assert isinstance(matrix, xgboost.DMatrix)
    assert matrix.get_data().data.tolist() == [1.5, 2.5]


@pytest.mark.parametrize("body", [b"1,2,3", record([1, 2])[:-2], record([1, 2]) + record([1]), b"x"])
def test_a_protobuf_request_that_cannot_be_read_says_why(body: bytes) -> None:
    assert refusal(body, "application/x-recordio-protobuf").startswith(
        "Loading recordio-protobuf data failed with Exception, please ensure data is in "
        "recordio-protobuf format: <class 'ValueError'> "
    )
