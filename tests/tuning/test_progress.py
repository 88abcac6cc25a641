"""Counters, the best child, and when a tuning job is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.tuning.child import Child, objective_curve
from corelab.tuning.progress import (
    Decision,
    best_child,
    completion_details,
    consumed_seconds,
    decide,
    objective_counters,
    status_counters,
)
from tests.tuning.cases import categorical, child, config, own, own_config, plan, ranges

FIVE_FAILURES = (
    "No training job succeeded after 5 attempts. For additional details, please take a look at the training job "
    "failures by listing training jobs for the hyperparameter tuning job."
)
STATUSES = ["InProgress", "Stopping", "Completed", "Failed", "Stopped"]


def failed(number: int) -> Child:
    return child(number, status="Failed", failure="AlgorithmError: , exit code: 1")


def running(number: int) -> Child:
    return child(number, status="InProgress")


def criteria(**given: Any) -> dict[str, Any]:
    return config(TuningJobCompletionCriteria=given)


def test_only_as_many_children_start_as_may_run_at_once_and_remain() -> None:
    made = plan(config(jobs=4, parallel=2))
    assert decide(made, [], 0) == Decision(launch=2)
    assert decide(made, [running(1), running(2)], 0) == Decision(launch=0)
    assert decide(made, [child(1, 0.7), running(2)], 0) == Decision(launch=1)
    assert decide(made, [child(1, 0.7), child(2, 0.8), child(3, 0.6), running(4)], 0) == Decision(launch=0)


def test_a_child_that_is_stopping_still_takes_its_place() -> None:
    assert decide(plan(config(parallel=1)), [child(1, status="Stopping")], 0).launch == 0


def test_a_job_is_completed_when_all_its_children_have_ended() -> None:
    over = [child(1, 0.7), child(2, 0.8, status="Stopped"), failed(3), child(4)]
    assert decide(plan(config(jobs=4)), over, 0) == Decision(status="Completed")


def test_five_failures_without_a_success_fail_the_job() -> None:
    made = plan(config(parallel=2))
    assert decide(made, [failed(n) for n in range(1, 5)], 0) == Decision(launch=2)
    assert decide(made, [failed(n) for n in range(1, 6)], 0) == Decision(
        status="Failed", reason=FIVE_FAILURES
    )
    assert decide(made, [*map(failed, range(1, 6)), running(6)], 0).halt


def test_failures_after_a_success_do_not_fail_the_job() -> None:
    assert decide(plan(), [child(1, 0.7), *map(failed, range(2, 9))], 0) == Decision(launch=2)


def test_a_job_whose_few_children_all_failed_fails_too() -> None:
    decision = decide(plan(config(jobs=2)), [failed(1), failed(2)], 0)
    assert decision.status == "Failed"
    assert decision.reason is not None and decision.reason.startswith(
        "No training job succeeded after 2 attempts"
    )


def test_a_job_whose_metric_never_appeared_runs_all_children_and_fails() -> None:
    made, silent = plan(config(jobs=3, parallel=1)), [child(1), child(2)]
    assert decide(made, silent, 0) == Decision(launch=1)
    decision = decide(made, [*silent, child(3)], 0)
    assert decision.status == "Failed"
    assert (
        decision.reason is not None
        and "No objective metrics found after running 3 training jobs" in decision.reason
    )
    assert objective_counters([*silent, child(3)]) == {"Succeeded": 0, "Pending": 0, "Failed": 3}
    assert best_child([*silent, child(3)], maximize=True) is None


def test_reaching_the_target_completes_the_job_and_halts_the_rest() -> None:
    made = plan(criteria(TargetObjectiveMetricValue=0.9))
    assert decide(made, [child(1, 0.95, 0.89), running(2)], 0).status is None
    assert decide(made, [child(1, 0.9), running(2)], 0) == Decision(status="Completed", halt=True)


def test_a_target_to_be_minimized_is_reached_from_above() -> None:
    settings = own_config(
        ranges(texts=[categorical("k", "1", "2", "3")]),
        jobs=3,
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.1},
    )
    assert decide(plan(settings, own()), [child(1, 0.2)], 0).status is None
    assert decide(plan(settings, own()), [child(1, 0.1)], 0).status == "Completed"


def test_a_job_ends_when_its_last_results_improved_by_less_than_one_percent() -> None:
    made = plan(criteria(BestObjectiveNotImproving={"MaxNumberOfTrainingJobsNotImproving": 3}))
    stalled = [child(1, 0.5), child(2, 0.8), child(3, 0.805), child(4, 0.7)]
    assert decide(made, stalled, 0).status is None
    assert decide(made, [*stalled, child(5, 0.81)], 0).status == "Completed"
    assert decide(made, [*stalled, child(5, 0.82)], 0).status is None


def test_results_count_in_the_order_in_which_children_ended() -> None:
    late_best = child(1, 0.9, ended=900.0)
    details = completion_details(plan(), [late_best, child(2, 0.5), child(3, 0.4), child(4, 0.3)])
    assert details == {"NumberOfTrainingJobsObjectiveNotImproving": 0}


def test_convergence_is_noted_with_its_time_and_ends_the_job_only_where_asked() -> None:
    flat = [child(n, 0.8, ended=1000.0 + n) for n in range(1, 12)]
    assert "ConvergenceDetectedTime" not in completion_details(plan(), flat[:10])
    assert completion_details(plan(), flat) == {
        "NumberOfTrainingJobsObjectiveNotImproving": 10,
        "ConvergenceDetectedTime": 1011.0,
    }
    assert decide(plan(), flat, 0).status is None
    asked = plan(criteria(ConvergenceDetected={"CompleteOnConvergence": "Enabled"}))
    assert decide(asked, flat[:10], 0).status is None
    assert decide(asked, flat, 0).status == "Completed"


def test_a_job_out_of_time_completes_with_what_it_has() -> None:
    limited = config(jobs=None)
    limited["ResourceLimits"]["MaxRuntimeInSeconds"] = 120
    assert decide(plan(limited), [child(1, 0.7), running(2)], 119.9).launch == 1
    assert decide(plan(limited), [child(1, 0.7), running(2)], 120.0) == Decision(
        status="Completed", halt=True
    )


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.booleans(), st.booleans())))
def test_both_kinds_of_counters_sum_to_the_children_launched(drawn: list[tuple[str, bool, bool]]) -> None:
    children = [
        child(
            n,
            *([0.5] if emitted else []),
            status=status,
            failure="InternalServerError: x" if ours else "ClientError: x",
        )
        for n, (status, emitted, ours) in enumerate(drawn, 1)
    ]
    assert (
        sum(status_counters(children).values()) == sum(objective_counters(children).values()) == len(children)
    )
    assert objective_counters(children)["Pending"] == status_counters(children)["InProgress"]


def test_failures_of_the_platform_can_be_retried_and_others_cannot() -> None:
    ours = child(
        1,
        status="Failed",
        failure="InternalServerError: We encountered an internal error.  Please try again.",
    )
    assert status_counters([ours, failed(2), failed(3), child(4, 0.5, status="Stopped")]) == {
        "Completed": 0, "InProgress": 0, "RetryableError": 1, "NonRetryableError": 2, "Stopped": 1,
    }  # fmt: skip


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.booleans())
def test_the_best_child_is_the_first_with_the_best_final_value(values: list[float], maximize: bool) -> None:
    children = [child(n, 99.0, value) for n, value in enumerate(values, 1)]
    best = best_child(children, maximize)
    wanted = max(values) if maximize else min(values)
    assert best is not None
    assert best.number == values.index(wanted) + 1


def test_a_child_stopped_early_may_be_the_best_and_a_failed_one_may_not() -> None:
    children = [child(1, 0.7), child(2, 0.8, status="Stopped"), child(3, 0.9, status="Failed")]
    best = best_child(children, maximize=True)
    assert best is not None and best.number == 2
    assert [one.objective_status for one in children] == ["Succeeded", "Succeeded", "Failed"]


def test_runtime_is_wall_clock_time_in_whole_seconds() -> None:
    assert consumed_seconds(1000.0, 1012.6) == 13


@pytest.mark.parametrize(
    ("emitted", "curve"),
    [
        ([("validation:auc", 0.5), ("train:auc", 0.9), ("validation:auc", 0.6)], (0.5, 0.6)),
        ([("validation:auc", float("nan")), ("validation:auc", float("inf"))], ()),
    ],
)
def test_a_curve_holds_the_finite_values_of_the_objective_alone(
    emitted: list[tuple[str, float]], curve: tuple[float, ...]
) -> None:
    assert objective_curve(emitted, "validation:auc") == curve


def test_a_grid_is_over_when_every_combination_has_ended() -> None:
    grid: Mapping[str, Any] = ranges(texts=[categorical("a", "1", "2")])
    made = plan(own_config(grid, strategy="Grid", jobs=None), own())
    assert decide(made, [child(1, 0.1), child(2, 0.2)], 0).status == "Completed"
