"""Checks of what a learner made of a tuning job's results, each against the cloud's own record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from corelab.checks.cloud import asks_cloud
from corelab.checks.jobs import describe
from corelab.checks.outcome import CannotTell, CheckFailed, check
from corelab.checks.rows import channel_numbers
from corelab.checks.scores import AUC_WINDOW, area_under_curve
from corelab.checks.tuning import best_of, describe_tuning, finished_trials, metric_of, trials_of
from corelab.core.prices import load_prices
from corelab.errors import BadArgument

OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"
CLOSE = 1e-4


@check
@asks_cloud
def trial_table(table: Any, name: Any) -> str:
    """The table holds the trials of your tuning job."""
    if not isinstance(table, pd.DataFrame) or "auc" not in table:
        got = list(table.columns) if isinstance(table, pd.DataFrame) else type(table).__name__
        raise CheckFailed("a DataFrame with a column auc", got, "one row a training job")
    scored = finished_trials(name)
    wanted = sorted(float(trial[OBJECTIVE]["Value"]) for trial in scored)
    given = sorted(_column(table, "auc"))
    if len(given) != len(wanted):
        raise CheckFailed(
            f"{len(wanted)} rows", f"{len(given)} rows", "one row for each job that has a score"
        )
    _same("auc", given, wanted)
    for parameter in scored[0]["TunedHyperParameters"]:
        if parameter not in table:
            raise CheckFailed(
                f"a column {parameter}", list(table.columns), "see tuned_hyper_parameters of a trial"
            )
        values = [trial["TunedHyperParameters"][parameter] for trial in scored]
        if all(_reads_as_number(value) for value in values):
            _same(parameter, sorted(_column(table, parameter)), sorted(map(float, values)))
    return f"{len(wanted)} trials, AUC {wanted[0]:.4f} to {wanted[-1]:.4f}"


@check
@asks_cloud
def importance(shares: Any, name: Any) -> str:
    """Each tuned hyperparameter has a share of the importance."""
    tuned = set(finished_trials(name)[0]["TunedHyperParameters"])
    given = dict(shares) if isinstance(shares, Mapping | pd.Series) else None
    if given is None or set(given) != tuned:
        raise CheckFailed(", ".join(sorted(tuned)), shares, "a dict or Series from hyperparameter to share")
    values = {str(key): float(value) for key, value in given.items()}
    if not all(math.isfinite(value) and value >= 0 for value in values.values()):
        hint = "take the size of each effect without its sign, and no NaN"
        raise CheckFailed("shares from 0 up", values, hint)
    if abs(sum(values.values()) - 1) > 0.01:
        raise CheckFailed("shares that add up to 1", f"{sum(values.values()):.3f}", "divide by their sum")
    leader = max(values, key=lambda key: values[key])
    return f"{leader} leads with {values[leader]:.0%}"


@check
@asks_cloud
def improvement(value: Any, name: Any, baseline: Any) -> str:
    """The improvement is the best job's metric minus the baseline's."""
    gain = gain_of(name, baseline)
    if not _is_number(value) or abs(float(value) - gain) > CLOSE:
        hint = "the same metric, validation:auc, of the best job and of the baseline; best minus baseline"
        raise CheckFailed(f"{gain:+.4f}", value, hint)
    return f"{gain:+.4f}"


@check
@asks_cloud
def beats_baseline(said: Any, name: Any, baseline: Any) -> str:
    """What you say of the baseline is what the cloud says."""
    gain = gain_of(name, baseline)
    if not isinstance(said, bool | np.bool_) or bool(said) != (gain > 0):
        raise CheckFailed(
            f"{gain > 0}, since the difference is {gain:+.4f}", said, "both answers are honest work"
        )
    return "better" if gain > 0 else "not better, said honestly"


@check
@asks_cloud
def tuning_cost(dollars: Any, name: Any) -> str:
    """The cost of the search is the sum over its training jobs."""
    cost = cost_of(name)
    if not _is_number(dollars) or abs(float(dollars) - cost) > 0.1 * cost:
        hint = "billable seconds of every training job of the search, by the price of an hour; not only of the best"
        raise CheckFailed(f"${cost:.6f}, give or take a tenth", dollars, hint)
    return f"${cost:.6f}"


@check
@asks_cloud
def price_of_gain(dollars: Any, name: Any, baseline: Any) -> str:
    """The price of one hundredth of AUC is right."""
    gain, cost = gain_of(name, baseline), cost_of(name)
    if gain <= 0:
        if dollars is not None and not (_is_number(dollars) and math.isinf(float(dollars))):
            raise CheckFailed(
                "None or infinity: nothing was gained", dollars, "no sum buys what did not happen"
            )
        return "no gain, so no price"
    price = cost / (gain / 0.01)
    if not _is_number(dollars) or abs(float(dollars) - price) > 0.12 * price:
        raise CheckFailed(
            f"${price:.6f}", dollars, "the cost of the search, divided by the gain in hundredths"
        )
    return f"${price:.6f} for +.01"


@check
@asks_cloud
def cheapest_threshold(threshold: Any, probability: Any, name: Any, missed: float, called: float) -> str:
    """The threshold costs the least on the validation customers."""
    labels = validation_labels(best_of(describe_tuning(name))["TrainingJobName"])
    scores = np.asarray(probability, dtype=float).reshape(-1)
    if len(scores) != len(labels):
        raise CheckFailed(
            f"{len(labels)} predictions", f"{len(scores)}", "one for each row of the validation file"
        )
    auc, (low, high) = area_under_curve(scores, labels), AUC_WINDOW
    if not low <= auc <= high:
        raise CheckFailed(
            f"predictions with an AUC from {low} to {high}", f"{auc:.3f}", "rows in the file's order?"
        )
    if not _is_number(threshold) or not 0 <= float(threshold) <= 1:
        raise CheckFailed(
            "a threshold from 0 to 1", threshold, "a customer is called from this probability up"
        )
    least = min(_cost(scores, labels, at, missed, called) for at in np.linspace(0, 1, 201))
    cost = _cost(scores, labels, float(threshold), missed, called)
    if cost > 1.03 * least:
        hint = "try thresholds from 0 to 1, count missed leavers and calls at each, take the cheapest"
        raise CheckFailed(f"costs of about ${least:,.0f}", f"${cost:,.0f} at {threshold}", hint)
    return f"${cost:,.0f} at {float(threshold):.2f}"


@check
@asks_cloud
def spread(value: Any, name: Any) -> str:
    """The spread of the narrow search is right."""
    actual = float(np.std([float(trial[OBJECTIVE]["Value"]) for trial in finished_trials(name)]))
    if not _is_number(value) or abs(float(value) - actual) > max(0.35 * actual, CLOSE):
        raise CheckFailed(
            f"about {actual:.5f}", value, "the standard deviation of the objective over its trials"
        )
    return f"{actual:.5f}"


def gain_of(name: Any, baseline: Any) -> float:
    """Best objective of a tuning job minus the same metric of the baseline."""
    best = best_of(describe_tuning(name))[OBJECTIVE]
    return float(best["Value"]) - metric_of(baseline, best["MetricName"])


def cost_of(name: Any) -> float:
    """Dollars for the machines of all training jobs of a tuning job, by their billable seconds."""
    total = 0.0
    for trial in trials_of(name):
        job = describe(trial["TrainingJobName"])
        resources = job["ResourceConfig"]
        try:
            hourly = load_prices().hourly(resources["InstanceType"])
        except BadArgument as problem:
            raise CannotTell(str(problem)) from problem
        total += job.get("BillableTimeInSeconds", 0) / 3600 * hourly * resources["InstanceCount"]
    return total


def validation_labels(job: str) -> npt.NDArray[Any]:
    """The first column of a job's validation channel."""
    channels = {channel["ChannelName"]: channel for channel in describe(job)["InputDataConfig"]}
    if "validation" not in channels:
        raise CheckFailed("a channel 'validation'", ", ".join(channels), "train on the baseline's channels")
    return np.asarray(channel_numbers(channels["validation"])[0])


def _cost(
    scores: npt.NDArray[Any], labels: npt.NDArray[Any], at: float, missed: float, called: float
) -> float:
    calls = scores >= at
    return float(missed * (labels[~calls] == 1).sum() + called * calls.sum())


def _column(table: pd.DataFrame, name: str) -> list[float]:
    numbers = pd.to_numeric(table[name], errors="coerce")
    if numbers.isna().any():
        raise CheckFailed(
            f"numbers in column {name}", list(table[name])[:3], "the API answers in strings: float()"
        )
    return [float(number) for number in numbers]


def _same(what: str, given: list[float], wanted: list[float]) -> None:
    for have, want in zip(given, wanted, strict=True):
        if abs(have - want) > CLOSE * max(1, abs(want)):
            raise CheckFailed(
                f"{want:.5g} among the values of {what}", f"{have:.5g}", "read them from the trials"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
