"""What was acknowledged survives a kill, and jobs that were cut off say so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from corelab.connection import launch
from corelab.home import Home
from tests.conftest import IMAGE, ROLE, table


class Server:
    """A server of its own home, which a test may kill."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.info = launch.ensure(self.home)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.info.url,
            aws_access_key_id="AKIALOCALSAGEMAKER00",
            aws_secret_access_key="s",
        )

    def kill(self) -> list[psutil.Process]:
        """SIGKILL; gives the processes that were its children."""
        children = psutil.Process(self.info.pid).children(recursive=True)
        os.kill(self.info.pid, signal.SIGKILL)
        while self.home.owned():
            time.sleep(0.02)
        return children

    def restart(self) -> None:
        self.info = launch.ensure(self.home)


@pytest.fixture
def server(tmp_path: Path):
    server = Server(tmp_path)
    yield server
    launch.stop(server.home)


def request(name: str, rounds: int) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "HyperParameters": {"num_round": str(rounds), "objective": "binary:logistic"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def test_a_kill_loses_nothing_acknowledged_and_ends_the_running_job_honestly(server: Server) -> None:
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket="data")
    rows = "\n".join(",".join(f"{v:g}" for v in row) for row in table(300, 3))
    s3.put_object(Bucket="data", Key="train/a.csv", Body=rows.encode())
    sagemaker.create_training_job(**request("done", 3))
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="done")
    done = sagemaker.describe_training_job(TrainingJobName="done")
    sagemaker.create_training_job(**request("cut", 10_000_000))
    while sagemaker.describe_training_job(TrainingJobName="cut")["SecondaryStatus"] != "Training":
        time.sleep(0.02)
        if sagemaker.search(
            Resource="TrainingJob",
            SearchExpression={"Filters": [{"Name": "SecondaryStatus", "Value": "Training"}]},
        )["Results"]:
            break

    children = server.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    server.restart()
    s3, sagemaker = server.client("s3"), server.client("sagemaker")

    again = sagemaker.describe_training_job(TrainingJobName="done")
    again.pop("ResponseMetadata"), done.pop("ResponseMetadata")
    assert again == done
    cut = sagemaker.describe_training_job(TrainingJobName="cut")
    assert cut["TrainingJobStatus"] == cut["SecondaryStatus"] == "Failed"
    assert "local SageMaker was stopped while this job was running" in cut["FailureReason"]
    assert s3.get_object(Bucket="data", Key="out/done/output/model.tar.gz")["ContentLength"] > 0
    streams = server.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="done/"
    )["logStreams"]
    assert len(streams) == 1
    assert list((server.home.jobs).iterdir()) == []


def test_a_second_server_on_one_home_is_refused(server: Server) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "corelab.server", "--home", str(server.home.path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert f"process {server.info.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_stop_by_signal_leaves_no_process_behind(tmp_path: Path) -> None:
    server = Server(tmp_path)
    processes = [psutil.Process(server.info.pid), *psutil.Process(server.info.pid).children(recursive=True)]
    launch.stop(server.home)
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []
    assert "Traceback" not in server.home.last_log_lines(200)
