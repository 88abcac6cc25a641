"""Checks of a batch's predictions and of what is made of them."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from corelab import churn
from corelab.checks.cloud import asks_cloud, read_object
from corelab.checks.outcome import CannotTell, CheckFailed, check
from corelab.checks.scores import AUC_WINDOW, area_under_curve
from corelab.checks.transform import describe_transform, outputs_of, seconds_of
from corelab.core.prices import load_prices
from corelab.errors import BadArgument

MEAN_CHANCE: Final = (0.20, 0.34)
CLOSE: Final = 1e-5


@check
@asks_cloud
def batch_scores(scores: Any, name: Any) -> str:
    """Each customer of the batch has the chance of leaving that the job wrote."""
    chances = _by_customer(scores)
    ids = churn.batch()["customer_id"]
    if len(chances) != len(ids) or set(chances.index) != set(ids):
        hint = "row i of the results belongs to row i of the file you sent"
        raise CheckFailed(f"{len(ids):,} customers of the batch, each once", f"{len(chances):,}", hint)
    values = chances.to_numpy(dtype=float)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise CheckFailed(
            "chances from 0 to 1", f"{values.min():g} to {values.max():g}", "read them as floats"
        )
    written = _written(name)
    if len(written) != len(values) or np.abs(np.sort(values) - np.sort(written)).max() > CLOSE:
        hint = "read the output of this job, every line of it, and change nothing"
        raise CheckFailed(f"the {len(written):,} values of the output", "others", hint)
    low, high = MEAN_CHANCE
    if not low <= values.mean() <= high:
        hint = "about a quarter left last month: do the columns stand in the order of training?"
        raise CheckFailed(f"a mean from {low} to {high}", f"{values.mean():.3f}", hint)
    return f"{len(values):,} customers, mean {values.mean():.3f}"


@check
def batch_ranking(scores: Any, label_key: int) -> str:
    """The predictions rank the customers of the batch about as well as the data allow."""
    chances = _by_customer(scores)
    labels = churn.batch_labels(label_key)
    try:
        left = labels.loc[list(chances.index)]
    except KeyError:
        raise CheckFailed(
            "customers of the batch", list(chances.index)[:3], "index scores by customer_id"
        ) from None
    auc, (low, high) = area_under_curve(chances.to_numpy(dtype=float), np.asarray(left)), AUC_WINDOW
    if not low <= auc <= high:
        raise CheckFailed(
            f"AUC from {low} to {high}", f"{auc:.3f}", "do predictions and ids belong together?"
        )
    return f"AUC {auc:.3f}"


@check
@asks_cloud
def transform_seconds(value: Any, name: Any) -> str:
    """The time is what the job's own timestamps say."""
    actual = seconds_of(describe_transform(name))
    if not _is_number(value) or abs(value - actual) > max(0.05 * actual, 0.05):
        hint = "transform_end_time minus transform_start_time, as total_seconds()"
        raise CheckFailed(f"{actual:.2f} s", value, hint)
    return f"{actual:.2f} s"


@check
@asks_cloud
def cost_per_prediction(dollars: Any, name: Any, rows: int) -> str:
    """The price of one prediction is right."""
    job = describe_transform(name)
    resources = job["TransformResources"]
    try:
        hourly = load_prices().hourly(resources["InstanceType"])
    except BadArgument as problem:
        raise CannotTell(str(problem)) from problem
    cost = seconds_of(job) / 3600 * hourly * resources["InstanceCount"] / rows
    if not _is_number(dollars) or abs(dollars - cost) > 0.05 * cost:
        hint = "seconds of the job in hours, times price of an hour and instances, divided by the rows"
        raise CheckFailed(f"${cost:.3g}", dollars, hint)
    return f"${cost * 1_000_000:.4f} for a million"


@check
def spot_checks(by_hand: Any, scores: Any) -> str:
    """Predictions made by hand equal those of the batch."""
    hand, batch = _by_customer(by_hand), _by_customer(scores)
    if len(hand) < 5 or not set(hand.index) <= set(batch.index):
        raise CheckFailed(
            "five customers of the batch or more", f"{len(hand)}", "a Series indexed by customer_id"
        )
    gap = float((hand - batch.loc[hand.index]).abs().max())
    if not gap < CLOSE:
        hint = "same model, same row of the file, same preparation?"
        raise CheckFailed("no difference above 0.00001", f"{gap:.5f}", hint)
    return f"{len(hand)} customers"


@check
def call_list(customers: Any, scores: Any) -> str:
    """The list holds the tenth of the batch with the highest scores."""
    chances = _by_customer(scores)
    given = list(customers) if isinstance(customers, list | tuple | pd.Series | pd.Index | np.ndarray) else []
    wanted = len(chances) // 10
    if len(given) != wanted or len(set(given)) != wanted or not set(given) <= set(chances.index):
        raise CheckFailed(
            f"{wanted:,} different customer ids", f"{len(given):,}", "sort scores and cut at a tenth"
        )
    lowest, bound = chances.loc[given].min(), chances.nlargest(wanted).min()
    if lowest < bound - CLOSE:
        raise CheckFailed(f"scores from {bound:.3f} up", f"{lowest:.3f}", "the highest, not the lowest")
    return f"{wanted:,} customers, from {bound:.2f} up"


@check
def lift(value: Any, probability: Any) -> str:
    """The lift is right: leavers in the top tenth against leavers among all test customers."""
    chances = _by_customer(probability)
    known = churn.load().set_index("customer_id")["churn"]
    part = churn.split_index(known.index.to_series())
    test = set(part.index[part == "test"])
    if set(chances.index) != test:
        hint = "the model has seen train and validation: take the test part, indexed by customer_id"
        raise CheckFailed(f"the {len(test):,} test customers", f"{len(chances):,} others", hint)
    low, high = AUC_WINDOW
    auc = area_under_curve(chances.to_numpy(dtype=float), np.asarray(known.loc[chances.index]))
    if not low <= auc <= high:
        raise CheckFailed(
            f"predictions with an AUC from {low} to {high}", f"{auc:.3f}", "rows and ids in one order?"
        )
    top = chances.nlargest(len(chances) // 10).index
    actual = float(known.loc[top].mean() / known.loc[chances.index].mean())
    if not _is_number(value) or abs(value - actual) > 0.05 * actual:
        hint = "share of leavers in the tenth with the highest scores, divided by the share among all"
        raise CheckFailed(f"{actual:.2f}", value, hint)
    return f"{actual:.2f} times as many leavers"


@check
def alert_pattern(pattern: Any) -> None:
    """The event pattern catches failed transform jobs, and only those."""
    try:
        found = json.loads(pattern) if isinstance(pattern, str) else dict(pattern)
        detail = dict(found["detail"])
    except (ValueError, KeyError, TypeError):
        raise CheckFailed("JSON with source, detail-type and detail", pattern, "see event patterns") from None
    kind = found.get("detail-type")
    if found.get("source") != ["aws.sagemaker"]:
        raise CheckFailed(
            '"source": ["aws.sagemaker"]', found.get("source"), "a list: any of its values matches"
        )
    if kind != ["SageMaker Transform Job State Change"]:
        hint = "the page on events from SageMaker lists the names of its kinds"
        raise CheckFailed("the kind of event for transform jobs, in a list", kind, hint)
    states = detail.get("TransformJobStatus")
    if not isinstance(states, list) or "Failed" not in states or "Completed" in states:
        raise CheckFailed(
            '"TransformJobStatus": ["Failed"]', states, "an alert for every success is soon ignored"
        )


def _written(name: Any) -> npt.NDArray[Any]:
    """The last value of each line of a job's output: with a join, the prediction stands at the right."""
    lines = [
        line
        for uri in outputs_of(describe_transform(name))
        for line in read_object(uri).decode().splitlines()
    ]
    try:
        return np.asarray([float(line.rsplit(",", 1)[-1]) for line in lines if line.strip()])
    except ValueError:
        hint = "assemble_with='Line' puts each result on a line of its own"
        raise CheckFailed("one number a line in the output", lines[0][:80], hint) from None


def _by_customer(values: Any) -> pd.Series:
    try:
        series = pd.Series(values, dtype=float)
    except (TypeError, ValueError):
        raise CheckFailed("a Series of numbers", type(values).__name__, "index it by customer_id") from None
    if series.index.has_duplicates or not all(isinstance(label, str) for label in series.index):
        raise CheckFailed(
            "customer ids as index, each once", list(series.index)[:3], "pd.Series(values, index=ids)"
        )
    return series


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
