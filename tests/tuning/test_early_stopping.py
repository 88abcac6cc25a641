"""AMT's median rule."""

from __future__ import annotations

import pytest

from corelab.tuning.early_stopping import MedianRule
from tests.tuning.cases import child

A = (0.60, 0.70, 0.74, 0.76)
B = (0.50, 0.58, 0.60, 0.61)
C = (0.55, 0.66, 0.70, 0.72)


def rule(*curves: tuple[float, ...], maximize: bool = True) -> MedianRule:
    made = MedianRule(maximize)
    for number, curve in enumerate(curves, 1):
        made.record(child(number, *curve))
    return made


def test_a_child_below_the_median_of_running_averages_at_its_step_is_stopped() -> None:
    # By step 3 the running averages are .68, .56 and .637: the median is .637.
    assert rule(A, B, C).should_stop([0.45, 0.52, 0.63])
    assert not rule(A, B, C).should_stop([0.45, 0.52, 0.64])


def test_the_rule_turns_around_for_a_metric_to_be_minimized() -> None:
    assert rule(A, B, C, maximize=False).should_stop([0.70, 0.66, 0.64])
    assert not rule(A, B, C, maximize=False).should_stop([0.70, 0.66, 0.63])


def test_only_the_value_at_the_last_step_is_compared() -> None:
    assert not rule(A, B, C).should_stop([0.0, 0.0, 0.65])


def test_two_earlier_children_are_no_comparison() -> None:
    assert not rule(A, B).should_stop([0.0, 0.0, 0.0])


def test_children_shorter_than_the_step_do_not_count() -> None:
    assert not rule(A, B, C).should_stop([0.0] * 5)
    assert rule(A, B, C, A * 2, A * 2, A * 2).should_stop([0.0] * 5)


def test_nobody_is_judged_in_the_first_quarter_of_the_usual_length() -> None:
    long = tuple(0.5 + step / 100 for step in range(40))
    assert not rule(long, long, long).should_stop([0.0] * 9)
    assert rule(long, long, long).should_stop([0.0] * 10)


def test_a_metric_that_comes_once_at_the_end_stops_nobody() -> None:
    assert not rule((0.8,), (0.9,), (0.7,)).should_stop([0.1])


@pytest.mark.parametrize("status", ["Failed", "InProgress"])
def test_failed_and_running_children_teach_nothing(status: str) -> None:
    made = rule(A, B)
    made.record(child(3, *C, status=status))
    assert not made.should_stop([0.0, 0.0, 0.0])


def test_a_child_stopped_early_is_a_comparison_for_the_steps_it_made() -> None:
    made = rule(A, B, A)
    assert made.should_stop([0.4, 0.5, 0.57])
    for number in (4, 5):
        made.record(child(number, 0.2, 0.2, 0.2, status="Stopped"))
    # The running averages at step 3 are now .68, .56, .68, .2 and .2: the median fell from .68 to .56.
    assert not made.should_stop([0.4, 0.5, 0.57])
