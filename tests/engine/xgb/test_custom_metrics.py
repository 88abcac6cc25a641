"""Custom metrics against scikit-learn, whose figures the container prints."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corelab.engine.xgb.custom_metrics import CUSTOM_METRICS, configure, predicted_class

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sklearn import metrics as sk

HALF = np.array([0, 1] * 5, np.float32)


def both(name: str, **options: Any) -> Callable[[Any, Any], float]:
    function = getattr(sk, name)
    return lambda labels, classes: float(function(labels, classes, **options))


ORACLES: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": both("accuracy_score"),
    "balanced_accuracy": both("balanced_accuracy_score"),
    "f1": both("f1_score", average="macro", zero_division=0),
    "f1_macro": both("f1_score", average="macro", zero_division=0),
    "precision_macro": both("precision_score", average="macro", zero_division=0),
    "precision_micro": both("precision_score", average="micro", zero_division=0),
    "recall_macro": both("recall_score", average="macro", zero_division=0),
    "recall_micro": both("recall_score", average="micro", zero_division=0),
}
BINARY_ORACLES: dict[str, Callable[[Any, Any], float]] = {
    "f1_binary": both("f1_score", zero_division=0),
    "precision": both("precision_score", zero_division=0),
    "recall": both("recall_score", zero_division=0),
}
REGRESSION_ORACLES: dict[str, Callable[[Any, Any], float]] = {
    "mse": both("mean_squared_error"),
    "mae": both("mean_absolute_error"),
    "r2": both("r2_score"),
    "rmse": lambda labels, margins: float(np.sqrt(sk.mean_squared_error(labels, margins))),
}


@settings(max_examples=25)
@given(st.integers(2, 4), st.integers(1, 30), st.integers(0, 999))
def test_classification_figures_are_scikit_learns(classes: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows).astype(np.float32)
    margins = random.normal(size=(rows, classes) if classes > 2 else rows).astype(np.float32)
    guessed = predicted_class(margins)
    oracles = ORACLES if classes > 2 else {**ORACLES, **BINARY_ORACLES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, oracle in oracles.items():
            assert CUSTOM_METRICS[name](margins, labels) == pytest.approx(oracle(labels, guessed)), name


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3, width=32), st.floats(-1e3, 1e3, width=32)), min_size=2, max_size=20
    )
)
def test_regression_figures_are_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    labels, margins = (np.array(column, np.float32) for column in zip(*pairs, strict=True))
    for name, oracle in REGRESSION_ORACLES.items():
        expected = oracle(labels.astype(float), margins.astype(float))
        assert CUSTOM_METRICS[name](margins, labels) == pytest.approx(expected, rel=1e-5, abs=1e-9), name


def test_every_custom_metric_has_an_oracle() -> None:
    assert set(CUSTOM_METRICS) == {*ORACLES, *BINARY_ORACLES, *REGRESSION_ORACLES}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", 0.5),
        ("balanced_accuracy", 0.5),
        ("f1", 1 / 3),
        ("f1_binary", 2 / 3),
        ("precision", 0.5),
        ("recall", 1),
    ],
)
def test_half_of_the_labels_when_everything_counts_as_class_1(name: str, expected: float) -> None:
    assert CUSTOM_METRICS[name](np.ones(10), HALF) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", 0.5),
        ("balanced_accuracy", 1 / 3),
        ("f1", 2 / 9),
        ("precision_macro", 1 / 6),
        ("precision_micro", 0.5),
        ("recall_macro", 1 / 3),
        ("recall_micro", 0.5),
    ],
)
def test_three_classes_when_everything_counts_as_the_middle_one(name: str, expected: float) -> None:
    margins = np.tile([0.0, 1.0, 0.0], (10, 1))
    assert CUSTOM_METRICS[name](margins, np.array([0, 0, 1, 1, 1, 1, 1, 2, 2, 2])) == pytest.approx(expected)


@pytest.mark.parametrize(("name", "expected"), [("mse", 0.5), ("rmse", 0.5**0.5), ("mae", 0.5), ("r2", -1)])
def test_half_of_the_labels_against_a_margin_of_one(name: str, expected: float) -> None:
    assert CUSTOM_METRICS[name](np.ones(10), HALF) == pytest.approx(expected)


def test_a_margin_of_zero_is_class_0() -> None:
    assert predicted_class(np.array([-1.0, 0.0, 1e-9])).tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", ["f1_binary", "precision", "recall"])
def test_binary_figures_of_several_classes_are_refused_in_scikit_learns_words(name: str) -> None:
    with pytest.raises(ValueError, match=r"Target is multiclass but average='binary'") as error:
        CUSTOM_METRICS[name](np.eye(3), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match=r"multiclass") as expected:
        sk.f1_score([0, 1, 2], [0, 1, 2])
    assert str(error.value) == str(expected.value)


@pytest.mark.parametrize("name", ["rmse", "mse", "mae", "r2"])
def test_regression_figures_of_several_outputs_are_refused(name: str) -> None:
    message = r"y_true and y_pred have different number of output \(1!=3\)"
    with pytest.raises(ValueError, match=message):
        CUSTOM_METRICS[name](np.eye(3), np.array([0, 1, 2]))


@pytest.mark.parametrize("name", list(CUSTOM_METRICS))
def test_labels_that_are_not_numbers_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^Input contains NaN\.$"):
        CUSTOM_METRICS[name](np.ones(2), np.array([np.nan, 1]))


def test_labels_between_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"continuous"):
        CUSTOM_METRICS["accuracy"](np.ones(2), np.array([0.5, 1]))


def test_configured_metrics_keep_their_order_and_tolerate_no_rows() -> None:
    class Matrix:
        def get_label(self) -> np.ndarray:
            return np.empty(0)

    assert configure(["r2", "accuracy"])(np.empty(0), Matrix()) == [("r2", 0.0), ("accuracy", 0.0)]
