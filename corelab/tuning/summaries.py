"""Children as AWS lists them: HyperParameterTrainingJobSummary, its order and its selection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from corelab.errors import validation_error
from corelab.tuning.child import Child
from corelab.tuning.plan import TuningPlan

_BY_OBJECTIVE = "FinalObjectiveMetricValue"


def summarize(plan: TuningPlan, child: Child) -> dict[str, Any]:
    """One HyperParameterTrainingJobSummary; times in whole epoch seconds (Service spec 1.1 and 6.2)."""
    definition = plan.definition_of(child)
    summary: dict[str, Any] = {
        "TrainingJobName": child.name,
        "TrainingJobArn": child.arn,
        "TuningJobName": plan.job_name,
        "CreationTime": int(child.created),
        "TrainingJobStatus": child.status,
        "TunedHyperParameters": dict(child.tuned),
        "ObjectiveStatus": child.objective_status,
    }
    optional = {
        "TrainingJobDefinitionName": definition.name,
        "TrainingStartTime": None if child.started is None else int(child.started),
        "TrainingEndTime": None if child.ended is None else int(child.ended),
        "FailureReason": child.failure,
    }
    summary.update({key: value for key, value in optional.items() if value is not None})
    if child.score is not None:
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "MetricName": definition.objective.metric,
            "Value": child.score,
        }
    return summary


def select(
    children: Iterable[Child], status: str | None = None, sort_by: str = "Name", descending: bool = False
) -> list[Child]:
    """The children ListTrainingJobsForHyperParameterTuningJob answers with, before it makes pages.

    Args:
        sort_by: Name, CreationTime, Status or FinalObjectiveMetricValue; the last leaves out children without a
            final value (Service spec 3).
    """
    if sort_by not in _KEYS:
        raise validation_error(f"SortBy must be one of [{', '.join(_KEYS)}], but is '{sort_by}'.")
    chosen = [child for child in children if status in (None, child.status)]
    if sort_by == _BY_OBJECTIVE:
        chosen = [child for child in chosen if child.score is not None]
    return sorted(chosen, key=_KEYS[sort_by], reverse=descending)


_KEYS: dict[str, Any] = {
    "Name": lambda child: child.name,
    "CreationTime": lambda child: (child.created, child.number),
    "Status": lambda child: (child.status, child.number),
    _BY_OBJECTIVE: lambda child: (child.score, child.number),
}
