"""Rows that are read by Python and not by the engine: parquet, recordio-protobuf, and every kind of pipe.

Each reader gives one Table; the Container spec (2.5) says what becomes a label, a weight, a missing value.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from corelab.engine.xgb.recordio import Record, read_records

_BATCH_ROWS = 4000
_PARQUET_EDGE = b"PAR1"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Table:
    """Features as a dense or sparse matrix of rows, with a label and perhaps a weight for each."""

    features: Floats | csr_matrix
    label: Floats
    weight: Floats | None = None

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """All rows of several tables. Raises ValueError unless they have the same columns."""
        if len(tables) == 1:
            return tables[0]
        features = [table.features for table in tables]
        dense = all(isinstance(part, np.ndarray) for part in features)
        weights = [table.weight for table in tables if table.weight is not None]
        return cls(
            features=np.concatenate(features) if dense else vstack(features, format="csr"),
            label=np.concatenate([table.label for table in tables]),
            weight=np.concatenate(weights) if weights else None,
        )


def from_columns(matrix: Floats, weighted: bool) -> Table:
    """The first column is the label; the second may be a weight."""
    if weighted:
        return Table(matrix[:, 2:], matrix[:, 0], matrix[:, 1])
    return Table(matrix[:, 1:], matrix[:, 0])


def read_csv(stream: BinaryIO, weighted: bool) -> Table | None:
    """Comma-separated rows of a pipe, without sniffing and without a header; None when there are none.

    Raises:
        ValueError: a cell that is no number, a row longer or shorter than the first.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    rows = (row for row in csv.reader(text) if row)
    parts: list[Floats] = []
    try:
        while batch := list(islice(rows, _BATCH_ROWS)):
            parts.append(_numbers(batch, parts[0].shape[1] if parts else len(batch[0])))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    finally:
        text.detach()  # the stream stays its owner's to close
    return from_columns(np.concatenate(parts), weighted) if parts else None


def read_parquet(sources: Iterable[Path | BinaryIO]) -> Table | None:
    """Every row group of every file, names dropped; None when there are no files.

    Raises:
        ValueError: no parquet, text that is no number.
        TypeError: a column of another kind, such as dates.
    """
    # Few jobs use it, and the worker parent would carry it for all.
    import pyarrow
    import pyarrow.parquet

    try:
        tables = [
            _from_arrow(pyarrow.parquet.ParquetFile(source).read(use_threads=False)) for source in sources
        ]
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(str(error)) from error
    return Table.joined(tables) if tables else None


def split_parquet(data: bytes) -> Iterator[BinaryIO]:
    """The files that a pipe delivered one after the other.

    Each begins and ends with ``PAR1``; data may hold these bytes too, so a cut is only taken where the part before
    it is a whole file.
    """
    import pyarrow
    import pyarrow.parquet

    start, end = 0, 0
    while start < len(data):
        end = data.find(_PARQUET_EDGE * 2, max(end, start + 1))
        end = len(data) if end < 0 else end + len(_PARQUET_EDGE)
        try:
            pyarrow.parquet.read_metadata(io.BytesIO(data[start:end]))
        except (pyarrow.ArrowInvalid, OSError):
            if end < len(data):
                continue
        yield io.BytesIO(data[start:end])
        start = end


def read_recordio(streams: Iterable[BinaryIO]) -> Table | None:
    """Dense or sparse rows; None when there is no record.

    Raises:
        ValueError: not RecordIO, not protobuf, rows of different kinds or lengths, a row without label.
    """
    records = [record for stream in streams for record in read_records(stream)]
    if not records:
        return None
    return Table(record_features(records), _labels(records))


def record_features(records: Sequence[Record]) -> Floats | csr_matrix:
    """The rows of at least one record, dense or sparse. Raises ValueError for rows of different lengths."""
    return _sparse(records) if any(_is_sparse(record) for record in records) else _dense(records)


def _numbers(rows: Sequence[Sequence[str]], width: int) -> Floats:
    for row in rows:
        if len(row) != width:
            raise ValueError(
                f"expected {width} fields as in the first row, got {len(row)}: {','.join(row)[:50]}"
            )
    with np.errstate(over="ignore"):
        return np.array([[cell if cell.strip() else "nan" for cell in row] for row in rows], np.float32)


def _from_arrow(table: Any) -> Table:
    matrix = np.empty((table.num_rows, table.num_columns), np.float32)
    for index, column in enumerate(table.columns):
        matrix[:, index] = _column(column)
    return from_columns(matrix, weighted=False)


def _column(column: Any) -> Floats:
    import pyarrow.types

    kind = column.type
    if pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_boolean(kind):
        filled = column.to_numpy()
    else:
        # Numbers written as text count; what NumPy cannot convert is told in its words.
        filled = np.array([np.nan if value is None else value for value in column.to_pylist()], dtype=object)
    with np.errstate(over="ignore"):
        return np.asarray(filled.astype(np.float32))


def _is_sparse(record: Record) -> bool:
    """An empty row has no keys, only the width that dense rows leave out."""
    return record.features.keys is not None or (
        not len(record.features.values) and bool(record.features.width)
    )


def _dense(records: Sequence[Record]) -> Floats:
    width = len(records[0].features.values)
    for record in records:
        if len(record.features.values) != width:
            raise ValueError(f"expected dense rows of {width} values as in the first record")
    return np.array([record.features.values for record in records], np.float32)


def _sparse(records: Sequence[Record]) -> csr_matrix:
    values, keys, ends, width = [], [], [0], 0
    for record in records:
        row = record.features
        row_keys = np.empty(0, np.uint64) if row.keys is None else row.keys
        if len(row_keys) != len(row.values):
            raise ValueError("expected one key for each value of a sparse row")
        width = max(width, row.width or 0, int(row_keys.max()) + 1 if len(row_keys) else 0)
        values.append(row.values)
        keys.append(row_keys)
        ends.append(ends[-1] + len(row_keys))
    if width > np.iinfo(np.int32).max:
        raise ValueError(f"expected at most {np.iinfo(np.int32).max} columns, got {width}")
    flat = np.concatenate(values).astype(np.float32)
    return csr_matrix((flat, np.concatenate(keys).astype(np.int32), ends), shape=(len(records), width))


def _labels(records: Sequence[Record]) -> Floats:
    labels = [record.label for record in records]
    if any(label is None or not len(label.values) for label in labels):
        raise ValueError("record without a label named 'values'")
    return np.concatenate([label.values for label in labels if label is not None]).astype(np.float32)
