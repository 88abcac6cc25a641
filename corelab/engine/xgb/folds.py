"""Cross validation: many models of one job, and a prediction for every row (Container spec 3.7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from corelab.engine.xgb.boosting import Booster, History, Matrices
from corelab.engine.xgb.failures import AlgorithmError

logger = logging.getLogger(__name__)

Array = npt.NDArray[Any]


class Predictions:
    """Collects what the models say of the rows they did not see.

    Args:
        labels: of all rows.
        repeats: how often every row is predicted.
    """

    def __init__(self, labels: Array, repeats: int, classification: bool) -> None:
        self._labels, self._classification = labels, classification
        self._values = np.zeros((len(labels), repeats))
        self._classes = np.zeros((len(labels), repeats), np.int64)
        self._seen = np.zeros(len(labels), np.int64)
        self._dimensions: int | None = None

    def record(self, rows: Array, predicted: Array) -> None:
        """Raises AlgorithmError for predictions of another form than before, or more of a row than repeats."""
        if self._dimensions not in (None, predicted.ndim):
            raise AlgorithmError(
                f"Expected predictions of {self._dimensions} dimensions, got {predicted.ndim}."
            )
        self._dimensions = predicted.ndim
        turn = self._seen[rows]
        if (turn == self._values.shape[1]).any():
            raise AlgorithmError(f"A row was predicted more often than {self._values.shape[1]} times.")
        if predicted.ndim > 1:
            self._classes[rows, turn] = predicted.argmax(axis=-1)
            predicted = predicted.max(axis=-1)
        elif self._classification:
            self._classes[rows, turn] = predicted > 0.5
        self._values[rows, turn] = predicted
        self._seen[rows] += 1

    def table(self) -> Array:
        """Label, mean prediction and, for classification, the class named most often: the least of several.

        Raises:
            AlgorithmError: a row was predicted too seldom.
        """
        if (self._seen != self._values.shape[1]).any():
            raise AlgorithmError(f"Not every row was predicted {self._values.shape[1]} times.")
        columns = [self._labels, self._values.mean(axis=1)]
        # Of equally frequent classes bincount and argmax name the lowest, as SciPy's mode does.
        if self._classification:
            columns.append(np.array([np.bincount(row).argmax() for row in self._classes]))
        return np.column_stack(columns)

    def save(self, folder: Path) -> None:
        """Write ``predictions.csv``."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "predictions.csv"
        logger.info("Storing predictions on validation set(s) in %s", path)
        np.savetxt(path, self.table(), delimiter=",", fmt="%f")


def cross_validate(booster: Booster, matrices: Matrices, output: Path) -> list[xgboost.Booster]:
    """Train one model a fold, print mean metrics, write predictions to ``output``; gives the models."""
    config, matrix = booster.config, matrices.combined
    folds, repeats = config["_kfold"], config.get("_num_cv_round", 1)
    logger.info("Run %d-round of %d-fold cross validation with %d rows", repeats, folds, matrix.num_row())
    classification = bool(config.get("num_class") or config.get("objective").startswith("binary:"))  # type: ignore[union-attr]
    predictions = Predictions(matrix.get_label(), repeats, classification)
    models: list[xgboost.Booster] = []
    histories: list[History] = []
    for seen, unseen in splits(matrix.get_label(), folds, repeats, classification):
        logger.info("Train cross validation fold %d", len(models) % folds + 1)
        # The container prints metrics of the whole channels, not of the fold.
        model, history = booster.train(matrix.slice(seen), matrices.watched(), fold=len(models))
        models.append(model)
        histories.append(history)
        predictions.record(unseen, model.predict(matrix.slice(unseen)))
        if len(models) % folds == 0:
            logger.info("The metrics of round %d cross validation", len(models) // folds)
            _print_means(config["num_round"], histories[-folds:])
    predictions.save(output)
    if repeats > 1:
        logger.info("The overall metrics of %d-round cross validation", repeats)
        _print_means(config["num_round"], histories)
    return models


def splits(labels: Array, folds: int, repeats: int, stratified: bool) -> Iterator[tuple[Array, Array]]:
    """Rows to train on and rows to predict, of every fold of every repeat; another draw each time.

    Args:
        stratified: every fold has its share of every class.

    Raises:
        ValueError: more folds than rows, or than rows of any class.
    """
    most = int(np.unique(labels, return_counts=True)[1].max()) if stratified else len(labels)
    if folds > most:
        what = "the number of members in each class" if stratified else f"the number of samples: {most}"
        raise ValueError(f"n_splits={folds} cannot be greater than {what}.")
    random = np.random.default_rng()
    for _ in range(repeats):
        chance = random.random(len(labels))
        order = np.lexsort((chance, labels)) if stratified else chance.argsort()
        fold = np.empty(len(labels), np.int64)
        fold[order] = np.arange(len(labels)) % folds
        for number in range(folds):
            # The engine's slice takes 32-bit rows and may not convert others under NumPy 2.
            yield (
                np.flatnonzero(fold != number).astype(np.int32),
                np.flatnonzero(fold == number).astype(np.int32),
            )


def _print_means(rounds: int, histories: Sequence[History]) -> None:
    line = f"[{rounds}]"
    for metric in histories[0]["train"]:
        for name in histories[0]:
            mean = np.mean([history[name][metric][-1] for history in histories])
            # Train and validation side by side for each metric, unlike the lines of a round.
            line += f"\t{name}-{metric}:{mean:.5f}"
    print(line)  # noqa: T201 - the container's metric lines go to standard output
