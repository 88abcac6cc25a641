"""Request bodies as features, or the container's 415."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import xgboost
from scipy.sparse import csr_matrix

from corelab.engine.xgb.content_types import Format, parse_content_type
from corelab.engine.xgb.failures import UserError
from corelab.engine.xgb.recordio import read_records
from corelab.engine.xgb.serve.csv_text import Matrix, read_any, read_plain
from corelab.engine.xgb.tables import record_features

# Dense rows stay an array, which the engine predicts without building its own matrix first.
Features = Matrix | xgboost.DMatrix


class UnsupportedPayload(ValueError):
    """The body or its content type cannot be read; the text is the container's answer (415)."""


def read_features(body: bytes, content_type: str | None) -> Features:
    """The request's rows, in its own number of columns.

    Raises:
        UnsupportedPayload: with the container's words (container spec 2.1 and 4.3).
    """
    kind = _format_of(content_type)
    reader = _READERS.get(kind)
    if reader is None:
        raise UnsupportedPayload(f"Content-type {content_type} is not supported.")
    try:
        return reader(body)
    except (ValueError, OverflowError, csv.Error) as error:
        raise UnsupportedPayload(_loading_failed(kind, error)) from error


@lru_cache(maxsize=64)
def _format_of(content_type: str | None) -> Format:
    try:
        return parse_content_type(content_type)
    except UserError as error:
        raise UnsupportedPayload(str(error)) from error


def _loading_failed(kind: Format, error: Exception) -> str:
    if kind == "recordio-protobuf":
        return (
            "Loading recordio-protobuf data failed with Exception, please ensure data is in "
            f"recordio-protobuf format: {type(error)} {error}"
        )
    return (
        f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n"
        f" {type(error)}\n {error}"
    )


def _read_csv(body: bytes) -> Features:
    matrix = read_plain(body)
    return xgboost.DMatrix(read_any(body)) if matrix is None else matrix


def _read_libsvm(body: bytes) -> Features:
    rows: list[int] = []
    columns: list[str] = []
    values: list[str] = []
    for row, line in enumerate(body.strip().decode("utf-8").split("\n")):
        for token in line.split(" "):
            if ":" in token:
                parts = token.split(":")
                rows.append(row)
                columns.append(parts[0])
                values.append(parts[1])
    indices = np.array(columns).astype(np.int64)
    return xgboost.DMatrix(csr_matrix((np.array(values).astype(np.float64), (rows, indices))))


def _read_records(body: bytes) -> Features:
    records = list(read_records(io.BytesIO(body)))
    if not records:
        raise ValueError("no record in the request")
    return xgboost.DMatrix(record_features(records))


_READERS: dict[Format, Callable[[bytes], Features]] = {
    "csv": _read_csv,
    "libsvm": _read_libsvm,
    "recordio-protobuf": _read_records,
}
