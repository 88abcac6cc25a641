"""Predictions are XGBoost's own, for every objective, booster and shape of request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost

from corelab.engine.xgb.serve.model_files import UnloadableModel
from corelab.engine.xgb.serve.payload import read_features
from corelab.engine.xgb.serve.scorer import Scorer

OBJECTIVES = [
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:tweedie",
    "count:poisson",
    "survival:cox",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
]


def saved(booster: xgboost.Booster, folder: Path, name: str = "xgboost-model") -> Path:
    folder.joinpath(name).write_bytes(booster.save_raw("deprecated"))
    return folder


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_predicts_as_xgboost_does(objective: str, train, model_folder, rows, to_csv) -> None:
    booster = train(objective)
    scorer = Scorer.load(saved(booster, model_folder), ensemble=True)
    predicted = scorer.predict(read_features(to_csv(rows), "text/csv"))
    assert predicted.dtype == np.float32
    np.testing.assert_array_equal(predicted, booster.predict(xgboost.DMatrix(rows)))
    np.testing.assert_array_equal(scorer.predict(rows[:1].astype(np.float32)), predicted[:1])


@pytest.mark.parametrize(
    "parameters",
    [
        {"booster": "dart", "rate_drop": 0.3},
        {"booster": "gblinear"},
        {"num_parallel_tree": 3},
        {"tree_method": "hist"},
    ],
)
@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_every_booster_predicts_as_xgboost_does(objective, parameters, train, model_folder, rows) -> None:
    booster = train(objective, **parameters)
    scorer = Scorer.load(saved(booster, model_folder), ensemble=True)
    expected = booster.predict(xgboost.DMatrix(rows))
    np.testing.assert_array_equal(scorer.predict(rows.astype(np.float32)), expected)


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("booster_name", ["gbtree", "dart"])
def test_an_early_stopped_model_predicts_with_its_best_rounds_only(
    booster_name, parallel, train, model_folder, rows
) -> None:
    booster = train(
        "reg:squarederror", early_stopping=True, eta=1.5, booster=booster_name, num_parallel_tree=parallel
    )
    best = booster.best_iteration + 1
    assert best < booster.num_boosted_rounds()
    scorer = Scorer.load(saved(booster, model_folder), ensemble=True)
    expected = booster.predict(xgboost.DMatrix(rows), iteration_range=(0, best))
    assert not np.array_equal(expected, booster.predict(xgboost.DMatrix(rows), iteration_range=(0, 0)))
    np.testing.assert_array_equal(scorer.predict(rows.astype(np.float32)), expected)


@pytest.mark.parametrize("booster_name", ["gbtree", "gblinear"])
def test_fewer_columns_than_the_model_has_are_accepted_as_missing(
    booster_name, train, model_folder, rows
) -> None:
    booster = train(booster=booster_name)
    scorer = Scorer.load(saved(booster, model_folder), ensemble=True)
    expected = booster.predict(xgboost.DMatrix(rows[:, :2]), validate_features=False)
    np.testing.assert_array_equal(scorer.predict(rows[:, :2].astype(np.float32)), expected)


def test_more_columns_than_the_model_has_are_the_engines_error(train, model_folder) -> None:
    scorer = Scorer.load(saved(train(), model_folder), ensemble=True)
    with pytest.raises(ValueError, match=r"num_feature >= p_fmat->Info\(\).num_col_ \(4 vs. 5\)"):
        scorer.predict(np.zeros((1, 5), np.float32))


def test_libsvm_and_csv_of_the_same_row_agree(train, model_folder) -> None:
    scorer = Scorer.load(saved(train(), model_folder), ensemble=True)
    dense = scorer.predict(read_features(b"0.5,,-1.25,0", "text/csv"))
    sparse = scorer.predict(read_features(b"0:0.5 2:-1.25 3:0", "text/libsvm"))
    np.testing.assert_array_equal(dense, sparse)


def test_an_answer_is_not_overwritten_by_the_next_one(train, model_folder, rows) -> None:
    scorer = Scorer.load(saved(train(), model_folder), ensemble=True)
    first = scorer.predict(rows[:5].astype(np.float32))
    kept = first.copy()
    scorer.predict(rows[5:10].astype(np.float32))
    np.testing.assert_array_equal(first, kept)


def test_several_models_answer_with_their_mean(train, model_folder, rows) -> None:
    boosters = [train(), train(max_depth=1), train(eta=0.9)]
    for place, booster in enumerate(boosters):
        saved(booster, model_folder, f"xgboost-model-{place}")
    predicted = Scorer.load(model_folder, ensemble=True).predict(rows.astype(np.float32))
    np.testing.assert_array_equal(
        predicted, np.mean([booster.predict(xgboost.DMatrix(rows)) for booster in boosters], axis=0)
    )


@pytest.mark.parametrize("objective", ["multi:softmax", "binary:hinge"])
def test_several_classifiers_vote_and_a_tie_goes_to_the_smallest_class(
    objective, train, model_folder, rows
) -> None:
    boosters = [train(objective), train(objective, max_depth=1)]
    for place, booster in enumerate(boosters):
        saved(booster, model_folder, f"m{place}")
    votes = np.array([booster.predict(xgboost.DMatrix(rows)) for booster in boosters])
    assert (votes[0] != votes[1]).any()
    predicted = Scorer.load(model_folder, ensemble=True).predict(rows.astype(np.float32))
    np.testing.assert_array_equal(predicted, votes.min(axis=0))


def test_without_the_ensemble_only_the_first_file_predicts(train, model_folder, rows) -> None:
    saved(train(), model_folder, "a")
    model_folder.joinpath("notes.txt").write_text("a stray file")
    predicted = Scorer.load(model_folder, ensemble=False).predict(rows.astype(np.float32))
    np.testing.assert_array_equal(predicted, train().predict(xgboost.DMatrix(rows)))
    with pytest.raises(UnloadableModel, match=r"Model /opt/ml/model/notes\.txt cannot be loaded"):
        Scorer.load(model_folder, ensemble=True)


def test_feature_names_are_not_compared(train, model_folder, rows) -> None:
    named = train()
    named = named.copy()
    named.feature_names = ["a", "b", "c", "d"]
    scorer = Scorer.load(saved(named, model_folder), ensemble=True)
    np.testing.assert_array_equal(
        scorer.predict(rows.astype(np.float32)), train().predict(xgboost.DMatrix(rows))
    )


def test_the_model_tells_its_objective_and_classes(train, model_folder) -> None:
    scorer = Scorer.load(saved(train("multi:softprob"), model_folder), ensemble=True)
    assert (scorer.objective, scorer.class_count) == ("multi:softprob", 3)
