"""CSV and libsvm against the table of surprises in Container spec 2.3 and 2.4, and against XGBoost called directly."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corelab.engine.xgb.content_types import Format
from corelab.engine.xgb.failures import UserError
from corelab.engine.xgb.matrices import Loader

MISSING = None
Rows = list[list[float | None]]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def load(
    scratch: Path, files: str | dict[str, str], data_format: Format = "csv", weighted: bool = False
) -> xgboost.DMatrix:
    channel = scratch / "train"
    for name, text in (files if isinstance(files, dict) else {"data": files}).items():
        path = channel / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    loader = Loader(scratch, data_format, weighted, piped=False)
    assert loader.size(channel) > 0
    loader.check(channel)
    matrix = loader.load([channel])
    assert matrix is not None
    return matrix


def rows(matrix: xgboost.DMatrix) -> Rows:
    """Every cell, None where a value is missing: unlike zero, it is not stored."""
    stored = matrix.get_data()
    cells: Rows = [[None] * matrix.num_col() for _ in range(matrix.num_row())]
    for row in range(matrix.num_row()):
        for position in range(stored.indptr[row], stored.indptr[row + 1]):
            cells[row][stored.indices[position]] = float(stored.data[position])
    return cells


SCANNED = [
    ("1", 1, 1),
    (" 2 ", 2, 2),
    ("+1", 1, 1),
    ("1e-3", 1e-3, 1e-3),
    ("12abc", 12, 12),
    ("2020-01-01", 2020, 2020),
    ("0x10", 0, 0),
    ("1_000", 1, 1),
    ("", MISSING, 0),
    *[(text, MISSING, 0) for text in ("abc", "yes", "NA", "null", "None", "True", '"3"')],
    *[(text, 0, 0) for text in ("east", "foo", "False", "-", "+", ".", "   ")],
    *[(text, MISSING, float("nan")) for text in ("nan", "NaN", "-nan")],
    ("1e400", 1e38, 1e38),
    ("0", 0, 0),
]


@pytest.mark.parametrize(("cell", "feature", "label"), SCANNED)
def test_cells_are_scanned_as_in_the_container(
    cell: str, feature: float | None, label: float, scratch: Path
) -> None:
    matrix = load(scratch, f"0,5,{cell},7\n{cell},5,6,7\n")
    found = rows(matrix)[0][1]
    assert found is feature is None or found == pytest.approx(feature)
    assert matrix.get_label()[1] == pytest.approx(label, nan_ok=True)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.lists(st.sampled_from(SCANNED), min_size=3, max_size=3), min_size=1, max_size=6))
def test_any_mix_of_cells_gives_each_cell_its_own_meaning(
    table: list[list[tuple[str, float | None, float]]], scratch: Path
) -> None:
    text = "".join(f"1,2,{','.join(cell for cell, _, _ in row)},9\n" for row in table)
    expected: Rows = [[2, *(feature for _, feature, _ in row), 9] for row in table]
    found = rows(load(scratch, text))
    assert [[None if c is None else pytest.approx(c) for c in row] for row in expected] == found


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=4, max_size=4), min_size=1, max_size=8),
    delimiter=st.sampled_from(",\t; :"),
)
def test_numbers_come_out_as_xgboost_itself_reads_them(
    table: list[list[float]], delimiter: str, scratch: Path
) -> None:
    text = "".join(delimiter.join(f"{cell:.9g}" for cell in row) + "\n" for row in table)
    matrix = load(scratch, text)
    (scratch / "direct").write_text(text)
    direct = xgboost.DMatrix(f"direct?format=csv&label_column=0&delimiter={delimiter}")
    assert rows(matrix) == rows(direct)
    assert matrix.get_label().tolist() == direct.get_label().tolist()
    assert np.allclose(np.array(rows(matrix), float), np.array(table)[:, 1:], rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("name,east,value\n1,2,3\n", [0, 1], [[0, MISSING], [2, 3]]),
        ("1,2,3\n1,2\n1,2,3,4\n", [1, 1, 1], [[2, 3, MISSING], [2, MISSING, MISSING], [2, 3, 4]]),
        ("1,2,\n1,3,\n", [1, 1], [[2], [3]]),
        ("1,2\r\n3,4\r\n", [1, 3], [[2], [4]]),
        ("1,2\r3,4", [1, 3], [[2], [4]]),
        ("1,2\n\n\n3,4", [1, 3], [[2], [4]]),
        ("\ufeff1,2\n3,4\n", [1, 3], [[2], [4]]),
        ("1;2,5;3,5\n", [1], [[5, 5]]),
        ("1|2|3\n4|5|6\n", [1, 4], [[2, 3], [5, 6]]),
        ('"1","2"\n"3","4"\n', [0, 0], [[], []]),
        ("1,\n0,\n", [1, 0], [[], []]),
    ],
)
def test_odd_files_load_with_their_surprises(
    text: str, labels: list[float], expected: Rows, scratch: Path
) -> None:
    matrix = load(scratch, text)
    assert matrix.get_label().tolist() == labels
    assert rows(matrix) == expected


def test_weights_are_the_second_column(scratch: Path) -> None:
    matrix = load(scratch, "1,0.5,3\n0,-2,6\n", weighted=True)
    assert matrix.get_weight().tolist() == [0.5, -2]
    assert rows(matrix) == [[3], [6]]


def test_five_rows_of_label_and_five_features(scratch: Path) -> None:
    matrix = load(scratch, "0,1,2,3,4,5\n" * 5)
    assert (matrix.num_row(), matrix.num_col()) == (5, 5)


def test_files_in_folders_load_together_with_one_delimiter(scratch: Path) -> None:
    matrix = load(scratch, {"a": "1,2\n", "sub/b": "3,4\n", "sub/sub/c": "5,6\n"})
    assert sorted(matrix.get_label().tolist()) == [1, 3, 5]


@pytest.mark.parametrize(
    ("text", "weighted", "expected"),
    [
        *[
            (f"0,{cell}\n", False, "Check failed: valid: Input data contains `inf` or `nan`")
            for cell in ("inf", "-inf")
        ],
        ("5\n6\n", False, "Delimiter '5' is not found in the line."),
        ("1,2\n3\n", False, "Expected ',' as the delimiter to separate fields."),
        ("1,2\n", True, "Delimiter ',' is not found in the line."),
        ("1#2#3\n", False, "Invalid uri argument format for value in arg 3"),
        ("1&2&3\n", False, "Invalid uri argument format for value in arg 3"),
    ],
)
def test_csv_the_engine_refuses_is_the_users_error(
    text: str, weighted: bool, expected: str, scratch: Path
) -> None:
    with pytest.raises(UserError) as error:
        load(scratch, text, weighted=weighted)
    assert str(error.value).startswith("Failed to load csv data with exception:\n")
    assert expected in str(error.value)


def test_an_infinite_label_is_accepted(scratch: Path) -> None:
    assert load(scratch, "inf,1\n").get_label().tolist() == [float("inf")]


def test_files_too_deep_leave_nothing_to_load(scratch: Path) -> None:
    with pytest.raises(UserError, match=r"no file lies within the depth of folders that is loaded"):
        load(scratch, {"a/b/c/d": "1,2\n"})


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("1 1:2 2:3\n0 1:4 3:5\n", [1, 0], [[MISSING, 2, 3, MISSING], [MISSING, 4, MISSING, 5]]),
        ("1 0:2 1:3\n", [1], [[2, 3]]),
        ("1 qid:7 1:2 2:3\n", [1], [[MISSING, 2, 3]]),
        ("1 1:2 2:3\nno more libsvm\n", [1, 0], [[MISSING, 2, 3], [MISSING] * 3]),
    ],
)
def test_libsvm_indices_are_taken_as_written(
    text: str, labels: list[float], expected: Rows, scratch: Path
) -> None:
    matrix = load(scratch, text, "libsvm")
    assert matrix.get_label().tolist() == labels
    assert rows(matrix) == expected


def test_libsvm_labels_may_carry_weights(scratch: Path) -> None:
    assert load(scratch, "1:0.5 1:2 2:3\n0:2 1:1 2:1\n", "libsvm").get_weight().tolist() == [0.5, 2]


@pytest.mark.parametrize("value", ["abc", "nan"])
def test_libsvm_with_bad_values_is_the_users_error(value: str, scratch: Path) -> None:
    with pytest.raises(UserError, match=r"^Failed to load libsvm data with exception:\n"):
        load(scratch, f"1 1:{value} 2:3\n", "libsvm")


@pytest.mark.parametrize(
    ("name", "message"), [("parquet", "Parquet magic bytes not found"), ("recordio-protobuf", "magic number")]
)
def test_other_files_are_no_binary_data(name: Format, message: str, scratch: Path) -> None:
    with pytest.raises(UserError, match=f"^Failed to load {name} data with exception:\n.*{message}"):
        load(scratch, "1,2,3,4,5,6\n" * 5, name)


def test_characters_that_mean_something_to_the_engine_may_be_in_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "a #1;b?c=d&e"
    scratch.mkdir()
    monkeypatch.chdir(scratch)
    assert load(scratch, {"x?y#z;.csv": "1,2\n"}).num_row() == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes need mkfifo")
def test_pipes_are_read_once_and_add_up(scratch: Path) -> None:
    channels = [scratch / "train", scratch / "validation"]
    for channel in channels:
        os.mkfifo(f"{channel}_0")
        feed = threading.Thread(target=Path(f"{channel}_0").write_text, args=("0,1,2,3,4,5\n" * 5,))
        feed.start()
    loader = Loader(scratch, "csv", weighted=False, piped=True)
    assert [loader.size(channel) for channel in channels] == [1, 1]
    shapes = [
        (m.num_row(), m.num_col())
        for part in ([channels[0]], [channels[1]], channels)
        if (m := loader.load(part))
    ]
    assert shapes == [(5, 5), (5, 5), (10, 5)]


def test_a_pipe_that_is_not_there_has_no_size(scratch: Path) -> None:
    assert Loader(scratch, "csv", weighted=False, piped=True).size(scratch / "train") == 0
