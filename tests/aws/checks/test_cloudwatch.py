"""CloudWatch metrics and alarms, and ECR, through the wire (checks 109 to 120)."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.aws.checks.register import check
from tests.aws.checks.test_s3_buckets import refused
from tests.aws.conftest import Server

MINUTE = timedelta(minutes=1)


def minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture
def namespace() -> str:
    return f"Test/{uuid.uuid4().hex[:12]}"


def put(cloudwatch: Any, namespace: str, values: list[float], at: datetime, **datum: Any) -> None:
    data = [{"MetricName": "m", "Timestamp": at, "Value": value, **datum} for value in values]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def statistics(cloudwatch: Any, namespace: str, **options: Any) -> list[dict[str, Any]]:
    span = {"StartTime": minute() - 10 * MINUTE, "EndTime": minute() + 5 * MINUTE, "Period": 60}
    answer = cloudwatch.get_metric_statistics(Namespace=namespace, MetricName="m", **{**span, **options})
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])


@check(109, 112)
def test_metrics_are_listed_by_namespace_and_dimension(cloudwatch: Any, namespace: str) -> None:
    for job in ("one", "two"):
        dimensions = [{"Name": "TrainingJobName", "Value": job}]
        put(cloudwatch, namespace, [1.0], minute(), Dimensions=dimensions)
    assert len(cloudwatch.list_metrics(Namespace=namespace)["Metrics"]) == 2
    wanted = [{"Name": "TrainingJobName", "Value": "two"}]
    found = cloudwatch.list_metrics(Namespace=namespace, Dimensions=wanted)["Metrics"]
    assert found == [{"Namespace": namespace, "MetricName": "m", "Dimensions": wanted}]
    assert (
        len(cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "TrainingJobName"}])["Metrics"])
        == 2
    )


@check(110)
def test_averages_come_by_the_minute(cloudwatch: Any, namespace: str) -> None:
    dimensions = [{"Name": "TrainingJobName", "Value": "job"}]
    for number in range(3):
        put(cloudwatch, namespace, [number, number + 1], minute() - number * MINUTE, Dimensions=dimensions)
    points = statistics(cloudwatch, namespace, Statistics=["Average"], Dimensions=dimensions)
    assert [point["Average"] for point in points] == [2.5, 1.5, 0.5]
    assert [point["Timestamp"] for point in points] == [minute() - n * MINUTE for n in (2, 1, 0)]
    assert statistics(cloudwatch, namespace, Statistics=["Average"]) == []


@check(111)
def test_queries_give_series_and_combine_them(cloudwatch: Any, namespace: str) -> None:
    put(cloudwatch, namespace, [1.0, 3.0], minute() - MINUTE)
    put(cloudwatch, namespace, [8.0], minute())
    stat = {"Metric": {"Namespace": namespace, "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    queries = [
        {"Id": "total", "Expression": "(m1 + m1) * 100 / 2", "Label": "percent"},
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
    ]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries,
        StartTime=minute() - 5 * MINUTE,
        EndTime=minute() + MINUTE,
        ScanBy="TimestampAscending",
    )
    (result,) = [result for page in pages for result in page["MetricDataResults"]]
    assert (result["Id"], result["Label"], result["Values"]) == ("total", "percent", [400.0, 800.0])
    assert result["Timestamps"] == [minute() - MINUTE, minute()]


@check(113)
def test_counted_values_and_sets_enter_the_statistics(cloudwatch: Any, namespace: str) -> None:
    known = {"SampleCount": 4, "Sum": 40, "Minimum": 1, "Maximum": 30}
    data = [
        {
            "MetricName": "m",
            "Timestamp": minute(),
            "Values": [2.0, 5.0],
            "Counts": [3.0, 1.0],
            "Unit": "Count",
        },
        {"MetricName": "m", "Timestamp": minute(), "StatisticValues": known, "Unit": "Count"},
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    every = ["SampleCount", "Sum", "Minimum", "Maximum", "Average"]
    (point,) = statistics(cloudwatch, namespace, Statistics=every)
    assert [point[name] for name in every] == [8, 51, 1, 30, 51 / 8]
    assert point["Unit"] == "Count"


@check(114)
@pytest.mark.parametrize("percent", [50, 90, 99, 99.9])
def test_percentiles_are_those_of_numpy(cloudwatch: Any, namespace: str, percent: float) -> None:
    values = [float(value) for value in np.random.default_rng(1).exponential(10, 200).round(3)]
    put(cloudwatch, namespace, values, minute())
    name, expected = f"p{percent:g}", np.percentile(values, percent)
    (point,) = statistics(cloudwatch, namespace, ExtendedStatistics=[name])
    assert point["ExtendedStatistics"][name] == pytest.approx(expected)
    stat = {"Metric": {"Namespace": namespace, "MetricName": "m"}, "Period": 60, "Stat": name}
    (series,) = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "a", "MetricStat": stat}],
        StartTime=minute() - MINUTE,
        EndTime=minute() + 5 * MINUTE,
    )["MetricDataResults"]
    assert series["Values"] == [pytest.approx(expected)]


@check(115)
def test_no_data_gives_no_points_and_seconds_are_kept_apart(cloudwatch: Any, namespace: str) -> None:
    assert statistics(cloudwatch, namespace, Statistics=["Sum"]) == []
    at = minute() - MINUTE
    for milliseconds in (15, 1015):
        moment = at + timedelta(milliseconds=milliseconds)
        put(cloudwatch, namespace, [float(milliseconds)], moment, StorageResolution=1)
    points = statistics(
        cloudwatch, namespace, Statistics=["Sum"], Period=1, StartTime=at, EndTime=at + timedelta(seconds=5)
    )
    assert [(point["Timestamp"], point["Sum"]) for point in points] == [
        (at, 15.0),
        (at + timedelta(seconds=1), 1015.0),
    ]


@check(116)
def test_an_alarm_is_put_reaches_its_state_and_goes(cloudwatch: Any, namespace: str) -> None:
    name = f"alarm-{namespace[-12:]}"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName="m",
        ExtendedStatistic="p90",
        Period=60,
        EvaluationPeriods=2,
        DatapointsToAlarm=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    assert state(cloudwatch, name) == "OK"
    put(cloudwatch, namespace, [10.0] * 9, minute())
    assert state(cloudwatch, name) == "ALARM"
    (alarm,) = cloudwatch.describe_alarms(StateValue="ALARM", AlarmNames=[name])["MetricAlarms"]
    assert "was greater than the threshold (5.0)" in alarm["StateReason"]
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
    with refused("ResourceNotFound"):
        cloudwatch.delete_alarms(AlarmNames=[name])


def test_an_alarm_without_data_has_too_little_to_say(cloudwatch: Any, namespace: str) -> None:
    name = f"alarm-{namespace[-12:]}"
    alarm = {
        "AlarmName": name,
        "Namespace": namespace,
        "MetricName": "m",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "LessThanThreshold",
    }
    cloudwatch.put_metric_alarm(**alarm)
    assert state(cloudwatch, name) == "INSUFFICIENT_DATA"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    assert state(cloudwatch, name) == "ALARM"
    with refused("ValidationError"):
        cloudwatch.put_metric_alarm(**{**alarm, "DatapointsToAlarm": 2})


def state(cloudwatch: Any, name: str) -> str:
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    value: str = alarm["StateValue"]
    return value


@pytest.fixture(scope="module")
def ecr(server: Server) -> Any:
    return server.client("ecr")


@pytest.fixture
def repository(ecr: Any) -> str:
    name = f"repository-{uuid.uuid4().hex[:12]}"
    ecr.create_repository(repositoryName=name)
    return name


@check(117, 118)
def test_a_repository_has_aws_s_address_and_a_missing_one_is_named_so(ecr: Any, repository: str) -> None:
    (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    assert found["repositoryUri"] == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{repository}"
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.describe_repositories(repositoryNames=["none"])


@check(119)
def test_an_image_is_put_and_found(ecr: Any, repository: str) -> None:
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {"digest": "sha256:0", "size": 0}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": [], "config": config})
    put_image = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag="1")
    digest = put_image["image"]["imageId"]["imageDigest"]
    assert ecr.list_images(repositoryName=repository)["imageIds"] == [
        {"imageDigest": digest, "imageTag": "1"}
    ]
    (image,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert image["imageTags"] == ["1"]
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "2"}])


@check(120)
def test_docker_is_given_a_token(ecr: Any) -> None:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
