"""Training jobs over the wire: acceptance facts 21 to 40 of the service's behaviour, and every refusal."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from tests.conftest import IMAGE, Lab

Request = Callable[..., dict[str, Any]]
FINISHED = {"Completed", "Failed", "Stopped"}


@pytest.fixture(scope="module")
def sagemaker(lab: Lab) -> Any:
    return lab.client("sagemaker")


def wait(sagemaker: Any, name: str, seconds: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in FINISHED:
            return dict(job)
    raise AssertionError(f"{name} did not finish in {seconds} s: {job}")


def run(sagemaker: Any, request: dict[str, Any]) -> dict[str, Any]:
    sagemaker.create_training_job(**request)
    return wait(sagemaker, request["TrainingJobName"])


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def slow(request: Request, **changes: Any) -> dict[str, Any]:
    parameters = {"num_round": "1000000", "objective": "binary:logistic", "eval_metric": "auc"}
    return request(HyperParameters=parameters, **changes)


@pytest.fixture(scope="module")
def completed(lab: Lab, sagemaker: Any) -> Iterator[dict[str, Any]]:
    def channel(name: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/churn/{name}/"}
        return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}

    name = lab.name("done")
    yield run(
        sagemaker,
        {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/LabRole",
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{lab.bucket}/out/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "HyperParameters": {
                "num_round": "5",
                "objective": "binary:logistic",
                "eval_metric": "auc,logloss",
            },
            "Tags": [{"Key": "team", "Value": "churn"}],
        },
    )


def test_a_new_job_is_starting(sagemaker: Any, job_request: Request) -> None:
    request = job_request()
    sagemaker.create_training_job(**request)
    job = sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
    assert job["SecondaryStatusTransitions"][0]["Status"] == "Starting"
    assert job["SecondaryStatusTransitions"][0]["StatusMessage"] == "Preparing the instances for training"
    wait(sagemaker, request["TrainingJobName"])


def test_a_completed_job_went_through_every_state_in_order(completed: dict[str, Any]) -> None:
    transitions = completed["SecondaryStatusTransitions"]
    names = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [entry["Status"] for entry in transitions] == names
    assert all(entry["StatusMessage"] and entry["EndTime"] >= entry["StartTime"] for entry in transitions)
    assert transitions[-1]["StartTime"] == transitions[-1]["EndTime"]
    assert completed["SecondaryStatus"] == "Completed"


def test_times_are_in_order_and_billable_time_is_training_time(completed: dict[str, Any]) -> None:
    assert completed["CreationTime"] <= completed["TrainingStartTime"] <= completed["TrainingEndTime"]
    span = (completed["TrainingEndTime"] - completed["TrainingStartTime"]).total_seconds()
    assert completed["BillableTimeInSeconds"] == completed["TrainingTimeInSeconds"] == max(1, round(span))


def test_the_artifact_is_where_describe_says_and_opens_in_xgboost(
    lab: Lab, completed: dict[str, Any]
) -> None:
    uri = completed["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{lab.bucket}/out/{completed['TrainingJobName']}/output/model.tar.gz"
    body = (
        lab.client("s3").get_object(Bucket=lab.bucket, Key=uri.partition(f"{lab.bucket}/")[2])["Body"].read()
    )
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["xgboost-model"]
        model = archive.extractfile("xgboost-model")
        assert model is not None
        booster = xgb.Booster(model_file=bytearray(model.read()))
    assert booster.num_features() == 5
    assert booster.num_boosted_rounds() == 5


def test_metrics_of_the_built_in_algorithm_are_defined_and_only_the_printed_ones_are_final(
    completed: dict[str, Any],
) -> None:
    defined = {d["Name"] for d in completed["AlgorithmSpecification"]["MetricDefinitions"]}
    assert {"train:auc", "validation:auc", "validation:rmse", "train:f1"} <= defined
    final = {m["MetricName"]: m for m in completed["FinalMetricDataList"]}
    assert set(final) == {"train:auc", "validation:auc", "train:logloss", "validation:logloss"}
    assert 0.5 < final["train:auc"]["Value"] <= 1
    assert final["train:auc"]["Timestamp"].microsecond == 0


def test_the_log_holds_every_line_before_the_job_is_over(lab: Lab, completed: dict[str, Any]) -> None:
    logs, name = lab.client("logs"), completed["TrainingJobName"]
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    assert len(streams) == 1
    assert streams[0]["logStreamName"].startswith(f"{name}/algo-1-")
    events = logs.get_log_events(
        logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True
    )["events"]
    rounds = [
        e["message"] for e in events if e["message"].startswith("[") and "#011train-auc:" in e["message"]
    ]
    assert [line.split("]")[0] for line in rounds] == [f"[{n}" for n in range(5)]
    assert "#011validation-logloss:" in rounds[-1]


def test_cloudwatch_has_the_values_the_log_shows(lab: Lab, completed: dict[str, Any]) -> None:
    points = lab.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="validation:auc",
        Dimensions=[{"Name": "TrainingJobName", "Value": completed["TrainingJobName"]}],
        StartTime=completed["TrainingStartTime"] - timedelta(minutes=1),
        EndTime=completed["TrainingEndTime"] + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum", "SampleCount"],
    )["Datapoints"]
    assert sum(point["SampleCount"] for point in points) == 5
    final = {m["MetricName"]: m["Value"] for m in completed["FinalMetricDataList"]}
    assert max(point["Maximum"] for point in points) >= final["validation:auc"] - 1e-5


def test_describe_echoes_the_request_with_the_services_defaults(completed: dict[str, Any]) -> None:
    assert completed["OutputDataConfig"]["KmsKeyId"] == ""
    assert completed["OutputDataConfig"]["CompressionType"] == "GZIP"
    assert completed["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert completed["InputDataConfig"][0]["CompressionType"] == "None"
    assert completed["EnableManagedSpotTraining"] is False
    assert "VpcConfig" not in completed
    assert "FailureReason" not in completed
    assert "Tags" not in completed


def test_a_stopped_job_keeps_what_it_trained(lab: Lab, sagemaker: Any, job_request: Request) -> None:
    parameters = {"num_round": "1000000", "objective": "binary:logistic", "save_model_on_termination": "true"}
    request = job_request(HyperParameters=parameters)
    sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]
    while sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] != "Training":
        time.sleep(0.05)
        assert sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
        if lab_log(lab, name):
            break
    while not lab_log(lab, name):
        time.sleep(0.05)
    sagemaker.stop_training_job(TrainingJobName=name)
    job = wait(sagemaker, name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]][-3:] == [
        "Stopping",
        "Uploading",
        "Stopped",
    ]
    key = job["ModelArtifacts"]["S3ModelArtifacts"].partition(f"{lab.bucket}/")[2]
    body = lab.client("s3").get_object(Bucket=lab.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["xgboost-model"]


def lab_log(lab: Lab, name: str) -> bool:
    """Whether the job has printed a round already."""
    try:
        found = lab.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs",
            logStreamNamePrefix=f"{name}/",
            filterPattern='"train-logloss"',
        )
    except ClientError:
        return False
    return bool(found["events"])


def test_stopping_a_completed_job_is_refused(sagemaker: Any, completed: dict[str, Any]) -> None:
    assert refusal(sagemaker.stop_training_job, TrainingJobName=completed["TrainingJobName"]) == (
        "ValidationException",
        "The request was rejected because the training job is in status Completed.",
    )


def test_a_name_that_is_taken_is_refused_with_the_arn(
    sagemaker: Any, completed: dict[str, Any], job_request: Request
) -> None:
    code, text = refusal(
        sagemaker.create_training_job, **job_request(TrainingJobName=completed["TrainingJobName"])
    )
    assert code == "ResourceInUse"
    assert text == (
        "Training job names must be unique within an AWS account and region, and a training job with this name "
        f"already exists ({completed['TrainingJobArn']})"
    )


def test_an_unknown_job_is_not_found(sagemaker: Any) -> None:
    expected = ("ValidationException", "Requested resource not found.")
    assert refusal(sagemaker.describe_training_job, TrainingJobName="absent") == expected
    assert refusal(sagemaker.stop_training_job, TrainingJobName="absent") == expected


def test_a_failed_job_says_why_and_keeps_its_log(lab: Lab, sagemaker: Any, job_request: Request) -> None:
    parameters = {"num_round": "5", "objective": "binary:logistic", "max_depth": "-1"}
    job = run(sagemaker, job_request(HyperParameters=parameters))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: framework error: ")
    assert len(job["FailureReason"]) <= 1024
    assert "ModelArtifacts" not in job
    events = lab.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job['TrainingJobName']}/"
    )["events"]
    assert any("Hyperparameter max_depth: -1 is not in [0, +inf)" in e["message"] for e in events)


def test_an_empty_prefix_is_refused_when_the_job_is_created(
    lab: Lab, sagemaker: Any, job_request: Request
) -> None:
    request = job_request()
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{lab.bucket}/nothing/here"
    code, text = refusal(sagemaker.create_training_job, **request)
    assert code == "ValidationException"
    assert text.startswith(
        f'No S3 objects found under S3 URL "s3://{lab.bucket}/nothing/here" given in input data'
    )


def test_a_role_that_does_not_exist_is_refused(sagemaker: Any, job_request: Request) -> None:
    role = "arn:aws:iam::123456789012:role/Nobody"
    code, text = refusal(sagemaker.create_training_job, **job_request(RoleArn=role))
    assert (code, text.partition(".")[0]) == ("ValidationException", f"Could not assume role {role}")


def role(lab: Lab, *actions: str) -> str:
    """A role that SageMaker may assume and that allows these actions only."""
    iam, name = lab.client("iam"), lab.name("role")
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        '"Principal":{"Service":"sagemaker.amazonaws.com"}}]}'
    )
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allowed = ",".join(f'"{action}"' for action in actions)
    policy = (
        f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{allowed}],"Resource":"*"}}]}}'
    )
    iam.put_role_policy(RoleName=name, PolicyName="some", PolicyDocument=policy)
    return str(arn)


def test_a_role_that_cannot_list_the_bucket_finds_no_data(
    lab: Lab, sagemaker: Any, job_request: Request
) -> None:
    code, text = refusal(sagemaker.create_training_job, **job_request(RoleArn=role(lab, "s3:GetObject")))
    assert code == "ValidationException"
    assert '"s3:ListBucket" permissions on bucket' in text


def test_a_role_that_cannot_read_fails_the_job_as_on_aws(
    lab: Lab, sagemaker: Any, job_request: Request
) -> None:
    job = run(sagemaker, job_request(RoleArn=role(lab, "s3:ListBucket", "s3:PutObject")))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: Data download failed:failed to download data. 403 Forbidden (403): Forbidden"
    )


def test_a_role_that_cannot_write_fails_when_the_model_is_uploaded(
    lab: Lab, sagemaker: Any, job_request: Request
) -> None:
    job = run(sagemaker, job_request(RoleArn=role(lab, "s3:ListBucket", "s3:GetObject")))
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:AccessDenied")


def test_a_job_whose_time_is_up_is_stopped_and_uploads(sagemaker: Any, job_request: Request) -> None:
    job = run(sagemaker, slow(job_request, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "ModelArtifacts" in job


def test_a_running_job_cannot_be_deleted_and_a_finished_ones_name_is_free_again(
    sagemaker: Any, job_request: Request
) -> None:
    request = slow(job_request)
    name = request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    assert refusal(sagemaker.delete_training_job, TrainingJobName=name)[0] == "ResourceInUse"
    sagemaker.stop_training_job(TrainingJobName=name)
    wait(sagemaker, name)
    sagemaker.delete_training_job(TrainingJobName=name)
    assert (
        refusal(sagemaker.describe_training_job, TrainingJobName=name)[1] == "Requested resource not found."
    )
    assert run(sagemaker, job_request(TrainingJobName=name))["TrainingJobStatus"] == "Completed"


def test_a_type_without_quota_is_refused_in_awss_words(sagemaker: Any, job_request: Request) -> None:
    resources = {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
    code, text = refusal(sagemaker.create_training_job, **job_request(ResourceConfig=resources))
    assert code == "ResourceLimitExceeded"
    assert text.startswith(
        "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances, with current "
        "utilization of 0 Instances and a request delta of 1 Instances."
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0, "VolumeSizeInGB": 1}},
            "InstanceCount",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 0}},
            "VolumeSizeInGB",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 28 * 86400 + 1}}, "28 days"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
            "EnableManagedSpotTraining",
        ),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds"),
        ({"HyperParameters": {"sagemaker_program": "train.py"}}, "Script mode"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket-here/out"}}, "does not exist"),
        ({"OutputDataConfig": {"S3OutputPath": "https://x/y"}}, "expected s3://"),
        ({"CheckpointConfig": {"S3Uri": "s3://lab-data/c", "LocalPath": "/etc"}}, "must lie below /opt/ml"),
        ({"TrainingJobName": "a_b"}, "Member must satisfy regular expression pattern"),
        ({"TrainingJobName": "a" * 64}, "2 validation errors detected"),
    ],
)
def test_every_bad_request_is_refused_with_what_is_wrong(
    sagemaker: Any, job_request: Request, changes: dict[str, Any], says: str
) -> None:
    code, text = refusal(sagemaker.create_training_job, **job_request(**changes))
    assert code == "ValidationException"
    assert says in text


@pytest.mark.parametrize(
    "image",
    [
        "python:3.11",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:9.9-9",
        "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1",
    ],
)
def test_an_image_that_cannot_run_here_never_completes(
    sagemaker: Any, job_request: Request, image: str
) -> None:
    request = job_request(AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})
    try:
        job = run(sagemaker, request)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException"
        assert error.response["Error"]["Message"]
    else:
        assert job["TrainingJobStatus"] == "Failed"
        assert job["FailureReason"]


def test_a_repeated_channel_name_is_refused(sagemaker: Any, job_request: Request) -> None:
    request = job_request()
    request["InputDataConfig"][1]["ChannelName"] = "train"
    assert "more than once" in refusal(sagemaker.create_training_job, **request)[1]


def test_pages_of_a_list_add_up_without_an_empty_last_page(
    lab: Lab, sagemaker: Any, job_request: Request
) -> None:
    stem = lab.name("page")
    names = [f"{stem}-{n}" for n in range(5)]
    for name in names:
        run(sagemaker, job_request(TrainingJobName=name))
    for size in (2, 5):
        pages = list(
            sagemaker.get_paginator("list_training_jobs").paginate(
                NameContains=stem, StatusEquals="Completed", PaginationConfig={"PageSize": size}
            )
        )
        assert [s["TrainingJobName"] for p in pages for s in p["TrainingJobSummaries"]] == names[::-1]
        assert all(page["TrainingJobSummaries"] for page in pages)
    oldest = sagemaker.list_training_jobs(
        NameContains=stem, SortBy="Name", SortOrder="Ascending", MaxResults=1
    )
    assert oldest["TrainingJobSummaries"][0]["TrainingJobName"] == names[0]


def test_a_token_of_somebody_elses_is_refused(sagemaker: Any) -> None:
    assert "NextToken is not valid" in refusal(sagemaker.list_training_jobs, NextToken="bm90IG91cnM=")[1]


def test_tags_are_kept_changed_and_taken_away(sagemaker: Any, completed: dict[str, Any]) -> None:
    arn = completed["TrainingJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "churn"}]
    added = sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "cost", "Value": "1"}, {"Key": "team", "Value": "x"}]
    )
    assert added["Tags"] == [{"Key": "team", "Value": "x"}, {"Key": "cost", "Value": "1"}]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["cost"])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "churn"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "churn"}]


def test_search_finds_by_status_hyperparameter_tag_and_metric(
    sagemaker: Any, completed: dict[str, Any]
) -> None:
    def found(*filters: tuple[str, str, str]) -> set[str]:
        tests = [{"Name": n, "Operator": o, **({"Value": v} if v else {})} for n, o, v in filters]
        expression = {"Filters": tests}
        pages = sagemaker.get_paginator("search").paginate(
            Resource="TrainingJob", SearchExpression=expression
        )
        return {r["TrainingJob"]["TrainingJobName"] for page in pages for r in page["Results"]}

    name = completed["TrainingJobName"]
    mine = ("TrainingJobName", "Equals", name)
    assert found(mine, ("Tags.team", "Equals", "churn")) == {name}
    assert found(mine, ("HyperParameters.num_round", "GreaterThan", "4")) == {name}
    assert found(mine, ("Metrics.validation:auc", "GreaterThan", "0.5")) == {name}
    assert found(mine, ("Metrics.validation:auc", "LessThan", "0.5")) == set()
    assert found(mine, ("TrainingJobStatus", "NotEquals", "Completed")) == set()
    assert found(mine, ("FailureReason", "NotExists", "")) == {name}
    assert found(mine, ("CreationTime", "GreaterThan", "2020-01-01T00:00:00Z")) == {name}


def test_jobs_of_one_region_are_not_seen_from_another(lab: Lab, completed: dict[str, Any]) -> None:
    other = lab.client("sagemaker", region="eu-west-1")
    assert (
        refusal(other.describe_training_job, TrainingJobName=completed["TrainingJobName"])[0]
        == "ValidationException"
    )


def test_an_unsigned_or_unknown_caller_is_refused(lab: Lab) -> None:
    stranger = boto3.client(
        "sagemaker",
        region_name="us-east-1",
        endpoint_url=lab.url,
        aws_access_key_id="AKIAUNKNOWNUNKNOWN00",
        aws_secret_access_key="x",
    )
    assert refusal(stranger.list_training_jobs) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def test_an_operation_that_is_not_served_names_itself(sagemaker: Any) -> None:
    code, text = refusal(sagemaker.list_domains)
    assert "ListDomains" in text
    assert code != "InternalFailure"


def test_a_waiter_returns_as_soon_as_the_job_has_ended(sagemaker: Any, job_request: Request) -> None:
    request = job_request()
    sagemaker.create_training_job(**request)
    # The waiter sleeps two minutes after a first "in progress"; one attempt must be enough.
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=request["TrainingJobName"], WaiterConfig={"MaxAttempts": 1}
    )
