from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from corelab import checks, churn
from corelab.checks import CheckFailed
from corelab.checks.scores import area_under_curve

POPULATION = churn.simulate()
IDS = POPULATION.customers["customer_id"].tolist()


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60))
def test_the_area_agrees_with_scikit_learn(pairs):
    scores, labels = np.array([p[0] for p in pairs], float), np.array([p[1] for p in pairs], int)
    if labels.min() == labels.max():
        with pytest.raises(CheckFailed, match="both labels"):
            area_under_curve(scores, labels)
    else:
        assert area_under_curve(scores, labels) == pytest.approx(roc_auc_score(labels, scores))


def noisy_chances():
    noise = np.random.default_rng(1).normal(0, 1.1, len(IDS))
    odds = np.log(POPULATION.probability / (1 - POPULATION.probability)) + noise
    return 1 / (1 + np.exp(-odds))


def test_a_sound_ranking_passes_with_the_figure_it_claims():
    chances = noisy_chances()
    checks.ranking(chances, IDS)
    with pytest.raises(CheckFailed, match="the AUC of these predictions"):
        checks.ranking(chances, IDS, claimed=0.99)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda chances: np.sort(chances), "same order"),
        (lambda chances: 1 - chances, "columns in the order of training"),
        (
            lambda chances: POPULATION.customers["churn"] * 0.9 + chances * 0.1,
            "does a feature hold the label",
        ),
    ],
)
def test_a_ranking_that_is_too_bad_or_too_good_is_named(spoil, words):
    with pytest.raises(CheckFailed, match=words):
        checks.ranking(spoil(noisy_chances()), IDS)


def test_strangers_have_no_label():
    with pytest.raises(CheckFailed, match="customers of the course"):
        checks.ranking([0.5], ["X1"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full(9, 0.5), "10 predictions"),
        (np.linspace(-3, 3, 10), "binary:logistic"),
        ([float("nan")] * 10, "numbers from 0 to 1"),
        ([0, 1] * 5, "do not round"),
        ("many", "give an array"),
        (None, "numbers from 0 to 1|10 predictions"),
    ],
)
def test_predictions_that_are_no_probabilities_are_named(values, words):
    with pytest.raises(CheckFailed, match=words):
        checks.probabilities(values, rows=10)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ({"train": {"auc": [0.5] * 20}}, "parts train and validation"),
        ([1, 2], "parts train and validation"),
        (
            {"train": {"auc": [0.7] * 5}, "validation": {"auc": [0.6, 0.7, 0.7, 0.7, 0.7]}},
            "at least 10 rounds",
        ),
        ({"train": {"logloss": [0.7] * 20}, "validation": {"logloss": list(range(20))}}, "eval_metric"),
        ({"train": {"auc": [0.7] * 20}, "validation": {"auc": [0.5] * 20}}, "an AUC that rises"),
    ],
)
def test_a_history_that_shows_no_learning_is_named(history, words):
    with pytest.raises(CheckFailed, match=words):
        checks.learning_curve(history)


def test_two_models_are_compared_row_by_row():
    checks.same_predictions([0.1, 0.2], np.array([0.1, 0.2], dtype="float32"))
    for other in ([0.1, 0.3], [0.1]):
        with pytest.raises(CheckFailed):
            checks.same_predictions([0.1, 0.2], other)
