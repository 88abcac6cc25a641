"""The children of a tuning job, as their training jobs' records tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corelab.engine.images import ImageRefused, resolve
from corelab.engine.xgb import metrics
from corelab.engine.xgb.hyperparameters import hyperparameters
from corelab.resources.records import Record
from corelab.resources.registry import Query, Registry
from corelab.resources.states import Kind
from corelab.tuning.algorithm import Algorithm, Tunable
from corelab.tuning.child import Child, Suggestion
from corelab.tuning.naming import child_name
from corelab.tuning.plan import Definition, TuningPlan, TuningQuotas
from corelab.tuning.warm_start import Parent

_PASSED_ON = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "StoppingCondition",
    "VpcConfig",
    "Environment",
    "CheckpointConfig",
    "RetryStrategy",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
)
_INSTANCES = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")

XGBOOST = Algorithm(
    name="xgboost",
    tunables={
        row.name: Tunable(row.name, row.kind, str(row.range), row.tunable)
        for row in hyperparameters().values()
        if row.tunable
    },
    objectives=frozenset(f"validation:{name}" for name in metrics.NAMES),
)


def algorithm_of(definition: Mapping[str, Any]) -> Algorithm | None:
    """The built-in algorithm of a training job definition."""
    try:
        resolve(definition["AlgorithmSpecification"].get("TrainingImage", ""))
    except ImageRefused:
        return None
    return XGBOOST


def training_request(name: str, definition: Definition, tuned: Mapping[str, str]) -> dict[str, Any]:
    """CreateTrainingJob's request for one child."""
    entry = definition.request
    flexible = entry.get("HyperParameterTuningResourceConfig", {})
    # No instance type runs out here: the one preferred most is always to be had (Service spec 6.1).
    first = {**flexible, **flexible["InstanceConfigs"][0]} if "InstanceConfigs" in flexible else flexible
    resources = entry.get("ResourceConfig") or first
    return {
        **{member: entry[member] for member in _PASSED_ON if member in entry},
        "TrainingJobName": name,
        "HyperParameters": definition.hyperparameters(tuned),
        "ResourceConfig": {member: resources[member] for member in _INSTANCES if member in resources},
    }


def name_of(tuning_job: Record, number: int) -> str:
    return child_name(tuning_job.name, number, f"{tuning_job.arn}@{tuning_job.created}")


def mark(tuning_job: Record, suggestion: Suggestion) -> dict[str, Any]:
    """What a child's record keeps of its origin."""
    place = {"job": tuning_job.arn, "created": tuning_job.created}
    return {
        "tuning": {
            **place,
            "number": suggestion.number,
            "definition": suggestion.definition,
            "tuned": dict(suggestion.tuned),
        }
    }


def child_of(record: Record, metric: str, curve: tuple[float, ...] | None = None) -> Child:
    """A training job's record as a child.

    Args:
        curve: the objective's values; by default the final one, if the job has one.
    """
    origin, facts = record.private["tuning"], record.facts
    if curve is None:
        final = (m["Value"] for m in facts.get("FinalMetricDataList", ()) if m["MetricName"] == metric)
        curve = tuple(final)
    return Child(
        number=origin["number"],
        tuned=origin["tuned"],
        definition=origin["definition"],
        status=record.status.value,
        curve=curve,
        name=record.name,
        arn=record.arn,
        created=record.created,
        started=facts.get("TrainingStartTime"),
        ended=facts.get("TrainingEndTime") or (record.modified if record.finished else None),
        failure=facts.get("FailureReason"),
    )


def children_of(registry: Registry, tuning_job: Record, plan: TuningPlan) -> list[Child]:
    """All children that still exist, in launch order."""
    records = registry.find(Kind.TRAINING_JOB, tuning_job.region, Query(name_contains=f"{tuning_job.name}-"))
    mine = [r for r in records if _belongs(r, tuning_job)]
    children = [
        child_of(r, plan.definitions[r.private["tuning"]["definition"]].objective.metric) for r in mine
    ]
    return sorted(children, key=lambda child: child.number)


def plan_of(tuning_job: Record, quotas: TuningQuotas) -> TuningPlan:
    """The plan a stored tuning job was accepted with."""
    return TuningPlan.from_request(tuning_job.private["resolved"], tuning_job.private["seed"], quotas)


def parent_of(registry: Registry, tuning_job: Record, quotas: TuningQuotas) -> Parent:
    """An earlier tuning job as a warm start sees it."""
    plan = plan_of(tuning_job, quotas)
    return Parent(plan, tuning_job.status.value, tuple(children_of(registry, tuning_job, plan)))


def _belongs(record: Record, tuning_job: Record) -> bool:
    origin = record.private.get("tuning", {})
    return bool(origin.get("job") == tuning_job.arn and origin.get("created") == tuning_job.created)
