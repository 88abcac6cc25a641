"""The unmodified SDK 3 trains, tunes, transforms and deploys."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import (
    ContainerDefinition,
    OutputDataConfig,
    ProductionVariant,
)
from sagemaker.core.transformer import Transformer
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData
from sagemaker.train.tuner import HyperparameterTuner

from tests.sdk3.conftest import IMAGE, ROLE, rows

PARAMETERS = {"num_round": "5", "objective": "binary:logistic"}


@pytest.fixture(scope="module")
def trainer(bucket: str) -> Any:
    return ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        hyperparameters=PARAMETERS,
        base_job_name="sdk3",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/out"),
    )


def channels(bucket: str) -> list[Any]:
    return [
        InputData(channel_name=name, data_source=f"s3://{bucket}/{name}/", content_type="text/csv")
        for name in ("train", "validation")
    ]


@pytest.fixture(scope="module")
def artifact(trainer: Any, bucket: str) -> str:
    trainer.train(input_data_config=channels(bucket), wait=True, logs=True)
    job = trainer._latest_training_job
    job.refresh()
    assert job.training_job_status == "Completed"
    return str(job.model_artifacts.s3_model_artifacts)


def test_a_model_trainer_trains(artifact: str) -> None:
    assert artifact.endswith("/output/model.tar.gz")


def test_a_tuner_finds_its_best_job(trainer: Any, bucket: str) -> None:
    tuner = HyperparameterTuner(
        trainer, "validation:auc", {"eta": ContinuousParameter(0.05, 0.5)}, max_jobs=3, max_parallel_jobs=2
    )
    tuner.tune(inputs=channels(bucket), wait=True)
    best = boto3.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuner._current_job_name
    )["BestTrainingJob"]
    assert tuner.best_training_job() == best["TrainingJobName"]


@pytest.fixture(scope="module")
def model(artifact: str) -> Any:
    container = ContainerDefinition(image=IMAGE, model_data_url=artifact)
    return Model.create(model_name="sdk3-model", primary_container=container, execution_role_arn=ROLE)


def test_a_transformer_predicts_every_row(model: Any, bucket: str) -> None:
    transformer = Transformer(
        model_name=model.model_name,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{bucket}/scored",
        assemble_with="Line",
        sagemaker_session=Session(),
    )
    transformer.transform(
        f"s3://{bucket}/test/", content_type="text/csv", split_type="Line", wait=True, logs=False
    )
    body = boto3.client("s3").get_object(Bucket=bucket, Key="scored/a.csv.out")["Body"].read()
    scores = [float(line) for line in body.split()]
    assert len(scores) == 20
    assert all(0 < score < 1 for score in scores)


def test_an_endpoint_is_created_invoked_and_deleted(model: Any) -> None:
    variant = ProductionVariant(
        variant_name="AllTraffic",
        model_name=model.model_name,
        instance_type="ml.m5.large",
        initial_instance_count=1,
        initial_variant_weight=1.0,
    )
    config = EndpointConfig.create(endpoint_config_name="sdk3-config", production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name="sdk3-endpoint", endpoint_config_name="sdk3-config")
    endpoint.wait_for_status("InService")
    answer = endpoint.invoke(body=rows(3, 3, label=False), content_type="text/csv")
    assert len(answer.body.read().split()) == 3
    endpoint.delete()
    config.delete()


def test_a_model_builder_deploys(artifact: str) -> None:
    builder = ModelBuilder(
        image_uri=IMAGE,
        s3_model_data_url=artifact,
        role_arn=ROLE,
        instance_type="ml.m5.large",
        sagemaker_session=Session(),
    )
    builder.build(model_name="sdk3-built")
    endpoint = builder.deploy(
        endpoint_name="sdk3-built", instance_type="ml.m5.large", initial_instance_count=1
    )
    answer = endpoint.invoke(body=rows(2, 3, label=False), content_type="text/csv")
    assert len(answer.body.read().split()) == 2
    endpoint.delete()
