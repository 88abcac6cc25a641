"""Autotune: fills in what a request leaves to the service, by fixed rules, so that it always fills in the same.

ranges          the request's own · AutoParameters, around their hints · else the algorithm's usual five
jobs            ten for each tuned hyperparameter, 20 to 100
early stopping  Auto          retries  3          completion  on convergence
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from corelab.errors import validation_error
from corelab.tuning.algorithm import Algorithm, Tunable
from corelab.tuning.plan import GRID, HYPERBAND
from corelab.tuning.space import is_number

AlgorithmOf = Callable[[Mapping[str, Any]], Algorithm | None]

# "The hyperparameters that have the greatest effect", as AWS's page on tuning XGBoost has it.
_MOST_EFFECT = ("alpha", "min_child_weight", "subsample", "eta", "num_round")
_JOBS_PER_PARAMETER, _FEWEST_JOBS, _MOST_JOBS = 10, 20, 100
_RETRIES = 3
_KINDS = ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")


def is_autotuned(request: Mapping[str, Any]) -> bool:
    """Whether the request leaves its settings to the service."""
    return bool(request.get("Autotune", {}).get("Mode") == "Enabled")


def resolve(request: Mapping[str, Any], algorithm_of: AlgorithmOf) -> dict[str, Any]:
    """The request with everything filled in that Autotune decides; as it was without Autotune.

    Args:
        algorithm_of: the built-in algorithm of a training job definition, None for a container of one's own.

    Raises:
        AWSError: ValidationException where there is nothing to tune and no algorithm to choose for.
    """
    if not is_autotuned(request):
        return dict(request)
    config = dict(request["HyperParameterTuningJobConfig"])
    if config["Strategy"] == GRID:
        raise validation_error("Autotune chooses ranges of numbers, which the Grid strategy cannot search.")
    resolved = {**request, "HyperParameterTuningJobConfig": config}
    if "TrainingJobDefinition" in request:
        single = request["TrainingJobDefinition"]
        ranges, static = _ranges(config.get("ParameterRanges", {}), single, algorithm_of(single))
        config["ParameterRanges"] = ranges
        resolved["TrainingJobDefinition"] = _retried({**single, "StaticHyperParameters": static})
        tuned = _count(ranges)
    else:
        several = [
            _resolved(entry, algorithm_of(entry)) for entry in request.get("TrainingJobDefinitions", ())
        ]
        resolved["TrainingJobDefinitions"] = several
        tuned = sum(_count(entry["HyperParameterRanges"]) for entry in several)
    _fill_settings(config, tuned, single="TrainingJobDefinition" in request)
    return resolved


def _resolved(entry: Mapping[str, Any], algorithm: Algorithm | None) -> dict[str, Any]:
    ranges, static = _ranges(entry.get("HyperParameterRanges", {}), entry, algorithm)
    return _retried({**entry, "HyperParameterRanges": ranges, "StaticHyperParameters": static})


def _retried(entry: dict[str, Any]) -> dict[str, Any]:
    return {"RetryStrategy": {"MaximumRetryAttempts": _RETRIES}, **entry}


def _fill_settings(config: dict[str, Any], tuned: int, single: bool) -> None:
    jobs = max(_FEWEST_JOBS, min(_MOST_JOBS, _JOBS_PER_PARAMETER * tuned))
    config["ResourceLimits"] = {"MaxNumberOfTrainingJobs": jobs, **config["ResourceLimits"]}
    if single and config["Strategy"] != HYPERBAND:
        config.setdefault("TrainingJobEarlyStoppingType", "Auto")
    config.setdefault(
        "TuningJobCompletionCriteria", {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
    )


def _ranges(
    given: Mapping[str, Any], entry: Mapping[str, Any], algorithm: Algorithm | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Explicit ranges, and the static hyperparameters that remain static."""
    ranges = {kind: list(given.get(kind, ())) for kind in _KINDS}
    static = dict(entry.get("StaticHyperParameters", {}))
    hints = {hint["Name"]: hint["ValueHint"] for hint in given.get("AutoParameters", ())}
    for name, hint in hints.items():
        chosen = _around(name, hint, algorithm)
        if chosen is None:
            static[name] = hint
        else:
            ranges[chosen[0]].append(chosen[1])
    if _count(ranges) == 0 and algorithm is not None:
        for name in _MOST_EFFECT:
            if name in algorithm.tunables and name not in static:
                kind, chosen_range = _recommended(algorithm.tunables[name])
                ranges[kind].append(chosen_range)
    if _count(ranges) == 0:
        raise validation_error(
            "Autotune found no hyperparameter to tune. Provide AutoParameters with number hints, or ParameterRanges."
        )
    return ranges, static


def _count(ranges: Mapping[str, Any]) -> int:
    return sum(len(ranges[kind]) for kind in _KINDS)


def _around(name: str, hint: str, algorithm: Algorithm | None) -> tuple[str, dict[str, str]] | None:
    """A range for a hyperparameter with an example value; None when it is to stay as it is."""
    value = float(hint) if is_number(hint) else None
    if algorithm is not None:
        tunable = algorithm.tunables.get(name)
        if tunable is None or value is None or not tunable.accepts(value):
            return None
        return _recommended(tunable, value)
    if value is None or value <= 0:
        return None
    if value == int(value) and "." not in hint and "e" not in hint.lower():
        return _KINDS[0], _range(name, max(1, int(value) // 4), int(value) * 4)
    # A hint of at most 1 is likely a rate, a share or a probability: more than 1 of it may not be legal.
    return _KINDS[1], _range(name, value / 10, min(1.0, value * 10) if value <= 1 else value * 10)


def _recommended(tunable: Tunable, hint: float | None = None) -> tuple[str, dict[str, str]]:
    low, high = tunable.recommended
    if hint is not None:
        low, high = min(low, hint), max(high, hint)
    if tunable.kind == "integer":
        return _KINDS[0], _range(tunable.name, int(low), int(high))
    return _KINDS[1], _range(tunable.name, float(low), float(high))


def _range(name: str, low: float, high: float) -> dict[str, str]:
    return {"Name": name, "MinValue": repr(low), "MaxValue": repr(high), "ScalingType": "Auto"}
