"""One live local SageMaker for the tests that need one, and the data they train on."""

from __future__ import annotations

import io
import os
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import xgboost as xgb
from botocore.config import Config
from hypothesis import HealthCheck, settings

import corelab
from corelab.connection import launch
from corelab.home import Home

os.environ.setdefault("OMP_NUM_THREADS", "1")
# A busy machine is no finding.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
ROLE = "arn:aws:iam::123456789012:role/LabRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@dataclass(frozen=True)
class Lab:
    """A running server with a bucket and churn-like CSV files in it."""

    home: Home
    url: str
    bucket: str

    def client(self, service: str, region: str = "us-east-1", **settings: Any) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="AKIALOCALSAGEMAKER00",
            aws_secret_access_key="secret",
            config=Config(**settings),
        )

    def name(self, prefix: str = "job") -> str:
        return f"{prefix}-{uuid.uuid4().hex[:10]}"

    def upload(self, key: str, rows: np.ndarray) -> str:
        body = "\n".join(",".join(f"{value:g}" for value in row) for row in rows) + "\n"
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body.encode())
        return f"s3://{self.bucket}/{key}"


def table(rows: int, seed: int, columns: int = 5) -> np.ndarray:
    """Label first, then features that explain it in part; the same seed gives the same table."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(rows, columns)).round(4)
    chance = 1 / (1 + np.exp(-(features[:, 0] * 2 - features[:, 1] + features[:, 2] * features[:, 3])))
    return np.column_stack([(generator.random(rows) < chance).astype(float), features])


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("lab") / "home")


@pytest.fixture(scope="session")
def lab(home: Home) -> Iterator[Lab]:
    server = launch.ensure(home)
    lab = Lab(home, server.url, "lab-data")
    lab.client("s3").create_bucket(Bucket=lab.bucket)
    lab.upload("churn/train/train.csv", table(400, 1))
    lab.upload("churn/validation/validation.csv", table(150, 2))
    yield lab
    launch.stop(home)


@pytest.fixture(scope="module")
def connected(lab: Lab) -> Iterator[Lab]:
    """The SDKs of this process talk to the lab."""
    corelab.connect(home=lab.home.path, quietly=True)
    yield lab
    corelab.disconnect()


@pytest.fixture
def job_request(lab: Lab) -> Callable[..., dict[str, Any]]:
    """A CreateTrainingJob request that works, with members replaced by keyword."""

    def request(**changes: Any) -> dict[str, Any]:
        def channel(name: str) -> dict[str, Any]:
            source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/churn/{name}/"}
            return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}

        return {
            "TrainingJobName": lab.name(),
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{lab.bucket}/out/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "HyperParameters": {
                "num_round": "5",
                "objective": "binary:logistic",
                "eval_metric": "auc",
                "max_depth": "3",
            },
            **changes,
        }

    return request


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def model_data(lab: Lab) -> str:
    """The artifact of one finished training job with five features."""
    sagemaker, name = lab.client("sagemaker"), lab.name("artifact")
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/churn/train/"}
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{lab.bucket}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"num_round": "8", "objective": "binary:logistic", "max_depth": "3"},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    return str(sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.fixture(scope="session")
def booster(lab: Lab, model_data: str) -> xgb.Booster:
    """The same model, opened by XGBoost itself: the oracle of every prediction."""
    body = lab.client("s3").get_object(Bucket=lab.bucket, Key=model_data.partition(f"{lab.bucket}/")[2])[
        "Body"
    ]
    with tarfile.open(fileobj=io.BytesIO(body.read())) as archive:
        member = archive.extractfile("xgboost-model")
        assert member is not None
        return xgb.Booster(model_file=bytearray(member.read()))
