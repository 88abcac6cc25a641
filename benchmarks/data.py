"""The tables that are trained on and predicted: 20 columns, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

COLUMNS = 20
PARAMETERS = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": "5", "eta": "0.2"}


def features(rows: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Half counts, half amounts, so that a line is about as long as a customer's."""
    generator = np.random.default_rng(seed)
    table = generator.gamma(2, 30, size=(rows, COLUMNS)).round(2)
    table[:, ::2] = generator.integers(0, 50, size=(rows, COLUMNS // 2))
    return table


def labels(table: npt.NDArray[np.float64], seed: int = 0) -> npt.NDArray[np.float64]:
    """A tenth of the labels is chance; the rest needs depth."""
    generator = np.random.default_rng(seed + 1)
    risk = table[:, 1] * (table[:, 2] > 20) + table[:, 5] - table[:, 7] * (table[:, 4] > 30)
    truth = risk > np.median(risk)
    flipped = generator.random(len(table)) < 0.1
    return np.asarray(truth ^ flipped, dtype=np.float64)


def write_training(path: Path, rows: int, seed: int = 0) -> None:
    """Label first, no header."""
    table = features(rows, seed)
    _write(path, np.column_stack([labels(table, seed), table]))


def write_features(path: Path, rows: int, seed: int = 0) -> None:
    _write(path, features(rows, seed))


def _write(path: Path, table: npt.NDArray[np.float64]) -> None:
    columns = {
        str(number): column.astype(np.int64) if (column == column.astype(np.int64)).all() else column
        for number, column in enumerate(table.T)
    }
    pa.csv.write_csv(pa.table(columns), path, pa.csv.WriteOptions(include_header=False))
