"""How far a tuning job is, what to do next, and when it is over; pure functions of its children."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corelab.tuning.child import Child
from corelab.tuning.plan import TuningPlan

# A later result counts as an improvement when it is better by this share of the best so far
# (BestObjectiveNotImproving and ConvergenceDetected in the service model).
_IMPROVEMENT = 0.01
_ATTEMPTS = 5
# AWS does not tell how it detects convergence. Here: as many children as a fair look in every direction takes,
# and at least ten, have passed without an improvement.
_LOOKS, _LEAST_LOOKS = 3, 10


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now.

    Attributes:
        launch: how many more children may start.
        status: Completed or Failed when the job is over, else None.
        reason: FailureReason of a failed job.
        halt: whether children that still run are to be stopped first.
    """

    launch: int = 0
    status: str | None = None
    reason: str | None = None
    halt: bool = False


def decide(plan: TuningPlan, children: Sequence[Child], elapsed: float) -> Decision:
    """What a tuning job has to do next (Service spec 6.1 and 6.3).

    Args:
        elapsed: seconds since the job was created.

    A Decision with a status is final: halt what runs where it says so, then end the job.
    """
    running = sum(child.running for child in children)
    if _has_failed(children):
        return Decision(status="Failed", reason=_no_success(_ATTEMPTS), halt=running > 0)
    if _is_complete(plan, children):
        return Decision(status="Completed", halt=running > 0)
    left = plan.max_jobs - len(children)
    if left <= 0 and running == 0:
        return _ended(children)
    if elapsed >= plan.max_runtime:
        return Decision(status="Completed", halt=running > 0)
    return Decision(launch=max(0, min(left, plan.max_parallel - running)))


def status_counters(children: Iterable[Child]) -> dict[str, int]:
    """TrainingJobStatusCounters of DescribeHyperParameterTuningJob."""
    counters = {"Completed": 0, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0}
    for child in children:
        counters[_counter(child)] += 1
    return counters


def objective_counters(children: Iterable[Child]) -> dict[str, int]:
    """ObjectiveStatusCounters; their sum is the number of children launched."""
    counters = {"Succeeded": 0, "Pending": 0, "Failed": 0}
    for child in children:
        counters[child.objective_status] += 1
    return counters


def best_child(children: Iterable[Child], maximize: bool) -> Child | None:
    """The child with the best final objective value, the earlier of two equals; None while none has one."""
    scored = [(child.score, child) for child in children if child.score is not None]
    sign = -1 if maximize else 1
    return min(scored, key=lambda pair: (sign * pair[0], pair[1].number))[1] if scored else None


def completion_details(plan: TuningPlan, children: Sequence[Child]) -> dict[str, float]:
    """TuningJobCompletionDetails: epoch seconds in ConvergenceDetectedTime, which is there once it is known."""
    details: dict[str, float] = {
        "NumberOfTrainingJobsObjectiveNotImproving": _stalls(plan, children)[-1] if _scored(children) else 0
    }
    converged = _converged_at(plan, children)
    return details if converged is None else {**details, "ConvergenceDetectedTime": converged}


def consumed_seconds(created: float, now: float) -> int:
    """ConsumedResources.RuntimeInSeconds: wall-clock time from creation to now, or to the job's end."""
    return max(0, round(now - created))


def _counter(child: Child) -> str:
    if child.running:
        return "InProgress"
    if child.status == "Failed":
        return "RetryableError" if child.retryable else "NonRetryableError"
    return child.status


def _has_failed(children: Sequence[Child]) -> bool:
    over = [child for child in children if not child.running]
    return len(over) >= _ATTEMPTS and all(child.status == "Failed" for child in over)


def _ended(children: Sequence[Child]) -> Decision:
    if any(child.score is not None for child in children):
        return Decision(status="Completed")
    if children and all(child.status == "Failed" for child in children):
        return Decision(status="Failed", reason=_no_success(len(children)))
    return Decision(status="Failed", reason=_no_objective(len(children)))


def _no_success(attempts: int) -> str:
    return (
        f"No training job succeeded after {attempts} attempts. For additional details, please take a look at the "
        "training job failures by listing training jobs for the hyperparameter tuning job."
    )


def _no_objective(jobs: int) -> str:
    return (
        f"No objective metrics found after running {jobs} training jobs. Please ensure that the algorithm is "
        "emitting the objective metric as defined by the regular expression provided."
    )


def _is_complete(plan: TuningPlan, children: Sequence[Child]) -> bool:
    criteria, best = plan.completion, best_child(children, plan.maximize)
    if best is None or best.score is None:
        return False
    if criteria.target is not None and _reaches(best.score, criteria.target, plan.maximize):
        return True
    if criteria.not_improving is not None and _stalls(plan, children)[-1] >= criteria.not_improving:
        return True
    return criteria.on_convergence and _converged_at(plan, children) is not None


def _reaches(score: float, target: float, maximize: bool) -> bool:
    return score >= target if maximize else score <= target


def _scored(children: Iterable[Child]) -> list[Child]:
    """Children with a result, in the order they ended."""
    scored = (child for child in children if child.score is not None)
    return sorted(scored, key=lambda child: (child.ended or 0.0, child.number))


def _stalls(plan: TuningPlan, children: Iterable[Child]) -> list[int]:
    """After each result: how many in a row, up to this one, have not improved on the best before them."""
    stalls: list[int] = []
    best = math.nan
    for child in _scored(children):
        score = (child.score or 0.0) * (1 if plan.maximize else -1)
        improved = math.isnan(best) or score - best > _IMPROVEMENT * abs(best)
        stalls.append(0 if improved else stalls[-1] + 1)
        best = score if math.isnan(best) else max(best, score)
    return stalls


def _converged_at(plan: TuningPlan, children: Sequence[Child]) -> float | None:
    patience = max(_LEAST_LOOKS, _LOOKS * max(len(definition.space) for definition in plan.definitions))
    for child, stall in zip(_scored(children), _stalls(plan, children), strict=True):
        if stall >= patience:
            return child.ended
    return None
