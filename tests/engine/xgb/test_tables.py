from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from corelab.engine.xgb.tables import Table, read_csv, read_parquet, split_parquet


def parquet(**columns: Any) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def csv(text: str, weighted: bool = False) -> Table:
    table = read_csv(io.BytesIO(text.encode()), weighted)
    assert table is not None
    return table


def test_csv_rows_of_a_pipe_are_label_and_features() -> None:
    table = csv("1,2,3\n0,5,\n")
    assert table.label.tolist() == [1, 0]
    assert np.array_equal(table.features, np.array([[2, 3], [5, np.nan]], np.float32), equal_nan=True)


def test_csv_weights_of_a_pipe_are_the_second_column() -> None:
    table = csv("1,2,3\n0,5,6\n", weighted=True)
    assert table.weight is not None
    assert (table.weight.tolist(), table.features.tolist()) == ([2, 5], [[3], [6]])


def test_a_long_pipe_is_read_in_batches() -> None:
    table = csv("".join(f"{n % 2},{n}\n" for n in range(9001)))
    assert table.features[:, 0].tolist() == list(range(9001))


def test_an_empty_pipe_holds_no_table() -> None:
    assert read_csv(io.BytesIO(b"\n\n"), False) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,a\n", "could not convert string to float: 'a'"),
        ("1,2\n1,2,3\n", "expected 2 fields as in the first row, got 3: 1,2,3"),
        ("1;2\n", "could not convert string to float: '1;2'"),
        ("1," + "9" * 200_000, "field larger than field limit"),
    ],
)
def test_unreadable_csv_in_a_pipe_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        csv(text)


def test_parquet_columns_are_taken_by_position() -> None:
    table = read_parquet([io.BytesIO(parquet(z=[1, 0], a=[1.5, None], b=["2", "3e1"], c=[True, False]))])
    assert table is not None
    assert table.label.tolist() == [1, 0]
    assert np.array_equal(
        table.features, np.array([[1.5, 2, 1], [np.nan, 30, 0]], np.float32), equal_nan=True
    )


def test_parquet_files_become_one_table(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(parquet(label=[1], x=[2]))
    table = read_parquet(sorted(tmp_path.iterdir()))
    assert table is not None
    assert table.features.tolist() == [[2], [2]]


@pytest.mark.parametrize(
    ("data", "error", "expected"),
    [
        (parquet(label=[1], x=["x"]), ValueError, "could not convert string to float: 'x'"),
        (parquet(label=[1], x=[datetime.date(2026, 1, 1)]), TypeError, "must be a string or a real number"),
        (b"1,2,3\n" * 9, ValueError, "Parquet magic bytes not found"),
        (b"", ValueError, "Parquet file size is 0 bytes"),
        (parquet(label=[1])[:-9] + b"\xff" * 5 + b"PAR1", ValueError, "footer|metadata|thrift"),
    ],
)
def test_unreadable_parquet_is_refused(data: bytes, error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected):
        read_parquet([io.BytesIO(data)])


def test_parquet_files_in_a_pipe_are_told_apart_even_when_their_data_looks_like_an_edge() -> None:
    files = [parquet(label=[1], x=[1]), parquet(label=["1"], x=["PAR1PAR1"]), parquet(label=[3], x=[3])]
    assert [part.read() for part in split_parquet(b"".join(files))] == files


def test_bytes_that_are_no_parquet_come_out_whole() -> None:
    assert [part.read() for part in split_parquet(b"no parquet")] == [b"no parquet"]
