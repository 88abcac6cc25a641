"""Alarms against the tables of CloudWatch's user guide, and statistics against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.aws.alarms import verdict
from corelab.aws.expressions import evaluate
from corelab.aws.filter_pattern import parse
from corelab.aws.statistics import in_periods, is_statistic, rounded_start, statistic
from corelab.errors import AWSError
from corelab.store.metrics import Point

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEPT = "whatever it was"

# "Configuring how CloudWatch alarms treat missing data": 0 within, X breaching, - missing, oldest first.
THREE_OF_THREE = {
    "0-X-X": ("OK", "OK", "OK", "OK"),
    "----0": ("OK", "OK", "OK", "OK"),
    "-----": ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK"),
    "0XX-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "--X--": ("ALARM", KEPT, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0-X-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "00X0X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0-X--": ("OK", "OK", "ALARM", "OK"),
    "----0": ("OK", "OK", "ALARM", "OK"),
    "---X-": ("ALARM", KEPT, "ALARM", "OK"),
}
TABLE = [
    (needed, points, treatment, state)
    for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, states in table.items()
    for treatment, state in zip(TREATMENTS, states, strict=True)
]


@pytest.mark.parametrize(("needed", "points", "treatment", "state"), TABLE)
def test_missing_data_is_treated_as_the_user_guide_says(
    needed: int, points: str, treatment: str, state: str
) -> None:
    values = [{"0": False, "X": True, "-": None}[point] for point in points]
    assert verdict(values, needed, 3, treatment, KEPT) == state


def test_one_late_breach_raises_no_alarm_before_its_time() -> None:
    assert verdict([None, None, None, None, True], 3, 3, "missing", KEPT) == KEPT


def test_only_the_newest_periods_count_when_none_is_missing() -> None:
    assert verdict([True, True, False, False, False], 1, 3, "missing", KEPT) == "OK"
    assert verdict([False, False, False, False, True], 1, 3, "missing", KEPT) == "ALARM"


def single(values: list[float]) -> list[Point]:
    return [Point(0.0, 1.0, value, value, value) for value in values]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 100))
def test_percentiles_are_numpy_s(values: list[float], percent: float) -> None:
    name = f"p{percent:.3f}" if round(percent, 3) < 100 else "p100"
    expected = np.percentile(values, float(name[1:]))
    assert statistic(single(values), name) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 5)), min_size=1, max_size=20))
def test_a_counted_value_weighs_as_many(counted: list[tuple[float, int]]) -> None:
    points = [Point(0.0, count, value * count, value, value) for value, count in counted]
    repeated = single([value for value, count in counted for _ in range(count)])
    for name in ("p50", "p90", "Average", "Sum", "SampleCount", "Minimum", "Maximum", "TM(10%:90%)"):
        assert statistic(points, name) == pytest.approx(statistic(repeated, name), abs=1e-6)


def test_trimmed_statistics_leave_the_edges_out() -> None:
    points = single([float(value) for value in range(1, 101)])
    assert statistic(points, "TM(10%:90%)") == pytest.approx(50.5)
    assert statistic(points, "TC(0:10)") == 10
    assert statistic(points, "TS(95:)") == sum(range(95, 101))
    assert statistic(points, "PR(:25)") == 25
    assert statistic(points, "WM(:50)") == pytest.approx((sum(range(1, 51)) + 50 * 50) / 100)
    assert statistic(points, "IQM") == pytest.approx(50.5)


def test_of_a_set_no_percentile_is_known() -> None:
    assert statistic([Point(0.0, 4.0, 10.0, 1.0, 4.0)], "p90") is None
    assert statistic([], "Average") is None


@pytest.mark.parametrize(
    ("name", "known"), [("p99.9", True), ("p101", False), ("tm90", True), ("Median", False)]
)
def test_statistics_are_known_by_name(name: str, known: bool) -> None:
    assert is_statistic(name) is known


def test_periods_begin_at_full_minutes_and_empty_ones_do_not_appear() -> None:
    assert (rounded_start(125.0, 60), rounded_start(125.0, 300), rounded_start(127.0, 10)) == (120, 120, 120)
    points = [Point(at, 1, 1, 1, 1) for at in (120.0, 179.9, 300.0)]
    assert [(begin, len(found)) for begin, found in in_periods(points, 120, 60)] == [(120, 2), (300, 1)]


def test_expressions_combine_series_where_both_have_values() -> None:
    series = {"a": {0.0: 6.0, 60.0: 1.0}, "b": {0.0: 3.0, 60.0: 0.0, 120.0: 1.0}}
    assert evaluate("100 * a / b", series) == {0.0: 200.0}
    assert evaluate("-(a - b) ^ 2", series) == {0.0: -9.0, 60.0: -1.0}


@pytest.mark.parametrize(
    "text", ["SUM(METRICS())", "c + 1", "1 + 2", "a +", "__import__('os')", "a.b", "a if a else a"]
)
def test_an_expression_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(AWSError, match="ValidationError"):
        evaluate(text, {"a": {0.0: 1.0}})


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR came", True),
        ("ERROR", "an error came", False),
        ("one two", "two and one", True),
        ("one -two", "one, two", False),
        ("?one ?two", "two", True),
        ('"exact words"', "these exact words", True),
        ('"exact words"', "words exact", False),
        ("%auc:0\\.[89]%", "validation-auc:0.85", True),
        ("auc:0.9", "validation auc:0.91", True),
    ],
)
def test_filter_patterns_match_as_the_user_guide_says(pattern: str, message: str, matches: bool) -> None:
    assert parse(pattern).matches(message) is matches


def test_a_pattern_over_json_is_refused() -> None:
    with pytest.raises(AWSError, match="not implemented"):
        parse("{ $.level = ERROR }")
