"""Warm start: which earlier tuning jobs may teach a new one, and what they taught (Service spec 6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corelab.errors import validation_error
from corelab.tuning.child import Child
from corelab.tuning.plan import Definition, Prior, TuningPlan, TuningQuotas
from corelab.tuning.progress import best_child
from corelab.tuning.space import CategoricalRange, is_number

_TERMINAL = ("Completed", "Stopped", "Failed")
_MOST_CHANGES = 10
_DATA_FIELDS = ("InputDataConfig", "AlgorithmSpecification")


@dataclass(frozen=True, slots=True)
class Parent:
    """An earlier tuning job: its status, plan and children."""

    plan: TuningPlan
    status: str
    children: tuple[Child, ...]


def parent_names(request: Mapping[str, Any]) -> list[str]:
    """The tuning jobs a request wants to start from; empty without warm start."""
    parents = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", ())
    return [parent["HyperParameterTuningJobName"] for parent in parents]


def check_warm_start(
    request: Mapping[str, Any], plan: TuningPlan, parents: Mapping[str, Parent], quotas: TuningQuotas
) -> None:
    """Raises ValidationException for parents that cannot teach this job.

    Args:
        parents: the known ones of ``parent_names(request)``, by name.
    """
    names = parent_names(request)
    if not names:
        return
    if len(plan.definitions) > 1 or any(len(parents[n].plan.definitions) > 1 for n in names if n in parents):
        raise validation_error(
            "Warm start is not available for tuning jobs with several training job definitions."
        )
    if len(set(names)) < len(names):
        raise validation_error("ParentHyperParameterTuningJobs names a tuning job more than once.")
    for name in names:
        if name not in parents:
            raise validation_error(
                f"The parent hyperparameter tuning job {name} of the warm start does not exist in this account and "
                "region."
            )
        _check_parent(name, request, plan, parents[name])
    _check_total(plan, [parents[name] for name in names], quotas)


def priors(plan: TuningPlan, parents: Mapping[str, Parent]) -> list[Prior]:
    """What parents' children found, as points of the new search; points outside it are left out.

    A hyperparameter that a parent kept static is known too. What a parent learned from parents of its own is not
    passed on: warm start is not recursive.
    """
    learnt = []
    for name, parent in parents.items():
        for child in parent.children:
            point = _placed(plan.definitions[0], parent.plan.definition_of(child), child)
            if child.score is not None and point is not None:
                learnt.append(Prior(name, 0, point, child.score))
    return learnt


def overall_best(
    plan: TuningPlan, children: Iterable[Child], parents: Iterable[Parent]
) -> tuple[TuningPlan, Child] | None:
    """OverallBestTrainingJob: the best child of this job and its parents, with the plan it belongs to.

    Only a job started from identical data and algorithm has one: other values cannot be compared.
    """
    if plan.transfer:
        return None
    candidates = [(plan, best_child(children, plan.maximize))]
    candidates += [(parent.plan, best_child(parent.children, plan.maximize)) for parent in parents]
    found = [(owner, child) for owner, child in candidates if child is not None and child.score is not None]
    sign = -1 if plan.maximize else 1
    return min(found, key=lambda pair: sign * (pair[1].score or 0.0)) if found else None


def _check_parent(name: str, request: Mapping[str, Any], plan: TuningPlan, parent: Parent) -> None:
    if parent.status not in _TERMINAL:
        raise validation_error(
            f"The parent hyperparameter tuning job {name} is in status {parent.status}. "
            f"A warm start needs parents in a terminal state: [{', '.join(_TERMINAL)}]."
        )
    new, old = plan.definitions[0], parent.plan.definitions[0]
    if new.objective != old.objective:
        raise validation_error(
            f"The objective metric of the parent hyperparameter tuning job {name} is {old.objective.metric}. "
            "The objective metric of a warm start tuning job must be the same as that of its parents."
        )
    _check_hyperparameters(name, new, old)
    if not plan.transfer:
        _check_identical(name, new.request, old.request)


def _check_hyperparameters(name: str, new: Definition, old: Definition) -> None:
    counts = [len(definition.static) + len(definition.space) for definition in (new, old)]
    if counts[0] != counts[1]:
        raise validation_error(
            f"The tuning job has {counts[0]} static and tunable hyperparameters, its parent {name} has {counts[1]}. "
            "Their total must be the same in a warm start tuning job and its parents."
        )
    kinds = {entry.name: entry.kind for entry in old.space}
    for entry in new.space:
        if kinds.get(entry.name, entry.kind) != entry.kind:
            raise validation_error(
                f"The hyperparameter {entry.name} is {entry.kind} in the tuning job, but {kinds[entry.name]} in its "
                f"parent {name}. The type of a hyperparameter must not change in a warm start."
            )
    changes = _changes(new, old)
    if changes > _MOST_CHANGES:
        raise validation_error(
            f"The tuning job makes {changes} changes from its parent {name}: hyperparameters made static, and static "
            f"values changed. A warm start allows at most {_MOST_CHANGES}."
        )


def _changes(new: Definition, old: Definition) -> int:
    """Tunable made static, each category counting, and static values changed, as AWS's guide counts them."""
    made_static = sum(
        len(entry.values) if isinstance(entry, CategoricalRange) else 1
        for entry in old.space
        if entry.name in new.static
    )
    changed = (
        (value, new.static[key]) for key, value in old.static.items() if new.static.get(key, value) != value
    )
    # A text changed is one category gone and one come: two changes in the guide's example.
    return made_static + sum(1 if is_number(before) and is_number(after) else 2 for before, after in changed)


def _check_identical(name: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    for field, (ours, theirs) in zip(
        _DATA_FIELDS, zip(_data_of(new), _data_of(old), strict=True), strict=True
    ):
        if ours != theirs:
            raise validation_error(
                f"The {field} differs from that of the parent hyperparameter tuning job {name}. With the WarmStartType "
                "IdenticalDataAndAlgorithm both jobs use the same input data and training image; use TransferLearning."
            )


def _data_of(definition: Mapping[str, Any]) -> tuple[Any, Any]:
    channels = {channel["ChannelName"]: channel for channel in definition.get("InputDataConfig", ())}
    algorithm = definition["AlgorithmSpecification"]
    return channels, (algorithm.get("TrainingImage"), algorithm.get("AlgorithmName"))


def _check_total(plan: TuningPlan, parents: Sequence[Parent], quotas: TuningQuotas) -> None:
    total = plan.max_jobs + sum(len(parent.children) for parent in parents)
    if total > quotas.jobs(plan.strategy):
        raise validation_error(
            f"The tuning job and its parents have {total} training jobs together; at most "
            f"{quotas.jobs(plan.strategy)} are allowed, and the training jobs of parents count."
        )


def _placed(new: Definition, old: Definition, child: Child) -> dict[str, str] | None:
    known = {**old.static, **child.tuned}
    point = {name: known[name] for name in new.space.names if name in known}
    return point if new.space.read(point) is not None else None
