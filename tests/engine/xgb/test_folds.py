from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.xgb import hyperparameters
from corelab.engine.xgb.boosting import Booster, Matrices
from corelab.engine.xgb.failures import AlgorithmError
from corelab.engine.xgb.folds import Predictions, cross_validate, splits
from corelab.engine.xgb.model_file import ModelFolder


@given(st.integers(2, 5), st.integers(1, 3), st.integers(0, 99), st.booleans())
def test_every_repeat_predicts_every_row_once(folds: int, repeats: int, seed: int, stratified: bool) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, 40).astype(np.float32)
    drawn = list(splits(labels, folds, repeats, stratified))
    assert len(drawn) == folds * repeats
    for repeat in range(repeats):
        unseen = [rows for _, rows in drawn[repeat * folds : (repeat + 1) * folds]]
        assert sorted(np.concatenate(unseen).tolist()) == list(range(40))
    for seen, rows in drawn:
        assert not set(seen.tolist()) & set(rows.tolist())
        assert len(seen) + len(rows) == 40


@given(st.integers(2, 5), st.integers(0, 99))
def test_stratified_folds_have_their_share_of_every_class(folds: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, 60).astype(np.float32)
    for label in np.unique(labels):
        shares = [int((labels[rows] == label).sum()) for _, rows in splits(labels, folds, 1, True)]
        assert max(shares) - min(shares) <= 1


def test_more_folds_than_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n_splits=5 cannot be greater than the number of samples: 3"):
        next(splits(np.zeros(3), 5, 1, False))
    with pytest.raises(
        ValueError, match=r"n_splits=5 cannot be greater than the number of members in each class"
    ):
        next(splits(np.array([0, 0, 1, 1, 2, 2]), 5, 1, True))


def test_repeated_predictions_are_averaged_and_voted_on() -> None:
    predictions = Predictions(np.array([1.0]), 3, classification=True)
    for probability in (0.6, 0.4, 0.2):
        predictions.record(np.array([0]), np.array([probability]))
    assert predictions.table().tolist() == [[1, pytest.approx(0.4), 0]]


def test_of_several_classes_the_winners_probability_counts() -> None:
    predictions = Predictions(np.array([2.0, 0.0]), 1, classification=True)
    predictions.record(np.array([1, 0]), np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]))
    assert predictions.table().tolist() == [[2, 0.8, 2], [0, 0.7, 0]]


def test_regression_has_no_class() -> None:
    predictions = Predictions(np.array([3.0]), 2, classification=False)
    predictions.record(np.array([0]), np.array([2.0]))
    predictions.record(np.array([0]), np.array([4.0]))
    assert predictions.table().tolist() == [[3, 3]]


def test_predictions_that_do_not_fit_are_the_algorithms_error() -> None:
    predictions = Predictions(np.zeros(2), 1, classification=True)
    predictions.record(np.array([0]), np.array([0.5]))
    with pytest.raises(AlgorithmError, match=r"of 1 dimensions, got 2"):
        predictions.record(np.array([1]), np.array([[0.5, 0.5]]))
    with pytest.raises(AlgorithmError, match=r"Not every row"):
        predictions.table()
    with pytest.raises(AlgorithmError, match=r"more often than 1 times"):
        predictions.record(np.array([0]), np.array([0.5]))


def cross_validated(
    folder: Path, rows: np.ndarray, validated: bool = True, **given: object
) -> list[xgboost.Booster]:
    config = hyperparameters.validate({name: str(value) for name, value in {"num_round": 3, **given}.items()})
    (folder / "scratch").mkdir()
    train, validation, combined = (
        xgboost.DMatrix(part[:, 1:], label=part[:, 0]) for part in (rows[:200], rows[200:], rows)
    )
    matrices = Matrices(train, validation if validated else None, combined if validated else train)
    booster = Booster(config, 1, ModelFolder(folder / "model", folder / "scratch"))
    return cross_validate(booster, matrices, folder / "data")


@pytest.mark.parametrize(("repeats", "models"), [(None, 5), (2, 10), (3, 15)])
def test_each_fold_of_each_repeat_is_a_model(
    repeats: int | None, models: int, tmp_path: Path, rows: np.ndarray
) -> None:
    given = {} if repeats is None else {"_num_cv_round": repeats}
    assert len(cross_validated(tmp_path, rows, objective="binary:logistic", _kfold=5, **given)) == models


def test_means_are_printed_after_each_repeat_and_over_all(
    tmp_path: Path, rows: np.ndarray, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    cross_validated(tmp_path, rows, objective="binary:logistic", eval_metric="auc", _kfold=2, _num_cv_round=2)
    printed = [line for line in capsys.readouterr().out.splitlines() if "\t" in line]
    rounds = [line.split("\t")[0] for line in printed]
    assert rounds == [*["[0]", "[1]", "[2]"] * 2, "[3]", *["[0]", "[1]", "[2]"] * 2, "[3]", "[3]"]
    last = [float(line.rsplit(":", 1)[1]) for line in (printed[2], printed[5])]
    assert printed[6].startswith("[3]\ttrain-auc:")
    assert float(printed[6].rsplit(":", 1)[1]) == pytest.approx(np.mean(last), abs=2e-5)
    assert "The overall metrics of 2-round cross validation" in caplog.messages


def test_without_a_validation_channel_only_train_means_are_printed(
    tmp_path: Path, rows: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    cross_validated(tmp_path, rows, validated=False, objective="reg:squarederror", _kfold=2)
    assert capsys.readouterr().out.splitlines()[-1].startswith("[3]\ttrain-rmse:")


def test_predictions_are_written_for_every_row(tmp_path: Path, rows: np.ndarray) -> None:
    cross_validated(tmp_path, rows, objective="binary:logistic", _kfold=3)
    table = np.loadtxt(tmp_path / "data" / "predictions.csv", delimiter=",")
    assert table.shape == (300, 3)
    assert np.array_equal(table[:, 0], rows[:, 0])
    assert np.array_equal(table[:, 2], table[:, 1] > 0.5)
    assert (table[:, 2] == table[:, 0]).mean() > 0.6


def test_folds_need_an_objective(tmp_path: Path, rows: np.ndarray) -> None:
    with pytest.raises(AttributeError, match=r"'NoneType' object has no attribute 'startswith'"):
        cross_validated(tmp_path, rows, _kfold=2)
