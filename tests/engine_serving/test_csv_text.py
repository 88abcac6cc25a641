"""The quick reading of plain numbers must be the container's reading, bit by bit."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.xgb.serve.csv_text import read_any, read_plain

plain_cells = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.just(""),
    st.text("0123456789.+-eE", max_size=6),
)


def tables(cells: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    rows = st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=40)
    )
    ends = st.sampled_from(["\n", "\r\n"])
    return st.tuples(rows, ends).map(lambda made: made[1].join(",".join(row) for row in made[0]).encode())


def the_containers_reading(body: bytes) -> np.ndarray:
    text = body.strip().decode("utf-8")
    delimiter = csv.Sniffer().sniff(text.split("\n")[0][:512]).delimiter
    delimiter = "," if delimiter.isalnum() else delimiter
    return np.array(
        [["nan" if cell == "" else cell for cell in line.split(delimiter)] for line in text.split("\n")],
        dtype=float,
    )


@given(tables(plain_cells))
def test_what_is_read_quickly_is_what_the_container_reads(body: bytes) -> None:
    quick = read_plain(body)
    if quick is not None:
        with np.errstate(over="ignore"):
            expected = the_containers_reading(body).astype(np.float32)
        assert quick.tobytes() == expected.tobytes()
        assert quick.shape == expected.shape


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=60))
def test_ordinary_rows_are_read_quickly(rows: list[list[float]]) -> None:
    body = "\n".join(",".join(map(repr, row)) for row in rows).encode()
    quick = read_plain(body)
    assert quick is not None
    assert quick.tolist() == np.array(rows, dtype=np.float32).tolist()


@pytest.mark.parametrize("count", [1, 3, 50])
@pytest.mark.parametrize("line", [",1", "1,", ",", ",,", "1,,,4", ",,3,"])
def test_empty_fields_are_missing_wherever_they_stand(line: str, count: int) -> None:
    quick = read_plain("\n".join([line] * count).encode())
    assert quick is not None
    expected = [float(cell or "nan") for cell in line.split(",")]
    np.testing.assert_array_equal(quick, np.array([expected] * count, dtype=np.float32))


@pytest.mark.parametrize(
    "body",
    [
        b"1,2\n\n3,4",
        b"1,2\n" * 20 + b"\n" + b"3,4\n" * 20,
        b"1,2\n3",
        b"1,2\n" * 30 + b"3",
        b"1,2e400",
        b"1,1e39",
        b"1,2\n" * 30 + b"1,1e39",
        b"5",
        b"1;2",
        b"1 ,2",
        b"1,2\r3,4",
        b"1,\r\n2,3",
        b"a,b",
        b"1_0,2",
        b"1,2-",
        b" ",
        b"0" * 600 + b",1",
    ],
)
def test_everything_unusual_is_left_to_the_containers_own_steps(body: bytes) -> None:
    assert read_plain(body) is None


def test_numbers_without_a_comma_are_one_column() -> None:
    assert read_any(b"42\n6\n9").tolist() == [[42.0], [6.0], [9.0]]


@pytest.mark.parametrize(("body", "shape"), [(b"1;2;3", (1, 3)), (b"1\t2\n3\t4", (2, 2)), (b"1 2", (1, 2))])
def test_the_delimiter_is_sniffed(body: bytes, shape: tuple[int, int]) -> None:
    assert read_any(body).shape == shape


@pytest.mark.parametrize("cell", ["12:30", "2020-01-01", "-14 days", "c"])
def test_text_is_no_number(cell: str) -> None:
    with pytest.raises(ValueError, match="could not convert string to float"):
        read_any(f"{cell},1.5".encode())


def test_a_request_of_many_megabytes_is_read_as_a_small_one() -> None:
    line = b"1.5,,3,\n"
    count = (9 << 20) // len(line)
    quick = read_plain(line * count)
    assert quick is not None
    assert quick.shape == (count, 4)
    assert np.isnan(quick).all(axis=0).tolist() == [False, True, False, True]
    assert read_plain(line * count + b"1,2") is None
