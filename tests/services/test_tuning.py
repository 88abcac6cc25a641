"""Tuning jobs over the wire: acceptance facts 41 to 56 of the service's behaviour."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import IMAGE, ROLE, Lab

Request = Callable[..., dict[str, Any]]
FINISHED = {"Completed", "Failed", "Stopped"}


@pytest.fixture(scope="module")
def sagemaker(lab: Lab) -> Any:
    return lab.client("sagemaker")


@pytest.fixture
def tuning(lab: Lab) -> Request:
    """A tuning request that works: four jobs, two at a time; members of its configuration by keyword."""

    def request(static: dict[str, str] | None = None, **config: Any) -> dict[str, Any]:
        def channel(name: str) -> dict[str, Any]:
            source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/churn/{name}/"}
            return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}

        ranges = {
            "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "6"}],
            "ContinuousParameterRanges": [
                {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
            ],
        }
        return {
            "HyperParameterTuningJobName": lab.name("t"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
                "ParameterRanges": ranges,
                "TrainingJobEarlyStoppingType": "Off",
                **config,
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"num_round": "5", "objective": "binary:logistic", **(static or {})},
                "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
                "RoleArn": ROLE,
                "InputDataConfig": [channel("train"), channel("validation")],
                "OutputDataConfig": {"S3OutputPath": f"s3://{lab.bucket}/tuned"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            },
        }

    return request


def run(sagemaker: Any, request: dict[str, Any], seconds: float = 90) -> dict[str, Any]:
    sagemaker.create_hyper_parameter_tuning_job(**request)
    return wait(sagemaker, request["HyperParameterTuningJobName"], seconds)


def wait(sagemaker: Any, name: str, seconds: float = 90) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] in FINISHED:
            return dict(job)
    raise AssertionError(f"{name} did not finish: {job}")


def children(sagemaker: Any, name: str, **more: Any) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, **more
    )
    return [summary for page in pages for summary in page["TrainingJobSummaries"]]


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_tuning_job_runs_its_children_and_names_the_best(sagemaker: Any, tuning: Request) -> None:
    job = run(sagemaker, tuning())
    name = job["HyperParameterTuningJobName"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert sum(job["ObjectiveStatusCounters"].values()) == 4
    found = children(sagemaker, name)
    assert len(found) == 4
    for child in found:
        assert re.fullmatch(rf"{name}-\d{{3}}-[0-9a-f]{{8}}", child["TrainingJobName"])
        tuned = child["TunedHyperParameters"]
        assert set(tuned) == {"max_depth", "eta"}
        assert tuned["max_depth"] in {"2", "3", "4", "5", "6"}
        assert 0.05 <= float(tuned["eta"]) <= 0.5
        described = sagemaker.describe_training_job(TrainingJobName=child["TrainingJobName"])
        assert described["TuningJobArn"] == job["HyperParameterTuningJobArn"]
        assert described["HyperParameters"]["_tuning_objective_metric"] == "validation:auc"
        assert described["HyperParameters"]["num_round"] == "5"
    values = {c["TrainingJobName"]: c["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for c in found}
    best = job["BestTrainingJob"]
    assert values[best["TrainingJobName"]] == max(values.values())
    assert best["ObjectiveStatus"] == "Succeeded"
    ranked = children(sagemaker, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert ranked[0]["TrainingJobName"] == best["TrainingJobName"]
    definitions = job["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    assert definitions[-1]["Name"] == "ObjectiveMetric"


def test_never_more_children_run_than_allowed(sagemaker: Any, tuning: Request) -> None:
    limits = {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 2}
    request = tuning({"num_round": "60"}, ResourceLimits=limits)
    sagemaker.create_hyper_parameter_tuning_job(**request)
    name, most = request["HyperParameterTuningJobName"], 0
    while (ended := sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name))[
        "HyperParameterTuningJobSummaries"
    ][0]["HyperParameterTuningJobStatus"] not in FINISHED:
        counters = ended["HyperParameterTuningJobSummaries"][0]["TrainingJobStatusCounters"]
        most = max(most, counters["InProgress"])
    assert 1 <= most <= 2


def test_a_grid_tries_every_combination_once(sagemaker: Any, tuning: Request) -> None:
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "max_depth", "Values": ["2", "4"]},
            {"Name": "eta", "Values": ["0.1", "0.2", "0.3"]},
        ]
    }
    limits = {"MaxParallelTrainingJobs": 3}
    job = run(sagemaker, tuning(Strategy="Grid", ParameterRanges=ranges, ResourceLimits=limits))
    found = {
        tuple(sorted(c["TunedHyperParameters"].items()))
        for c in children(sagemaker, job["HyperParameterTuningJobName"])
    }
    assert len(found) == 6


def test_children_get_the_instance_type_preferred_most(sagemaker: Any, tuning: Request) -> None:
    request = tuning(
        Strategy="Random", ResourceLimits={"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    )
    definition = request["TrainingJobDefinition"]
    del definition["ResourceConfig"]
    types = ("ml.m5.xlarge", "ml.m5.large")
    instances = [{"InstanceType": kind, "InstanceCount": 1, "VolumeSizeInGB": 5} for kind in types]
    definition["HyperParameterTuningResourceConfig"] = {
        "InstanceConfigs": instances,
        "AllocationStrategy": "Prioritized",
    }
    job = run(sagemaker, request)
    [child] = children(sagemaker, job["HyperParameterTuningJobName"])
    described = sagemaker.describe_training_job(TrainingJobName=child["TrainingJobName"])
    assert described["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"


def test_equal_seeds_sample_equal_values(sagemaker: Any, tuning: Request) -> None:
    def sampled() -> list[dict[str, str]]:
        job = run(sagemaker, tuning(Strategy="Random", RandomSeed=7))
        return [c["TunedHyperParameters"] for c in children(sagemaker, job["HyperParameterTuningJobName"])]

    assert sampled() == sampled()


def test_a_stopped_tuning_job_stops_its_children_and_starts_no_more(sagemaker: Any, tuning: Request) -> None:
    request = tuning({"num_round": "1000000"})
    name = request["HyperParameterTuningJobName"]
    sagemaker.create_hyper_parameter_tuning_job(**request)
    while len(children(sagemaker, name)) < 2:
        time.sleep(0.05)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    job = wait(sagemaker, name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert {c["TrainingJobStatus"] for c in children(sagemaker, name)} == {"Stopped"}
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2
    assert (
        "in status Stopped"
        in refusal(sagemaker.stop_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)[1]
    )


def test_a_tuning_job_whose_children_all_fail_gives_up_after_five(sagemaker: Any, tuning: Request) -> None:
    limits = {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 1}
    job = run(sagemaker, tuning({"objective": "multi:softmax"}, ResourceLimits=limits))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "No training job succeeded after 5 attempts. For additional details"
    )
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 5
    assert "BestTrainingJob" not in job


def test_an_objective_that_is_never_printed_is_no_result(sagemaker: Any, tuning: Request) -> None:
    request = tuning()
    request["TrainingJobDefinition"][
        "InputDataConfig"
    ].pop()  # no validation channel, so no validation metric
    job = run(sagemaker, request)
    found = children(sagemaker, job["HyperParameterTuningJobName"])
    assert {c["TrainingJobStatus"] for c in found} == {"Completed"}
    assert {c["ObjectiveStatus"] for c in found} == {"Failed"}
    assert job["ObjectiveStatusCounters"]["Failed"] == len(found)
    assert "BestTrainingJob" not in job
    assert job["HyperParameterTuningJobStatus"] == "Failed"


def test_hopeless_children_are_stopped_early_and_their_last_value_counts(
    sagemaker: Any, tuning: Request
) -> None:
    ranges = {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.0001", "MaxValue": "0.5"}]}
    limits = {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 1}
    request = tuning(
        {"num_round": "300", "max_depth": "3"},
        Strategy="Random",
        RandomSeed=3,
        ParameterRanges=ranges,
        ResourceLimits=limits,
        TrainingJobEarlyStoppingType="Auto",
        HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "validation:logloss"},
    )
    job = run(sagemaker, request)
    stopped = [
        c
        for c in children(sagemaker, job["HyperParameterTuningJobName"])
        if c["TrainingJobStatus"] == "Stopped"
    ]
    assert stopped
    assert {c["ObjectiveStatus"] for c in stopped} == {"Succeeded"}
    assert job["TrainingJobStatusCounters"]["Stopped"] == len(stopped)


def test_a_warm_start_learns_from_its_parent(sagemaker: Any, tuning: Request) -> None:
    parent = run(sagemaker, tuning())
    request = tuning()
    request["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [
            {"HyperParameterTuningJobName": parent["HyperParameterTuningJobName"]}
        ],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    job = run(sagemaker, request)
    overall = job["OverallBestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    each = [
        j["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for j in (parent, job)
    ]
    assert overall == max(each)


def test_tags_of_a_tuning_job_are_on_its_children(sagemaker: Any, tuning: Request) -> None:
    request = {**tuning(), "Tags": [{"Key": "team", "Value": "churn"}]}
    job = run(sagemaker, request)
    child = children(sagemaker, job["HyperParameterTuningJobName"])[0]
    assert sagemaker.list_tags(ResourceArn=child["TrainingJobArn"])["Tags"] == [
        {"Key": "team", "Value": "churn"}
    ]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"Strategy": "Grid"}, "ategorical"),
        ({"Strategy": "Hyperband"}, "MaxResource"),
        (
            {
                "ParameterRanges": {
                    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "9", "MaxValue": "3"}]
                }
            },
            "max_depth",
        ),
        (
            {
                "ParameterRanges": {
                    "ContinuousParameterRanges": [
                        {"Name": "gamma", "MinValue": "0", "MaxValue": "1", "ScalingType": "Logarithmic"}
                    ]
                }
            },
            "gamma",
        ),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:nope"}},
            "A metric is required",
        ),
        (
            {"ResourceLimits": {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 11}},
            "is 10 Training Job",
        ),
    ],
)
def test_every_rule_between_fields_has_its_error(
    sagemaker: Any, tuning: Request, config: dict[str, Any], says: str
) -> None:
    code, text = refusal(sagemaker.create_hyper_parameter_tuning_job, **tuning(**config))
    assert code in ("ValidationException", "ResourceLimitExceeded")
    assert says in text


def test_names_longer_than_32_are_refused_and_unknown_ones_not_found(sagemaker: Any, tuning: Request) -> None:
    long = {**tuning(), "HyperParameterTuningJobName": "a" * 33}
    assert "less than or equal to 32" in refusal(sagemaker.create_hyper_parameter_tuning_job, **long)[1]
    for call in (
        sagemaker.describe_hyper_parameter_tuning_job,
        sagemaker.stop_hyper_parameter_tuning_job,
        sagemaker.list_training_jobs_for_hyper_parameter_tuning_job,
    ):
        code, text = refusal(call, HyperParameterTuningJobName="absent")
        assert code == "ResourceNotFound"
        assert "can't find a tuning job with the name absent" in text
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="absent")
