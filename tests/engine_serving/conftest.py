"""Small models of every kind, trained by XGBoost itself, which is also the oracle of each prediction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

WIDTH = 4
Train = Callable[..., xgboost.Booster]


def training_rows(objective: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(300, WIDTH)).round(2)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    signal = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1]) * np.nan_to_num(rows[:, 2])
    if objective.startswith("multi:"):
        return rows, np.digitize(signal, [-0.5, 0.5])
    if objective.startswith(("binary:", "reg:logistic", "rank:")):
        return rows, signal > 0
    return rows, np.abs(signal) + 0.1


@pytest.fixture(scope="session")
def train() -> Train:
    """Train a few rounds for an objective; further keywords are engine parameters or ``early_stopping``."""
    made: dict[Any, xgboost.Booster] = {}

    def trained(
        objective: str = "binary:logistic", early_stopping: bool = False, **parameters: Any
    ) -> xgboost.Booster:
        key = (objective, early_stopping, *sorted(parameters.items()))
        if key not in made:
            rows, labels = training_rows(objective)
            matrix = xgboost.DMatrix(rows, labels)
            settings = {"objective": objective, "nthread": 1, "verbosity": 0, "max_depth": 3, **parameters}
            if objective.startswith("multi:"):
                settings["num_class"] = 3
            callbacks = [xgboost.callback.EarlyStopping(2)] if early_stopping else []
            held_out = xgboost.DMatrix(np.roll(rows, 1, axis=0), labels)
            made[key] = xgboost.train(
                settings, matrix, 12, evals=[(held_out, "v")], callbacks=callbacks, verbose_eval=False
            )
        return made[key]

    return trained


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "model"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def rows() -> np.ndarray:
    return training_rows("binary:logistic")[0][:40]


def as_csv(rows: np.ndarray) -> bytes:
    return b"\n".join(b",".join(b"" if np.isnan(v) else repr(float(v)).encode() for v in row) for row in rows)


@pytest.fixture
def to_csv() -> Callable[[np.ndarray], bytes]:
    """Rows as a CSV request body, missing values as empty fields."""
    return as_csv
