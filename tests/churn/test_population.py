"""The shipped customers are what the generator draws, and as hard as the data card says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from corelab import churn
from corelab.churn import table
from corelab.churn.population import Population
from corelab.errors import BadArgument

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def population() -> Population:
    return churn.simulate()


@pytest.fixture(scope="module")
def data(population):
    """Feature matrices and labels by part, one-hot, missing cells kept."""
    customers = population.customers
    features = pd.get_dummies(customers.drop(columns=["customer_id", "churn"]), dtype=float)
    part = churn.split_index(customers["customer_id"])
    return {name: (features[part == name], customers["churn"][part == name].to_numpy()) for name in PARTS}


def tree_auc(data, rounds: int, **settings) -> float:
    matrices = {name: xgb.DMatrix(x.to_numpy(), y, nthread=1) for name, (x, y) in data.items()}
    booster = xgb.train(
        {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, **settings},
        matrices["train"],
        rounds,
    )
    return roc_auc_score(data["test"][1], booster.predict(matrices["test"]))


def test_the_shipped_file_is_what_the_generator_draws():
    shipped = table.SHIPPED.read_bytes()
    assert shipped == table.rebuild()
    assert hashlib.sha256(shipped).hexdigest() == table.SHA256
    assert table.SHA256 in Path(table.SHIPPED.with_name("DATA_CARD.md")).read_text(encoding="utf-8")


def test_the_same_seed_draws_the_same_customers_and_another_seed_others():
    first, again, other = churn.generate(7, 500), churn.generate(7, 500), churn.generate(8, 500)
    pd.testing.assert_frame_equal(first, again)
    assert not first["monthly_charge"].equals(other["monthly_charge"])


def test_every_student_can_have_a_seed_of_her_own():
    assert churn.seed_for("Ada ") == churn.seed_for("ada") != churn.seed_for("grace")
    assert 0.2 < churn.generate(churn.seed_for("ada"))["churn"].mean() < 0.33


def test_there_are_sixteen_features_an_id_and_a_label(population):
    customers = population.customers
    assert len(customers) == 10_000
    assert list(customers.columns) == ["customer_id", *churn.FEATURES, "churn"]
    assert len(churn.FEATURES) == 16
    assert customers["customer_id"].is_unique


def test_about_a_quarter_leaves(population):
    assert population.customers["churn"].mean() == pytest.approx(0.265, abs=0.003)
    assert population.probability.mean() == pytest.approx(0.265, abs=0.005)


@pytest.mark.parametrize(
    ("column", "share"),
    [("satisfaction", 0.28), ("outage_hours", 0.04), ("usage_gb", 0.015), ("total_charge", 0.004)],
)
def test_cells_are_missing_as_often_as_the_card_says(population, column, share):
    assert population.customers[column].isna().mean() == pytest.approx(share, rel=0.15)


def test_who_did_not_answer_the_survey_leaves_more_often(population):
    customers = population.customers
    silent = customers["satisfaction"].isna()
    assert customers["churn"][silent].mean() > customers["churn"][~silent].mean() + 0.03


def test_a_total_is_missing_for_new_customers_only(population):
    customers = population.customers
    assert (customers["total_charge"].isna() == (customers["tenure_months"] == 0)).all()


def test_total_charge_follows_tenure(population):
    customers = population.customers
    assert customers["total_charge"].corr(customers["tenure_months"]) > 0.8


def test_one_region_is_rare(population):
    assert population.customers["region"].value_counts(normalize=True)["islands"] == pytest.approx(
        0.05, abs=0.006
    )


def test_the_true_chance_ranks_the_test_customers_at_about_87(population):
    test = churn.split_index(population.customers["customer_id"]) == "test"
    auc = roc_auc_score(population.customers["churn"][test], population.probability[test])
    assert auc == pytest.approx(0.870, abs=0.005)


def test_defaults_reach_about_81_and_tuning_about_84(data):
    defaults = tree_auc(data, 100)
    tuned = tree_auc(
        data, 120, max_depth=4, eta=0.1, min_child_weight=20, subsample=0.8, colsample_bytree=0.6, seed=0
    )
    assert defaults == pytest.approx(0.815, abs=0.01)
    assert tuned == pytest.approx(0.84, abs=0.006)


def test_depth_matters(data):
    assert tree_auc(data, 300, max_depth=3, eta=0.05) > tree_auc(data, 600, max_depth=1, eta=0.1) + 0.015


def test_a_linear_model_is_behind_trees(data):
    (train, labels), (test, truth) = data["train"], data["test"]
    medians = train.median()
    line = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky")).fit(
        train.fillna(medians), labels
    )
    auc = roc_auc_score(truth, line.predict_proba(test.fillna(medians))[:, 1])
    assert 0.76 < auc < tree_auc(data, 100) - 0.015


def test_a_drifted_month_loses_more_customers():
    usual, drifted = churn.generate(3), churn.generate(3, market=churn.DRIFTED)
    assert drifted["churn"].mean() > usual["churn"].mean() + 0.08
    assert drifted["monthly_charge"].mean() > 1.1 * usual["monthly_charge"].mean()


def test_a_secret_key_decides_the_labels_of_the_batch_and_not_its_customers():
    features = churn.batch(customers=2_000)
    first, second = (churn.batch_labels(key, customers=2_000) for key in (1, 2))
    assert "churn" not in features.columns
    assert list(features["customer_id"]) == list(first.index)
    assert not first.equals(second)
    assert abs(first.mean() - second.mean()) < 0.03


def test_labels_do_not_repeat_the_coins_of_a_feature(population):
    # SeedSequence([seed, 0]) equals SeedSequence(seed): the two streams must differ for key 0 as well.
    customers = population.customers
    surplus = customers["churn"] - population.probability
    by_contract = surplus.groupby(customers["contract"]).mean()
    assert np.abs(by_contract).max() < 0.03


@pytest.mark.parametrize(("seed", "customers"), [(-1, 10), (1, 0)])
def test_impossible_requests_say_what_was_expected(seed, customers):
    with pytest.raises(BadArgument, match="expected seed >= 0"):
        churn.generate(seed, customers)
