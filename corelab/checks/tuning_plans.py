"""Checks of a search before it starts, when a mistake still costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from corelab.checks.cloud import asks_cloud
from corelab.checks.jobs import describe
from corelab.checks.outcome import CheckFailed, check
from corelab.checks.plans import member
from corelab.checks.scores import AUC_WINDOW
from corelab.core.prices import load_prices

JOBS: Final = (5, 20)
PARALLEL: Final = (1, 4)
LONGEST: Final = (60, 1800)
NARROWEST: Final = 1e-6
# What the algorithm lets a tuning job search, and where it makes sense to look (container spec 1.2).
TUNABLE: Final = {
    "alpha": (0.0, 1000.0),
    "colsample_bylevel": (0.1, 1.0),
    "colsample_bynode": (0.1, 1.0),
    "colsample_bytree": (0.3, 1.0),
    "eta": (0.005, 1.0),
    "gamma": (0.0, 20.0),
    "lambda": (0.0, 1000.0),
    "max_delta_step": (0.0, 10.0),
    "max_depth": (0.0, 15.0),
    "min_child_weight": (0.0, 120.0),
    "num_round": (1.0, 4000.0),
    "subsample": (0.3, 1.0),
}
WHOLE: Final = {"max_depth", "num_round"}


@check
def planned_objective(objective: Any) -> str:
    """The objective is one the container reports, in the right direction."""
    metric, direction = member(objective, "metric_name"), member(objective, "type")
    if not isinstance(metric, str) or not metric.startswith("validation:"):
        hint = "deep trees always win on the customers they trained on"
        raise CheckFailed("a metric of the validation channel, such as validation:auc", metric, hint)
    if metric != "validation:auc":
        hint = "the next steps compare with the baseline, which reported validation:auc"
        raise CheckFailed("validation:auc", metric, hint)
    if direction != "Maximize":
        raise CheckFailed(
            "Maximize", direction, "auc is better when larger: Minimize would pick the worst job"
        )
    return f"{direction} {metric}"


@check
def planned_ranges(ranges: Any) -> str:
    """The ranges can be searched."""
    found = judge_ranges(ranges)
    return ", ".join(found)


@check
def planned_limits(limits: Any) -> str:
    """The search is bounded, and its jobs can learn from each other."""
    jobs, parallel = (
        member(limits, "max_number_of_training_jobs"),
        member(limits, "max_parallel_training_jobs"),
    )
    if not isinstance(jobs, int) or not JOBS[0] <= jobs <= JOBS[1]:
        hint = "enough to learn something, few enough to pay for"
        raise CheckFailed(f"{JOBS[0]} to {JOBS[1]} training jobs", jobs, hint)
    if not isinstance(parallel, int) or not PARALLEL[0] <= parallel <= PARALLEL[1] or parallel >= jobs:
        hint = "jobs that start together cannot learn from each other"
        raise CheckFailed(f"{PARALLEL[0]} to {PARALLEL[1]} at once, and fewer than {jobs}", parallel, hint)
    return f"{jobs} jobs, {parallel} at once"


@check
@asks_cloud
def planned_budget(dollars: Any, limits: Any, stopping: Any, baseline: Any) -> str:
    """The most that the whole search could cost is right."""
    longest, jobs = member(stopping, "max_runtime_in_seconds"), member(limits, "max_number_of_training_jobs")
    if not isinstance(jobs, int):
        raise CheckFailed("a number of training jobs", jobs, "see ResourceLimits")
    if not isinstance(longest, int) or not LONGEST[0] <= longest <= LONGEST[1]:
        raise CheckFailed(
            f"{LONGEST[0]} to {LONGEST[1]} seconds for one job", longest, "see StoppingCondition"
        )
    resources = describe(baseline)["ResourceConfig"]
    hourly = load_prices().hourly(resources["InstanceType"])
    most = jobs * longest / 3600 * hourly * resources["InstanceCount"]
    if not isinstance(dollars, int | float) or abs(dollars - most) > 0.01 * most:
        hint = "jobs times longest run time in hours, times price of an hour and instances of one job"
        raise CheckFailed(f"${most:.4f}", dollars, hint)
    return f"${most:.4f}"


@check
def planned_template(definition: Any, ranges: Any) -> str:
    """The template says what every training job shares."""
    static = member(definition, "static_hyper_parameters")
    if (
        not isinstance(static, dict)
        or static.get("objective") != "binary:logistic"
        or "num_round" not in static
    ):
        raise CheckFailed('static objective "binary:logistic" and num_round', static, "a dict of strings")
    both = [name for name in judge_ranges(ranges) if name in static]
    if both:
        raise CheckFailed("static or tuned, not both", both[0], "leave what is searched out of the template")
    channels = {
        str(member(channel, "channel_name")) for channel in member(definition, "input_data_config") or ()
    }
    if not {"train", "validation"} <= channels:
        hint = "baseline.input_data_config has both"
        raise CheckFailed("channels train and validation", ", ".join(sorted(channels)) or "none", hint)
    return f"{static['num_round']} rounds"


@check
def local_search(results: Any) -> str:
    """At least six different settings were tried on this machine."""
    try:
        table = pd.DataFrame(results)
        scores = pd.to_numeric(table["auc"])
    except (KeyError, ValueError, TypeError):
        raise CheckFailed("a table with a column auc", type(results).__name__, "one row a setting") from None
    settings = table.drop(columns="auc").astype(str).drop_duplicates()
    if len(settings) < 6:
        raise CheckFailed(
            "six settings or more", f"{len(settings)} different ones", "vary depth, eta or others"
        )
    low, high = AUC_WINDOW
    if not (scores > 0.5).all() or not low <= scores.max() <= high:
        hint = "validation AUC of each, from a model trained on the train channel alone"
        raise CheckFailed(f"a best AUC from {low} to {high}", f"{scores.max():.4f}", hint)
    return f"{len(settings)} settings, AUC {scores.min():.3f} to {scores.max():.3f}"


def judge_ranges(ranges: Any) -> list[str]:
    """The names of the tuned hyperparameters; CheckFailed for the first range that cannot be searched."""
    names = [str(member(item, "name")) for item in _items(ranges, "categorical")]
    for kind in ("integer", "continuous"):
        for item in _items(ranges, kind):
            names.append(str(member(item, "name")))
            _judge_range(names[-1], kind, member(item, "min_value"), member(item, "max_value"))
    unknown = [name for name in names if name not in TUNABLE]
    if unknown:
        raise CheckFailed(
            f"names among {', '.join(TUNABLE)}", unknown[0], "see the tuning page of XGBoost on AWS"
        )
    if not 3 <= len(set(names)) <= 5:
        hint = "few jobs cannot fill a space of many dimensions"
        raise CheckFailed("3 to 5 hyperparameters", f"{len(set(names))}: {', '.join(names)}", hint)
    return names


def _items(ranges: Any, kind: str) -> Iterator[Any]:
    found = member(ranges, f"{kind}_parameter_ranges")
    yield from found if isinstance(found, list | tuple) else ()


def _judge_range(name: str, kind: str, low: Any, high: Any) -> None:
    if not isinstance(low, str) or not isinstance(high, str):
        raise CheckFailed(f"bounds of {name} as strings", f"{low!r} to {high!r}", "the API takes '3', not 3")
    try:
        least, most = float(low), float(high)
    except ValueError:
        raise CheckFailed(
            f"numbers as bounds of {name}", f"{low!r} to {high!r}", "'0.1', not words"
        ) from None
    if not most - least > NARROWEST:
        hint = "min below max" if most < least else "a range of width 0 tries one value again and again"
        raise CheckFailed(f"a smallest {name} below the largest", f"{low} to {high}", hint)
    if name in WHOLE and kind != "integer":
        raise CheckFailed(f"an integer range for {name}", kind, "half a level of depth does not exist")
    floor, ceiling = TUNABLE.get(name, (least, most))
    if least < floor or most > ceiling:
        hint = "see the tuning page of XGBoost on AWS: the algorithm refuses more, or it helps nobody"
        raise CheckFailed(f"{name} within {floor:g} to {ceiling:g}", f"{low} to {high}", hint)
