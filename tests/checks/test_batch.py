"""Checks of a batch's predictions: right ones pass, lost, reordered or invented ones are named."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from corelab import checks, churn
from corelab.checks import CheckFailed
from corelab.churn.table import BATCH_SEED

KEY = 12
PATTERN = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Transform Job State Change"],
    "detail": {"TransformJobStatus": ["Failed"]},
}


@pytest.fixture(scope="module")
def chances():
    """About what a good model says of each customer of the batch."""
    truth = churn.simulate(BATCH_SEED, 10_000, initial="N")
    noise = np.random.default_rng(5).normal(0, 0.12, 10_000)
    return pd.Series(np.clip(truth.probability + noise, 0, 1), index=churn.batch()["customer_id"])


def test_good_predictions_rank_the_batch(chances):
    checks.batch_ranking(chances, label_key=KEY)


def test_predictions_that_lost_their_customers_are_named(chances):
    reordered = pd.Series(np.roll(chances.to_numpy(), 1), index=chances.index)
    renamed = chances.set_axis([f"C{number:05d}" for number in range(len(chances))])
    for wrong in (reordered, 1 - chances, renamed, chances.to_numpy(), None):
        with pytest.raises(CheckFailed):
            checks.batch_ranking(wrong, label_key=KEY)


def test_the_list_to_call_is_the_top_tenth(chances):
    checks.call_list(chances.nlargest(1000).index.tolist(), chances)
    for wrong in (
        chances.nsmallest(1000).index,
        chances.nlargest(999).index,
        list(chances.index[:1000]),
        None,
    ):
        with pytest.raises(CheckFailed):
            checks.call_list(wrong, chances)


def test_five_by_hand_must_equal_the_batch(chances):
    checks.spot_checks(chances.head(5), chances)
    for wrong in (chances.head(4), chances.head(5) + 0.01, chances.head(5).set_axis(list("abcde"))):
        with pytest.raises(CheckFailed):
            checks.spot_checks(wrong, chances)


def test_an_alert_is_for_failed_transform_jobs_only():
    checks.alert_pattern(PATTERN)
    checks.alert_pattern(json.dumps(PATTERN))
    for change in (
        {"source": "aws.sagemaker"},
        {"detail-type": ["SageMaker Training Job State Change"]},
        {"detail": {"TransformJobStatus": ["Failed", "Completed"]}},
        {"detail": {}},
    ):
        with pytest.raises(CheckFailed):
            checks.alert_pattern(PATTERN | change)
    for nonsense in ("not json", None, []):
        with pytest.raises(CheckFailed):
            checks.alert_pattern(nonsense)
