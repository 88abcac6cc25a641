"""Metrics the engine lacks, or that the container overrides: scikit-learn's figures, by their formulas, in NumPy.

They see raw margins. scikit-learn itself would cost every job a second to import and each round several
milliseconds a metric; it is the oracle of these functions' tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Feval = Callable[[Array, Any], list[tuple[str, float]]]


def configure(names: Sequence[str]) -> Feval:
    """A function for the engine that computes the named metrics, in this order, for (margins, matrix)."""

    def evaluate(margins: Array, matrix: Any) -> list[tuple[str, float]]:
        labels = matrix.get_label()
        return [(name, CUSTOM_METRICS[name](margins, labels) if margins.size else 0.0) for name in names]

    return evaluate


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts by class, for every class that labels or predictions hold, in ascending order."""

    classes: Array
    hits: Array
    actual: Array
    predicted: Array

    @classmethod
    def of(cls, margins: Array, labels: Array) -> Confusion:
        """Raises ValueError for labels that are no classes."""
        if np.isnan(labels).any():
            raise ValueError("Input contains NaN.")
        if (labels != np.trunc(labels)).any():
            raise ValueError("Classification metrics can't handle a mix of continuous and binary targets")
        guessed = predicted_class(margins)
        classes, where = np.unique(np.concatenate([labels, guessed]), return_inverse=True)
        actual, predicted = where[: len(labels)], where[len(labels) :]
        return cls(
            classes=classes,
            hits=np.bincount(actual[actual == predicted], minlength=len(classes)),
            actual=np.bincount(actual, minlength=len(classes)),
            predicted=np.bincount(predicted, minlength=len(classes)),
        )

    def positive(self) -> slice:
        """Where class 1 is. Raises ValueError unless there are two classes, one of them 1."""
        if len(self.classes) > 2:
            raise ValueError(
                "Target is multiclass but average='binary'. Please choose another average setting, "
                "one of [None, 'micro', 'macro', 'weighted']."
            )
        at = int(np.searchsorted(self.classes, 1))
        found = at < len(self.classes) and self.classes[at] == 1
        if not found and len(self.classes) == 2:
            raise ValueError(f"pos_label=1 is not a valid label. It should be one of {self.classes.tolist()}")
        return slice(at, at + 1) if found else slice(0, 0)


def predicted_class(margins: Array) -> Array:
    """The class a margin stands for: the largest of several, or 1 above 0."""
    if margins.ndim > 1:
        return np.asarray(np.argmax(margins, axis=-1))
    return np.asarray(margins > 0, np.int64)


def accuracy(margins: Array, labels: Array) -> float:
    return float(Confusion.of(margins, labels).hits.sum() / len(labels))


def balanced_accuracy(margins: Array, labels: Array) -> float:
    counts = Confusion.of(margins, labels)
    present = counts.actual > 0
    return float((counts.hits[present] / counts.actual[present]).mean())


def precision_macro(margins: Array, labels: Array) -> float:
    counts = Confusion.of(margins, labels)
    return float(_ratio(counts.hits, counts.predicted).mean())


def recall_macro(margins: Array, labels: Array) -> float:
    counts = Confusion.of(margins, labels)
    return float(_ratio(counts.hits, counts.actual).mean())


def f1_macro(margins: Array, labels: Array) -> float:
    counts = Confusion.of(margins, labels)
    return float(_ratio(2 * counts.hits, counts.actual + counts.predicted).mean())


def precision(margins: Array, labels: Array) -> float:
    counts = Confusion.of(margins, labels)
    return _only(_ratio(counts.hits, counts.predicted)[counts.positive()])


def recall(margins: Array, labels: Array) -> float:
    counts = Confusion.of(margins, labels)
    return _only(_ratio(counts.hits, counts.actual)[counts.positive()])


def f1_binary(margins: Array, labels: Array) -> float:
    counts = Confusion.of(margins, labels)
    return _only(_ratio(2 * counts.hits, counts.actual + counts.predicted)[counts.positive()])


def mse(margins: Array, labels: Array) -> float:
    return float((_residuals(margins, labels) ** 2).mean())


def rmse(margins: Array, labels: Array) -> float:
    return float(np.sqrt(mse(margins, labels)))


def mae(margins: Array, labels: Array) -> float:
    return float(np.abs(_residuals(margins, labels)).mean())


def r2(margins: Array, labels: Array) -> float:
    if len(labels) < 2:
        return float("nan")
    wrong = float((_residuals(margins, labels) ** 2).sum())
    # The squares of tiny 32-bit numbers vanish.
    exact = labels.astype(np.float64)
    spread = float(((exact - exact.mean()) ** 2).sum())
    if spread == 0:
        return 1.0 if wrong == 0 else 0.0
    return 1 - wrong / spread


def _residuals(margins: Array, labels: Array) -> Array:
    if margins.ndim > 1 and margins.shape[1] != 1:
        raise ValueError(f"y_true and y_pred have different number of output (1!={margins.shape[1]})")
    if np.isnan(labels).any() or np.isnan(margins).any():
        raise ValueError("Input contains NaN.")
    residuals: Array = labels.astype(np.float64) - margins.reshape(-1)
    return residuals


def _ratio(part: Array, whole: Array) -> Array:
    """Part of whole, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _only(values: Array) -> float:
    return float(values[0]) if len(values) else 0.0


# For single-label data the micro averages of precision and recall are both the share of hits.
CUSTOM_METRICS: dict[str, Callable[[Array, Array], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1": f1_macro,
    "f1_binary": f1_binary,
    "f1_macro": f1_macro,
    "mse": mse,
    "rmse": rmse,
    "mae": mae,
    "precision": precision,
    "precision_macro": precision_macro,
    "precision_micro": accuracy,
    "r2": r2,
    "recall": recall,
    "recall_macro": recall_macro,
    "recall_micro": accuracy,
}
