"""A run on AWS that is killed leaves nothing that costs: at once when asked politely, by ``cleanup`` when not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from corelab.connection import launch
from corelab.home import Home
from tests.contract import two_clouds

# Starts a job that would train for hours, makes a model, says so and waits.
CELL = """
import corelab, boto3, pathlib, time
corelab.connect()
s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket, role = "sagemaker-us-east-1-123456789012", "arn:aws:iam::123456789012:role/CoreLab"
image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key="train/a.csv", Body=b"1,1,2\\n0,3,4\\n" * 500)
source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}
name = f"long-{time.time_ns()}"
sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": image}, ExecutionRoleArn=role)
sagemaker.create_training_job(
    TrainingJobName=name,
    AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
    RoleArn=role,
    InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out/"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    StoppingCondition={"MaxRuntimeInSeconds": 3600},
    HyperParameters={"num_round": "100000000", "objective": "binary:logistic"},
)
pathlib.Path("started").touch()
time.sleep(3600)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = Home(tmp_path_factory.mktemp("killed") / "home")
    server = launch.ensure(home)
    yield two_clouds.aws_environment(server.url, server.url, two_clouds.EVERYTHING)
    launch.stop(home)


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A smoke run in the middle of its cell."""
    # Any name of the course that is in the estimate will do.
    folder = tmp_path / "source" / "a0_xgboost_local"
    folder.mkdir(parents=True)
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL, id="c")]), folder / "n.ipynb"
    )
    command = [sys.executable, "-m", "corelab", "smoke", "--target", "aws", "--yes", "--out", "out"]
    started = tmp_path / "out" / "a0_xgboost_local" / "started"
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=tmp_path,
            stdout=said,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        while not started.exists():
            assert process.poll() is None, (tmp_path / "said").read_text()
            time.sleep(0.1)
        yield process
        if process.poll() is None:
            process.kill()
        process.wait()


def running(environment: dict[str, str]) -> list[str]:
    sagemaker = two_clouds.client("sagemaker", environment["AWS_ENDPOINT_URL"])
    jobs = sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
    return [job["TrainingJobName"] for job in jobs] + [
        m["ModelName"] for m in sagemaker.list_models()["Models"]
    ]


def test_a_polite_kill_ends_the_notebook_and_cleans_up(
    run: subprocess.Popen[str], environment: dict[str, str], tmp_path: Path
) -> None:
    assert len(running(environment)) == 2
    run.send_signal(signal.SIGTERM)
    assert run.wait(120) != 0
    said = (tmp_path / "said").read_text()
    assert "stop training job long-" in said
    assert "delete model long-" in said
    assert running(environment) == []


def test_after_a_kill_that_cannot_be_heard_cleanup_finds_the_run_by_its_name(
    run: subprocess.Popen[str], environment: dict[str, str], tmp_path: Path
) -> None:
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert len(running(environment)) == 2
    advice = re.search(r"corelab (cleanup --target aws --run \S+ --yes)", (tmp_path / "said").read_text())
    assert advice
    command = [sys.executable, "-m", "corelab", *advice[1].split()]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert running(environment) == []
