"""Alarms that look: an alarm's state from its metric, evaluated when somebody asks for it.

Source of the rules: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat
missing data"; the tables there are the tests of ``verdict``.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, MetricDataQuery

from corelab.aws.expressions import Series, evaluate
from corelab.aws.statistics import in_periods, statistic
from corelab.store.journal import AlarmState
from corelab.store.metrics import Metric, Metrics

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
_COMPARE: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
COMPARISONS = frozenset(_COMPARE)

# CloudWatch looks somewhat further back than the periods it evaluates.
_FURTHER = 2


def verdict(points: Sequence[bool | None], needed: int, periods: int, missing: str, state: str) -> str:
    """The state that follows from a range of periods, oldest first.

    Args:
        points: for each period whether it breaches, None where there is no data.
        needed: how many must breach (DatapointsToAlarm).
        periods: how many are evaluated (EvaluationPeriods).
        missing: how to treat periods without data.
        state: the state so far.
    """
    real = [point for point in points if point is not None]
    if len(real) >= periods:
        return ALARM if sum(real[-periods:]) >= needed else OK
    filled = periods - len(real) if missing == "breaching" else 0
    if sum(real) + filled >= needed:
        return ALARM
    if missing in ("breaching", "notBreaching") or False in real:
        return OK
    if missing == "ignore":
        return state
    if not real:
        return INSUFFICIENT_DATA
    # All there is breaches, but there is too little of it: an alarm only if it began long enough ago.
    return ALARM if len(points) - points.index(True) >= needed else state


class Evaluator:
    """Evaluates alarms of one region."""

    def __init__(self, metrics: Metrics, region: str) -> None:
        self._metrics = metrics
        self._region = region

    def evaluate(self, alarm: Alarm, before: AlarmState, now: float) -> AlarmState:
        """The alarm's state now; ``before`` itself when nothing has changed."""
        series = self._series(alarm, now)
        compare, words = _COMPARE[alarm.comparison_operator]
        period = _period(alarm)
        values = [series.get(begin) for begin in self._range(alarm, series, now)]
        points = [None if value is None else compare(value, alarm.threshold) for value in values]
        needed = alarm.datapoints_to_alarm or alarm.evaluation_periods
        missing = alarm.treat_missing_data or "missing"
        value = verdict(points, needed, alarm.evaluation_periods, missing, before.value)
        if value == before.value:
            return before
        recent = sorted(series.items())[-alarm.evaluation_periods :]
        reason = _reason(alarm, value, needed, recent, words)
        data = _reason_data(alarm, period, recent, now)
        return AlarmState(value, reason, json.dumps(data), now)

    def _range(self, alarm: Alarm, series: Series, now: float) -> list[float]:
        """Begins of the evaluated periods; the one still running counts as soon as it has data."""
        period = _period(alarm)
        current = math.floor(now / period) * period
        # AWS waits for a period to end; a student should not have to.
        last = current if current in series else current - period
        length = alarm.evaluation_periods + _FURTHER
        return [last - period * back for back in reversed(range(length))]

    def _series(self, alarm: Alarm, now: float) -> Series:
        period = _period(alarm)
        start = (math.floor(now / period) - alarm.evaluation_periods - _FURTHER) * period
        if not alarm.metric_data_queries:
            metric = Metric(
                alarm.namespace,
                alarm.metric_name,
                {d.name or "": d.value or "" for d in alarm.dimensions},
                alarm.unit,
            )
            return self._read(metric, alarm.statistic or alarm.extended_statistic or "", start, now, period)
        series: dict[str, Series] = {}
        answer: Series = {}
        for query in sorted(alarm.metric_data_queries, key=lambda query: query.expression is not None):
            series[query.id] = self._query(query, series, start, now, period)
            if query.return_data in (None, True, "true"):
                answer = series[query.id]
        return answer

    def _query(
        self, query: MetricDataQuery, series: dict[str, Series], start: float, now: float, period: int
    ) -> Series:
        if query.metric_stat is None:
            return evaluate(query.expression or "", series)
        stat = query.metric_stat
        dimensions = {d.name or "": d.value or "" for d in stat.metric.dimensions}
        metric = Metric(stat.metric.namespace, stat.metric.metric_name, dimensions, stat.unit)
        return self._read(metric, stat.stat, start, now, period)

    def _read(self, metric: Metric, name: str, start: float, now: float, period: int) -> Series:
        # A datum put in this very second may carry a rounded-up time.
        points = self._metrics.points(self._region, metric, start, now + 1)
        values = ((begin, statistic(found, name)) for begin, found in in_periods(points, start, period))
        return {begin: value for begin, value in values if value is not None}


def _period(alarm: Alarm) -> int:
    queries = [query.metric_stat for query in alarm.metric_data_queries if query.metric_stat is not None]
    return int(alarm.period or (queries[0].period if queries else 60))


def _reason(alarm: Alarm, state: str, needed: int, recent: list[tuple[float, float]], words: str) -> str:
    if state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {alarm.evaluation_periods} datapoints were unknown."
    shown = ", ".join(
        f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, value in recent
    )
    relation = "was" if state == ALARM else "was not"
    change = "OK -> ALARM" if state == ALARM else "ALARM -> OK"
    plural = "" if needed == 1 else "s"
    return (
        f"Threshold Crossed: {len(recent)} out of the last {alarm.evaluation_periods} datapoints [{shown}] "
        f"{relation} {words} the threshold ({alarm.threshold}) (minimum {needed} datapoint{plural} for {change} "
        "transition)."
    )


def _reason_data(alarm: Alarm, period: int, recent: list[tuple[float, float]], now: float) -> dict[str, Any]:
    return {
        "version": "1.0",
        "queryDate": _iso(now),
        "startDate": _iso(recent[0][0]) if recent else None,
        "statistic": alarm.statistic or alarm.extended_statistic,
        "period": period,
        "recentDatapoints": [value for _, value in recent],
        "threshold": alarm.threshold,
    }


def _iso(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.000+0000"
