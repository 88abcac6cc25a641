"""How data reaches a training job, and what else than the model comes back."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from tests.conftest import Lab, table

Request = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def sagemaker(lab: Lab) -> Any:
    return lab.client("sagemaker")


@pytest.fixture
def run(sagemaker: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def run(request: dict[str, Any]) -> dict[str, Any]:
        sagemaker.create_training_job(**request)
        name = request["TrainingJobName"]
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
        return dict(sagemaker.describe_training_job(TrainingJobName=name))

    return run


def failed(sagemaker: Any, request: dict[str, Any]) -> dict[str, Any]:
    sagemaker.create_training_job(**request)
    job = sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
    while job["TrainingJobStatus"] == "InProgress":
        job = sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
    return dict(job)


def channel(uri: str, name: str = "train", data_type: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    distribution = more.pop("distribution", "FullyReplicated")
    source = {"S3DataType": data_type, "S3Uri": uri, "S3DataDistributionType": distribution}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}, **more}


def booster(lab: Lab, job: dict[str, Any]) -> xgb.Booster:
    key = job["ModelArtifacts"]["S3ModelArtifacts"].partition(f"{lab.bucket}/")[2]
    body = lab.client("s3").get_object(Bucket=lab.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        member = archive.extractfile("xgboost-model")
        assert member is not None
        return xgb.Booster(model_file=bytearray(member.read()))


def log(lab: Lab, name: str) -> list[str]:
    pages = (
        lab.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")
    )
    return [event["message"] for page in pages for event in page["events"]]


MODES = ["File", "FastFile", *(["Pipe"] if hasattr(os, "mkfifo") else [])]


@pytest.mark.parametrize("mode", MODES)
def test_every_input_mode_trains_the_same_model(lab: Lab, run: Any, job_request: Request, mode: str) -> None:
    source = f"s3://{lab.bucket}/churn/train/train.csv"
    trained = booster(lab, run(job_request(InputDataConfig=[channel(source, InputMode=mode)])))
    plain = booster(lab, run(job_request(InputDataConfig=[channel(source)])))
    rows = xgb.DMatrix(table(50, 5)[:, 1:])
    np.testing.assert_allclose(trained.predict(rows), plain.predict(rows), atol=1e-6)


def test_a_manifest_brings_the_objects_it_names_and_no_others(
    lab: Lab, run: Any, job_request: Request
) -> None:
    lab.upload("manifest/data/a.csv", table(100, 1))
    lab.upload("manifest/data/b.csv", table(70, 2))
    body = f'[{{"prefix": "s3://{lab.bucket}/manifest/data/"}}, "b.csv"]'.encode()
    lab.client("s3").put_object(Bucket=lab.bucket, Key="manifest/m.json", Body=body)
    source = channel(f"s3://{lab.bucket}/manifest/m.json", data_type="ManifestFile")
    job = run(job_request(InputDataConfig=[source]))
    assert any("Train matrix has 70 rows and 5 columns" in line for line in log(lab, job["TrainingJobName"]))


@pytest.mark.parametrize(("distribution", "rows"), [("ShardedByS3Key", {60, 40}), ("FullyReplicated", {100})])
def test_two_instances_get_their_share_and_one_saves_the_model(
    lab: Lab, run: Any, job_request: Request, distribution: str, rows: set[int]
) -> None:
    lab.upload("shards/a.csv", table(60, 1))
    lab.upload("shards/b.csv", table(40, 2))
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}
    source = channel(f"s3://{lab.bucket}/shards/", distribution=distribution)
    job = run(job_request(InputDataConfig=[source], ResourceConfig=resources))
    assert job["TrainingJobStatus"] == "Completed"
    streams = lab.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job['TrainingJobName']}/"
    )["logStreams"]
    assert [s["logStreamName"].split("/")[1][:6] for s in streams] == ["algo-1", "algo-2"]
    lines = log(lab, job["TrainingJobName"])
    seen = {
        int(line.split("Train matrix has ")[1].split()[0]) for line in lines if "Train matrix has" in line
    }
    assert seen == rows
    assert booster(lab, job).num_boosted_rounds() == 5


def test_a_key_that_would_leave_its_folder_fails_the_job_and_writes_nothing(
    lab: Lab, sagemaker: Any, job_request: Request
) -> None:
    lab.client("s3").put_object(Bucket=lab.bucket, Key="hostile/../../escape.csv", Body=b"1,2\n")
    job = failed(sagemaker, job_request(InputDataConfig=[channel(f"s3://{lab.bucket}/hostile/")]))
    assert job["TrainingJobStatus"] == "Failed"
    assert "cannot be laid out as a file" in job["FailureReason"]
    assert "escape.csv" not in {name for _, _, names in os.walk(lab.home.path) for name in names}


def test_keys_that_are_file_and_folder_alike_fail_with_their_name(
    lab: Lab, sagemaker: Any, job_request: Request
) -> None:
    for key in ("both/a", "both/a/b.csv"):
        lab.client("s3").put_object(Bucket=lab.bucket, Key=key, Body=b"1,2\n")
    job = failed(sagemaker, job_request(InputDataConfig=[channel(f"s3://{lab.bucket}/both/")]))
    assert "name a file and a folder alike" in job["FailureReason"]


def test_a_second_job_goes_on_from_the_checkpoints_of_the_first(
    lab: Lab, run: Any, job_request: Request
) -> None:
    place = {"S3Uri": f"s3://{lab.bucket}/checkpoints/{lab.name()}"}
    parameters = {"num_round": "4", "objective": "binary:logistic"}
    first = run(job_request(CheckpointConfig=place, HyperParameters=parameters))
    prefix = place["S3Uri"].partition(f"{lab.bucket}/")[2]
    stored = lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix=prefix)["Contents"]
    assert any("xgboost-checkpoint." in entry["Key"] for entry in stored)
    second = run(job_request(CheckpointConfig=place, HyperParameters={**parameters, "num_round": "9"}))
    assert any("Resuming from iteration 4" in line for line in log(lab, second["TrainingJobName"]))
    assert booster(lab, first).num_boosted_rounds() == 4
    assert booster(lab, second).num_boosted_rounds() == 9


def test_cross_validation_leaves_a_model_a_fold_and_its_predictions(
    lab: Lab, run: Any, job_request: Request
) -> None:
    parameters = {"num_round": "3", "objective": "binary:logistic", "_kfold": "3"}
    job = run(job_request(HyperParameters=parameters))
    key = job["ModelArtifacts"]["S3ModelArtifacts"].partition(f"{lab.bucket}/")[2]
    s3 = lab.client("s3")
    with tarfile.open(
        fileobj=io.BytesIO(s3.get_object(Bucket=lab.bucket, Key=key)["Body"].read())
    ) as archive:
        assert archive.getnames() == ["xgboost-model-0", "xgboost-model-1", "xgboost-model-2"]
    output = s3.get_object(Bucket=lab.bucket, Key=key.replace("model.tar.gz", "output.tar.gz"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(output)) as archive:
        assert archive.getnames() == ["predictions.csv"]


def test_uncompressed_output_is_loose_files(lab: Lab, run: Any, job_request: Request) -> None:
    output = {"S3OutputPath": f"s3://{lab.bucket}/loose", "CompressionType": "NONE"}
    job = run(job_request(OutputDataConfig=output))
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{lab.bucket}/loose/{job['TrainingJobName']}/output/model/"
    key = uri.partition(f"{lab.bucket}/")[2] + "xgboost-model"
    assert lab.client("s3").head_object(Bucket=lab.bucket, Key=key)["ContentLength"] > 0
