"""CloudWatch: moto's protocol over the metric store, with percentiles, and alarms that are evaluated."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.cloudwatch import models as cloudwatch_models
from moto.cloudwatch.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    ResourceNotFound,
    ValidationError,
)
from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from corelab.aws.alarms import COMPARISONS, INSUFFICIENT_DATA, Evaluator
from corelab.aws.authorize import Gate
from corelab.aws.embedded import ACCOUNT
from corelab.aws.expressions import Series, evaluate
from corelab.aws.replay import Occasion, Replayed
from corelab.aws.statistics import PLAIN, in_periods, is_statistic, rounded_start, statistic
from corelab.errors import AWSError
from corelab.store.blobs import BlobFolder
from corelab.store.journal import AlarmState, Journal
from corelab.store.metrics import Metric, Metrics, Point, Sample

METRICS_A_PAGE = 500
POINTS_LIMIT = 1440
_HELD = 60.0  # seconds a state set by hand stays before the alarm looks again


class StoredMetrics(CloudWatchBackend):
    """One region's metrics and alarms."""

    store: ClassVar[Metrics]
    journal: ClassVar[Journal]

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        for number, datum in enumerate(metric_data, start=1):
            self._validate_parameters_put_metric_data(datum, number)
        samples = [sample for datum in metric_data for sample in _samples(namespace, datum)]
        self.store.add(self.region_name, samples)

    def get_metric_statistics(
        self,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        stats: list[str],
        dimensions: list[dict[str, str]],
        unit: str | None = None,
    ) -> list[Any]:
        """Datapoints with all the asked statistics, plain and extended, that can be known."""
        begin, end = _seconds(start_time), _seconds(end_time)
        if begin >= end:
            raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
        start = rounded_start(begin, period)
        if (end - start) / period > POINTS_LIMIT:
            raise InvalidParameterCombination(
                f"You have requested up to {math.ceil((end - start) / period):,} datapoints, which exceeds the "
                f"limit of {POINTS_LIMIT:,}. You may reduce the datapoints requested by increasing Period, or "
                "decreasing the time range."
            )
        metric = Metric(namespace, metric_name, _dimensions(dimensions), unit)
        points = self.store.points(self.region_name, metric, start, end)
        found_unit = unit or self.store.unit(self.region_name, metric)
        return [_datapoint(at, found, stats, found_unit) for at, found in in_periods(points, start, period)]

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        begin, end = _seconds(start_time), _seconds(end_time)
        if begin >= end:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        series: dict[str, Series] = {}
        # Metrics first: an expression may stand before what it names.
        for query in sorted(queries, key=lambda query: "Expression" in query):
            series[query["Id"]] = self._series(query, series, begin, end)
        newest_first = scan_by == "TimestampDescending"
        return [
            _data_result(query, series[query["Id"]], newest_first)
            for query in queries
            if query.get("ReturnData") is not False
        ]

    def list_metrics(
        self, next_token: str | None, namespace: str, metric_name: str, dimensions: list[dict[str, str]]
    ) -> tuple[str | None, Any]:
        first = int(next_token) if next_token and next_token.isdigit() else 0
        if next_token and not first:
            raise InvalidParameterValue("Request parameter NextToken is invalid")
        matching = [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions.items()],
            }
            for metric in self.store.metrics(self.region_name, namespace, metric_name)
            if _has_dimensions(metric, dimensions)
        ]
        page = matching[first : first + METRICS_A_PAGE]
        more = first + METRICS_A_PAGE < len(matching)
        return str(first + METRICS_A_PAGE) if more else None, page

    def set_alarm_state(self, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        super().set_alarm_state(alarm_name, reason, reason_data, state_value)
        now = time.time()
        state = AlarmState(state_value, reason, reason_data or "{}", now, now + _HELD)
        self.journal.set_alarm_state(self.region_name, alarm_name, state)

    def delete_alarms(self, alarm_names: list[str]) -> None:
        missing = [name for name in alarm_names if name not in self.alarms]
        if missing:
            raise ResourceNotFound
        super().delete_alarms(alarm_names)
        for name in alarm_names:
            self.journal.set_alarm_state(self.region_name, name, None)

    def look(self) -> None:
        """Evaluate every alarm now."""
        for alarm in list(self.alarms.values()):
            self._look_at(alarm, time.time())

    def _look_at(self, alarm: Alarm, now: float) -> None:
        kept = self.journal.alarm_state(self.region_name, alarm.name)
        before = kept or _first_state(alarm)
        after = before
        if before.held_until <= now:
            after = Evaluator(self.store, self.region_name).evaluate(alarm, before, now)
        # Written only when it changed, so that looking costs no commit.
        if after is not kept:
            self.journal.set_alarm_state(self.region_name, alarm.name, after)
        alarm.state_value, alarm.state_reason, alarm.state_reason_data = after.value, after.reason, after.data
        alarm.state_updated_timestamp = datetime.fromtimestamp(after.updated, UTC).replace(tzinfo=None)

    def _series(
        self, query: dict[str, Any], series: Mapping[str, Series], begin: float, end: float
    ) -> Series:
        if "MetricStat" not in query:
            return evaluate(query["Expression"], series)
        stat = query["MetricStat"]
        _check_statistics([stat["Stat"]])
        period, name = int(stat["Period"]), stat["Metric"]
        metric = Metric(
            name["Namespace"], name["MetricName"], _dimensions(name.get("Dimensions", [])), stat.get("Unit")
        )
        start = rounded_start(begin, period)
        points = self.store.points(self.region_name, metric, start, end)
        values = ((at, statistic(found, stat["Stat"])) for at, found in in_periods(points, start, period))
        return {at: value for at, value in values if value is not None}


class CloudWatchAnswers(CloudWatchResponse):
    """CloudWatch's operations; alarms are evaluated whenever they are read."""

    def describe_alarms(self) -> ActionResult:
        self._look()
        result = super().describe_alarms()
        limit = self._get_param("MaxRecords") or 100
        alarms = list(result.result["MetricAlarms"])  # type: ignore[index]
        if state := self._get_param("StateValue"):
            alarms = [alarm for alarm in alarms if alarm.state_value == state]
        token = self._get_param("NextToken") or "0"
        if not token.isdecimal():
            raise AWSError("InvalidNextToken", "The next token specified is invalid.")
        first = int(token)
        page: dict[str, Any] = {"MetricAlarms": alarms[first : first + limit], "CompositeAlarms": []}
        if first + limit < len(alarms):
            page["NextToken"] = str(first + limit)
        return ActionResult(page)

    def describe_alarms_for_metric(self) -> ActionResult:
        self._look()
        return super().describe_alarms_for_metric()

    def put_metric_alarm(self) -> ActionResult:
        self._check_alarm()
        return super().put_metric_alarm()

    def get_metric_statistics(self) -> ActionResult:
        plain, extended = self._get_param("Statistics", []), self._get_param("ExtendedStatistics") or []
        if not plain and not extended:
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        _check_statistics([*plain, *extended])
        datapoints = self.cloudwatch_backend.get_metric_statistics(
            self._get_param("Namespace"),
            self._get_param("MetricName"),
            self._get_param("StartTime"),
            self._get_param("EndTime"),
            _checked_period(self._get_int_param("Period")),
            [*plain, *extended],
            self._get_param("Dimensions", []),
            self._get_param("Unit"),
        )
        return ActionResult({"Label": self._get_param("MetricName"), "Datapoints": datapoints})

    def _look(self) -> None:
        backend = self.cloudwatch_backend
        assert isinstance(backend, StoredMetrics)
        backend.look()

    def _check_alarm(self) -> None:
        comparison = self._get_param("ComparisonOperator")
        if comparison not in COMPARISONS:
            text = f"The comparison operator {comparison} is not implemented by this local CloudWatch."
            raise AWSError("ValidationError", text)
        periods = self._get_param("EvaluationPeriods")
        if (self._get_param("DatapointsToAlarm") or 1) > periods:
            text = "DatapointsToAlarm must not be greater than EvaluationPeriods"
            raise AWSError("ValidationError", text)
        if not self._get_param("Metrics"):
            named = self._get_param("Statistic") or self._get_param("ExtendedStatistic")
            if not named or not self._get_param("MetricName") or not self._get_param("Period"):
                text = (
                    "Either Metrics, or MetricName with Namespace, Period and a statistic, must be specified"
                )
                raise AWSError("ValidationError", text)
            _check_statistics([named])


class CloudWatch(Replayed):
    """The CloudWatch service: alarms and dashboards are replayed, metrics and alarm states are stored."""

    def __init__(self, metrics: Metrics, journal: Journal, blobs: BlobFolder, gate: Gate) -> None:
        StoredMetrics.store = metrics
        StoredMetrics.journal = journal
        occasion = Occasion()
        cloudwatch_models.utcnow = occasion.utcnow  # type: ignore[attr-defined]
        cloudwatch_backends.backend = StoredMetrics
        super().__init__(
            "monitoring", CloudWatchAnswers, occasion, cloudwatch_backends.clear, journal, blobs, gate
        )

    def changes(self, operation: str) -> bool:
        # These two have tables of their own.
        return operation not in ("PutMetricData", "SetAlarmState") and super().changes(operation)

    def subject(self, operation: str, parameters: Mapping[str, Any]) -> str:
        if operation == "PutMetricAlarm":
            return f"alarm:{parameters['AlarmName']}" if "AlarmName" in parameters else ""
        named = operation == "PutDashboard" and "DashboardName" in parameters
        return f"dashboard:{parameters['DashboardName']}" if named else ""

    def settles(self, operation: str) -> str:
        return "replaces" if operation in ("PutMetricAlarm", "PutDashboard") else "adds"

    def alarm_state(self, region: str, name: str) -> str | None:
        """An alarm's state, evaluated now; None when there is no such alarm."""
        with self._lock:
            backend = cloudwatch_backends[ACCOUNT][region]
            assert isinstance(backend, StoredMetrics)
            if name not in backend.alarms:
                return None
            backend.look()
            return backend.alarms[name].state_value


def _samples(namespace: str, datum: dict[str, Any]) -> Iterable[Sample]:
    """The points one MetricDatum stands for."""
    metric = Metric(
        namespace, datum["MetricName"], _dimensions(datum.get("Dimensions", [])), datum.get("Unit", "None")
    )
    at = _seconds(datum["Timestamp"]) if datum.get("Timestamp") else time.time()
    if datum.get("StatisticValues"):
        known = datum["StatisticValues"]
        numbers = (known["SampleCount"], known["Sum"], known["Minimum"], known["Maximum"])
        yield Sample(metric, Point(at, *(float(number) for number in numbers)))
        return
    values = [float(value) for value in datum.get("Values") or [datum.get("Value", 0)]]
    counts = [float(count) for count in datum.get("Counts") or [1] * len(values)]
    for value, count in zip(values, counts, strict=True):
        yield Sample(metric, Point(at, count, value * count, value, value))


def _datapoint(at: float, points: list[Point], names: list[str], unit: str) -> dict[str, Any]:
    datapoint: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(at, UTC), "Unit": unit}
    values = {name: statistic(points, name) for name in names}
    extended = {name: value for name, value in values.items() if name not in PLAIN and value is not None}
    datapoint.update({name: value for name, value in values.items() if name in PLAIN})
    return {**datapoint, "ExtendedStatistics": extended} if extended else datapoint


def _data_result(query: dict[str, Any], series: Series, newest_first: bool) -> dict[str, Any]:
    times = sorted(series, reverse=newest_first)
    stat = query.get("MetricStat")
    label = query.get("Label") or (stat["Metric"]["MetricName"] if stat else query["Id"])
    return {
        "Id": query["Id"],
        "Label": label,
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at in times],
        "Values": [series[at] for at in times],
        "StatusCode": "Complete",
    }


def _first_state(alarm: Alarm) -> AlarmState:
    created = alarm.configuration_updated_timestamp.replace(tzinfo=UTC).timestamp()
    return AlarmState(INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", "{}", created)


def _dimensions(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in listed}


def _has_dimensions(metric: Metric, wanted: Iterable[Mapping[str, str]]) -> bool:
    """A wanted dimension without a value asks for its name only."""
    return all(
        dimension["Name"] in metric.dimensions
        and dimension.get("Value") in (None, metric.dimensions[dimension["Name"]])
        for dimension in wanted
    )


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _checked_period(period: int) -> int:
    if period in (1, 5, 10, 30) or (period > 0 and period % 60 == 0):
        return period
    text = "The parameter Period must be 1, 5, 10, 30, or a multiple of 60."
    raise InvalidParameterValue(text)


def _check_statistics(names: Iterable[str]) -> None:
    for name in names:
        if not is_statistic(name):
            raise InvalidParameterValue(f"The value {name} for parameter Stat is not supported.")
