"""Models and endpoints that the serving benchmarks share: one booster, trained here, in a real archive."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import xgboost

from benchmarks import data
from benchmarks.lab import BUCKET, IMAGE, ROLE, Lab

ROW = ",".join(f"{value:g}" for value in data.features(1, seed=7)[0])


def train(folder: Path, rows: int = 5000) -> xgboost.Booster:
    """100 trees of depth 5, saved as ``<folder>/xgboost-model``."""
    table = data.features(rows)
    matrix = xgboost.DMatrix(table, data.labels(table))
    booster = xgboost.train({**data.PARAMETERS, "nthread": 1}, matrix, 100)
    booster.save_model(folder / "xgboost-model")
    return booster


def create_model(lab: Lab, folder: Path) -> str:
    """A SageMaker model of the booster in ``folder``."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        file.add(folder / "xgboost-model", "xgboost-model")
    lab.client("s3").put_object(Bucket=BUCKET, Key="model/model.tar.gz", Body=archive.getvalue())
    name = lab.name("model")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model/model.tar.gz"}
    lab.client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return name


def create_endpoint(lab: Lab, model: str, **variant: Any) -> str:
    """An endpoint in service; by default one provisioned instance."""
    sagemaker, name = lab.client("sagemaker"), lab.name("endpoint")
    hosting = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": model, **hosting}],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)
    return name


def serverless(concurrency: int) -> dict[str, Any]:
    return {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": concurrency}}


def predicted(lab: Lab, endpoint: str, row: str = ROW) -> str:
    """What the endpoint says, by boto3."""
    answer = lab.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=row
    )
    return str(answer["Body"].read().decode())
