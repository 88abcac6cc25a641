"""What a tuning job's request must satisfy beyond its shape, each rule with its error (Service spec 6.1).

    resources and form ─▶ ranges readable ─▶ objective ─▶ hyperparameters ─▶ strategy ─▶ limits ─▶ warm start

Where AWS's own text is known it is used; else the text says plainly what was expected and what came.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from corelab.errors import limit_exceeded, validation_error
from corelab.tuning.autotune import AlgorithmOf, resolve
from corelab.tuning.form import NO_METRIC, check_form
from corelab.tuning.plan import (
    DEFAULT_QUOTAS,
    GRID,
    HYPERBAND,
    OBJECTIVE_KEY,
    Definition,
    TuningPlan,
    TuningQuotas,
)
from corelab.tuning.warm_start import Parent, check_warm_start


def plan_tuning(
    request: Mapping[str, Any],
    seed: int,
    algorithm_of: AlgorithmOf,
    parents: Mapping[str, Parent] | None = None,
    quotas: TuningQuotas = DEFAULT_QUOTAS,
    running_tuning_jobs: int = 0,
) -> TuningPlan:
    """Check a CreateHyperParameterTuningJob request and read it.

    Args:
        request: validated by the service model already.
        seed: for what has no RandomSeed of its own.
        algorithm_of: the built-in algorithm of a training job definition, None for a container of one's own.
        parents: the existing ones among ``parent_names(request)``, by name.
        running_tuning_jobs: how many tuning jobs of the account are in progress.

    Raises:
        AWSError: ValidationException, or ResourceLimitExceeded where a quota is too small.
    """
    check_form(request)
    resolved = resolve(request, algorithm_of)
    plan = TuningPlan.from_request(resolved, seed, quotas)
    for definition in plan.definitions:
        algorithm = algorithm_of(definition.request)
        _check_objective(definition, algorithm.objectives if algorithm else frozenset(), quotas)
        _check_names(definition, quotas)
        if algorithm is not None:
            algorithm.check(definition.space)
    if len({definition.objective.maximize for definition in plan.definitions}) > 1:
        raise validation_error(
            "All training job definitions of a tuning job must have the same objective Type."
        )
    config = resolved["HyperParameterTuningJobConfig"]
    _check_strategy(config, plan, quotas)
    _check_limits(config, plan, quotas, running_tuning_jobs)
    check_warm_start(request, plan, parents or {}, quotas)
    return plan


def _check_objective(definition: Definition, built_in: frozenset[str], quotas: TuningQuotas) -> None:
    own = definition.request["AlgorithmSpecification"].get("MetricDefinitions", [])
    if definition.objective.metric not in built_in.union(metric["Name"] for metric in own):
        raise validation_error(NO_METRIC)
    if len(own) > quotas.metrics:
        raise validation_error(
            f"A tuning job can have at most {quotas.metrics} metric definitions, but {len(own)} came."
        )


def _check_names(definition: Definition, quotas: TuningQuotas) -> None:
    tunable, static = definition.space.names, definition.static
    both = [name for name in tunable if name in static]
    if both:
        raise validation_error(
            f"The hyperparameters [{', '.join(both)}] are both static and tunable. Give each either a value in "
            "StaticHyperParameters or a range."
        )
    if OBJECTIVE_KEY in tunable:
        raise validation_error(
            f"The hyperparameter {OBJECTIVE_KEY} is set by the tuning job and cannot be tuned."
        )
    if not tunable:
        raise validation_error("A tuning job needs at least one hyperparameter range to search.")
    if len(tunable) > quotas.tunable:
        raise validation_error(
            f"A tuning job can tune at most {quotas.tunable} hyperparameters, but {len(tunable)} came."
        )
    # The objective's name is one more: every child gets it as a hyperparameter.
    total = len(tunable) + len(static) + 1
    if total > quotas.hyperparameters:
        raise validation_error(
            f"A tuning job can have at most {quotas.hyperparameters} static and tunable hyperparameters including "
            f"{OBJECTIVE_KEY}, but {total} came."
        )


def _check_strategy(config: Mapping[str, Any], plan: TuningPlan, quotas: TuningQuotas) -> None:
    if "HyperbandStrategyConfig" in config.get("StrategyConfig", {}) and plan.strategy != HYPERBAND:
        raise validation_error(
            "HyperbandStrategyConfig can be provided only with the Hyperband strategy, but the strategy is "
            f"{plan.strategy}."
        )
    if plan.early_stopping and len(plan.definitions) > 1:
        raise validation_error(
            "TrainingJobEarlyStoppingType Auto is not available for tuning jobs with several training job definitions."
        )
    if plan.strategy == HYPERBAND:
        _check_hyperband(config, plan, quotas)
    elif plan.strategy == GRID:
        _check_grid(config, plan)
    else:
        _check_combinations(config, plan)


def _check_hyperband(config: Mapping[str, Any], plan: TuningPlan, quotas: TuningQuotas) -> None:
    if plan.early_stopping:
        raise validation_error(
            "TrainingJobEarlyStoppingType must be Off with the Hyperband strategy, which stops training jobs by itself."
        )
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    if given.get("MaxResource", 1) > quotas.max_resource:
        raise validation_error(
            f"MaxResource must be less than or equal to {quotas.max_resource}, but is {given['MaxResource']}."
        )
    for definition in plan.definitions:
        resource = definition.resource
        if resource is None:
            raise validation_error(
                "Hyperband needs MaxResource. Provide it in HyperbandStrategyConfig, or a whole number in one of the "
                "static hyperparameters [epochs, numepochs, n-epochs, n_epochs, num_epochs]."
            )
        if resource.minimum > resource.maximum:
            raise validation_error(
                f"MinResource must be less than or equal to MaxResource, but {resource.minimum} is greater than "
                f"{resource.maximum}."
            )


def _check_grid(config: Mapping[str, Any], plan: TuningPlan) -> None:
    ranged = [entry.name for d in plan.definitions for entry in d.space if entry.kind != "Categorical"]
    if ranged:
        raise validation_error(
            f"The Grid strategy searches categorical hyperparameters only, but [{', '.join(ranged)}] have ranges of "
            "numbers. Provide their values in CategoricalParameterRanges."
        )
    cells = _combinations(plan)
    given = config["ResourceLimits"].get("MaxNumberOfTrainingJobs", cells)
    if given != cells:
        raise validation_error(
            f"With the Grid strategy MaxNumberOfTrainingJobs must be omitted or equal to the number of combinations, "
            f"{cells:.0f}, but is {given}."
        )


def _check_combinations(config: Mapping[str, Any], plan: TuningPlan) -> None:
    wanted, combinations = config["ResourceLimits"].get("MaxNumberOfTrainingJobs"), _combinations(plan)
    if wanted is not None and combinations < wanted:
        raise validation_error(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{combinations}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{wanted}]. Provide additional ranges."
        )


def _combinations(plan: TuningPlan) -> float:
    return sum(definition.space.combinations for definition in plan.definitions)


def _check_limits(config: Mapping[str, Any], plan: TuningPlan, quotas: TuningQuotas, running: int) -> None:
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
    target = plan.completion.target
    if target is not None and not math.isfinite(target):
        raise validation_error(f"TargetObjectiveMetricValue must be a finite number, but is {target}.")
    ends = "MaxNumberOfTrainingJobs" in limits or "MaxRuntimeInSeconds" in limits or criteria
    if plan.strategy != GRID and not ends:
        raise validation_error(
            "The tuning job would not end. Provide MaxNumberOfTrainingJobs, MaxRuntimeInSeconds or a completion "
            "criterion."
        )
    jobs = _combinations(plan) if plan.strategy == GRID else limits.get("MaxNumberOfTrainingJobs", 1)
    if jobs > quotas.jobs(plan.strategy):
        what = f"Number of training jobs per {plan.strategy} hyperparameter tuning job"
        raise limit_exceeded(what, quotas.jobs(plan.strategy), 0, jobs, "Training Jobs")
    if plan.max_parallel > quotas.parallel_training_jobs:
        what = "Number of concurrent training jobs per hyperparameter tuning job"
        raise limit_exceeded(what, quotas.parallel_training_jobs, 0, plan.max_parallel, "Training Jobs")
    if running >= quotas.tuning_jobs:
        raise limit_exceeded(
            "Number of concurrent hyperparameter tuning jobs", quotas.tuning_jobs, running, 1, "Tuning Jobs"
        )
