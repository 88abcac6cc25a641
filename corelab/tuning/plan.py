"""A tuning job's plan: the parts of its request that decide what runs, as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from corelab.tuning.child import Child
from corelab.tuning.space import SearchSpace

# The container learns from this hyperparameter which metric it is tuned for (Service spec 6.2).
OBJECTIVE_KEY = "_tuning_objective_metric"
# Static hyperparameters that say how long a job trains (HyperbandStrategyConfig in the service model).
RESOURCE_KEYS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
# What ends a training by itself: the keys above, and XGBoost's own.
LENGTH_KEYS = (*RESOURCE_KEYS, "num_round")

GRID, HYPERBAND, BAYESIAN, RANDOM = "Grid", "Hyperband", "Bayesian", "Random"


@dataclass(frozen=True, slots=True)
class TuningQuotas:
    """AWS's default limits on automatic model tuning (Service spec 6.1)."""

    parallel_training_jobs: int = 10
    training_jobs: int = 750
    training_jobs_random: int = 10_000
    tuning_jobs: int = 100
    tunable: int = 30
    hyperparameters: int = 100
    metrics: int = 20
    runtime_seconds: int = 30 * 24 * 3600
    max_resource: int = 20_000

    def jobs(self, strategy: str) -> int:
        return self.training_jobs_random if strategy == RANDOM else self.training_jobs


DEFAULT_QUOTAS = TuningQuotas()


@dataclass(frozen=True, slots=True)
class Objective:
    metric: str
    maximize: bool


@dataclass(frozen=True, slots=True)
class Resource:
    """Hyperband's unit of work is one emission of the objective metric; bounds of what a child may use."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of child: what is searched, what stays, what is measured.

    Attributes:
        name: DefinitionName; None for a request's single TrainingJobDefinition.
        request: the definition as it stands in the request: image, channels, resources, limits.
    """

    name: str | None
    space: SearchSpace
    objective: Objective
    static: Mapping[str, str]
    resource: Resource | None
    request: Mapping[str, Any]

    def hyperparameters(self, tuned: Mapping[str, str]) -> dict[str, str]:
        """Everything a child trains with: static, sampled, and the objective's name."""
        return {**self.static, **tuned, OBJECTIVE_KEY: self.objective.metric}


@dataclass(frozen=True, slots=True)
class Prior:
    """A result of a warm start's parent. ``source`` tells the parents' scales apart."""

    source: str
    definition: int
    tuned: Mapping[str, str]
    score: float


@dataclass(frozen=True, slots=True)
class Completion:
    """When a tuning job may end before all its children ran."""

    target: float | None = None
    not_improving: int | None = None
    on_convergence: bool = False


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """A tuning job as rules, strategies and progress see it.

    Attributes:
        max_jobs: how many children at most; the grid's size for Grid.
        transfer: whether parents' results are from other data, so that only their order counts.
    """

    job_name: str
    strategy: str
    definitions: tuple[Definition, ...]
    max_jobs: int
    max_parallel: int
    max_runtime: int
    seed: int
    early_stopping: bool = False
    completion: Completion = field(default_factory=Completion)
    transfer: bool = False

    @property
    def maximize(self) -> bool:
        """The direction of every definition: rules let no job mix them."""
        return self.definitions[0].objective.maximize

    def definition_of(self, child: Child) -> Definition:
        return self.definitions[child.definition]

    @classmethod
    def from_request(
        cls, request: Mapping[str, Any], seed: int, quotas: TuningQuotas = DEFAULT_QUOTAS
    ) -> TuningPlan:
        """Read a CreateHyperParameterTuningJob request, Autotune already resolved.

        Args:
            seed: used where the request has no RandomSeed; the same seed makes the same plan after a restart.

        Raises:
            AWSError: ValidationException for what cannot be read as numbers; the other rules are in ``rules``.
        """
        config = request["HyperParameterTuningJobConfig"]
        strategy, limits = config["Strategy"], config["ResourceLimits"]
        definitions = tuple(read_definitions(request, quotas))
        cells = sum(definition.space.combinations for definition in definitions)
        most = round(min(cells, quotas.jobs(strategy))) if strategy == GRID else quotas.jobs(strategy)
        return cls(
            job_name=request["HyperParameterTuningJobName"],
            strategy=strategy,
            definitions=definitions,
            max_jobs=min(limits.get("MaxNumberOfTrainingJobs", most), most),
            max_parallel=limits["MaxParallelTrainingJobs"],
            max_runtime=min(
                limits.get("MaxRuntimeInSeconds", quotas.runtime_seconds), quotas.runtime_seconds
            ),
            seed=config.get("RandomSeed", seed),
            early_stopping=config.get("TrainingJobEarlyStoppingType") == "Auto",
            completion=_completion(config.get("TuningJobCompletionCriteria", {})),
            transfer=request.get("WarmStartConfig", {}).get("WarmStartType") == "TransferLearning",
        )


def read_definitions(request: Mapping[str, Any], quotas: TuningQuotas) -> list[Definition]:
    """The request's definitions; a single one takes its objective and ranges from the job's configuration."""
    config = request["HyperParameterTuningJobConfig"]
    if "TrainingJobDefinition" in request:
        single = request["TrainingJobDefinition"]
        objective, ranges = config["HyperParameterTuningJobObjective"], config.get("ParameterRanges", {})
        return [_definition(config, single, objective, ranges, quotas)]
    return [
        _definition(config, entry, entry["TuningObjective"], entry.get("HyperParameterRanges", {}), quotas)
        for entry in request["TrainingJobDefinitions"]
    ]


def _definition(
    config: Mapping[str, Any],
    entry: Mapping[str, Any],
    objective: Mapping[str, Any],
    ranges: Mapping[str, Any],
    quotas: TuningQuotas,
) -> Definition:
    static = {k: v for k, v in entry.get("StaticHyperParameters", {}).items() if k != OBJECTIVE_KEY}
    return Definition(
        name=entry.get("DefinitionName"),
        space=SearchSpace.parse(ranges),
        objective=Objective(objective["MetricName"], objective["Type"] == "Maximize"),
        static=static,
        resource=_resource(config, static, quotas) if config["Strategy"] == HYPERBAND else None,
        request=entry,
    )


def _resource(config: Mapping[str, Any], static: Mapping[str, str], quotas: TuningQuotas) -> Resource | None:
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    maximum = given.get("MaxResource") or inferred_resource(static)
    if maximum is None:
        return None
    return Resource(given.get("MinResource", 1), min(maximum, quotas.max_resource))


def inferred_resource(static: Mapping[str, str]) -> int | None:
    """Hyperband's MaxResource as the static hyperparameters tell it; None when none of AWS's keys does."""
    values = (static[key] for key in RESOURCE_KEYS if key in static)
    return next(
        (int(text) for text in values if text.isdecimal() and text.isascii() and int(text) >= 1), None
    )


def _completion(criteria: Mapping[str, Any]) -> Completion:
    stalled = criteria.get("BestObjectiveNotImproving", {})
    converged = criteria.get("ConvergenceDetected", {})
    return Completion(
        target=criteria.get("TargetObjectiveMetricValue"),
        not_improving=stalled.get("MaxNumberOfTrainingJobsNotImproving"),
        on_convergence=converged.get("CompleteOnConvergence") == "Enabled",
    )
