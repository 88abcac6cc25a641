"""Tuning, batch transform and endpoints through sagemaker-core and SageMaker SDK 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from tests.conftest import IMAGE, ROLE, Lab, table

ROWS = table(6, 21)[:, 1:].round(4)
CSV = "\n".join(",".join(f"{v:.4f}" for v in row) for row in ROWS)


@pytest.fixture
def expected(booster: xgb.Booster) -> np.ndarray:
    return booster.predict(xgb.DMatrix(ROWS))


def test_core_tunes_and_knows_the_best_job(connected: Lab) -> None:
    from sagemaker_core.resources import HyperParameterTuningJob
    from sagemaker_core.shapes import (
        Channel,
        ContinuousParameterRange,
        DataSource,
        HyperParameterAlgorithmSpecification,
        HyperParameterTrainingJobDefinition,
        HyperParameterTuningJobConfig,
        HyperParameterTuningJobObjective,
        OutputDataConfig,
        ParameterRanges,
        ResourceConfig,
        ResourceLimits,
        S3DataSource,
        StoppingCondition,
    )

    def channel(name: str) -> Any:
        source = S3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{connected.bucket}/churn/{name}/")
        return Channel(
            channel_name=name, content_type="text/csv", data_source=DataSource(s3_data_source=source)
        )

    eta = ContinuousParameterRange(name="eta", min_value="0.05", max_value="0.5", scaling_type="Auto")
    job = HyperParameterTuningJob.create(
        hyper_parameter_tuning_job_name=connected.name("core"),
        hyper_parameter_tuning_job_config=HyperParameterTuningJobConfig(
            strategy="Bayesian",
            hyper_parameter_tuning_job_objective=HyperParameterTuningJobObjective(
                type="Maximize", metric_name="validation:auc"
            ),
            resource_limits=ResourceLimits(max_number_of_training_jobs=3, max_parallel_training_jobs=2),
            parameter_ranges=ParameterRanges(continuous_parameter_ranges=[eta]),
        ),
        training_job_definition=HyperParameterTrainingJobDefinition(
            static_hyper_parameters={"num_round": "4", "objective": "binary:logistic"},
            algorithm_specification=HyperParameterAlgorithmSpecification(
                training_image=IMAGE, training_input_mode="File"
            ),
            role_arn=ROLE,
            input_data_config=[channel("train"), channel("validation")],
            output_data_config=OutputDataConfig(s3_output_path=f"s3://{connected.bucket}/tuned"),
            resource_config=ResourceConfig(
                instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        ),
    )
    job.wait()
    jobs = list(job.get_all_training_jobs())
    scores = [j.final_hyper_parameter_tuning_job_objective_metric.value for j in jobs]
    assert len(scores) == 3
    assert job.best_training_job.final_hyper_parameter_tuning_job_objective_metric.value == max(scores)


@pytest.fixture(scope="module")
def core_model(connected: Lab, model_data: str) -> Any:
    from sagemaker_core.resources import Model
    from sagemaker_core.shapes import ContainerDefinition

    return Model.create(
        model_name=connected.name("core"),
        primary_container=ContainerDefinition(image=IMAGE, model_data_url=model_data),
        execution_role_arn=ROLE,
    )


def test_core_transforms_a_batch(connected: Lab, core_model: Any, expected: np.ndarray) -> None:
    from sagemaker_core.resources import TransformJob
    from sagemaker_core.shapes import (
        TransformDataSource,
        TransformInput,
        TransformOutput,
        TransformResources,
        TransformS3DataSource,
    )

    connected.client("s3").put_object(Bucket=connected.bucket, Key="core/in/a.csv", Body=CSV.encode())
    source = TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{connected.bucket}/core/in/")
    job = TransformJob.create(
        transform_job_name=connected.name("core"),
        model_name=core_model.model_name,
        transform_input=TransformInput(
            data_source=TransformDataSource(s3_data_source=source), content_type="text/csv", split_type="Line"
        ),
        transform_output=TransformOutput(
            s3_output_path=f"s3://{connected.bucket}/core/out", assemble_with="Line"
        ),
        transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
    )
    job.wait()
    body = connected.client("s3").get_object(Bucket=connected.bucket, Key="core/out/a.csv.out")["Body"].read()
    np.testing.assert_allclose([float(line) for line in body.split()], expected, atol=1e-6)


def test_core_makes_a_serverless_endpoint_and_invokes_it(
    connected: Lab, core_model: Any, expected: np.ndarray
) -> None:
    from sagemaker_core.resources import Endpoint, EndpointConfig
    from sagemaker_core.shapes import ProductionVariant, ProductionVariantServerlessConfig

    name = connected.name("core")
    serverless = ProductionVariantServerlessConfig(memory_size_in_mb=2048, max_concurrency=2)
    variant = ProductionVariant(
        variant_name="AllTraffic", model_name=core_model.model_name, serverless_config=serverless
    )
    config = EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
    assert endpoint.endpoint_status == "Creating"
    endpoint.wait_for_status("InService")
    answer = endpoint.invoke(body=CSV, content_type="text/csv", accept="text/csv")
    np.testing.assert_allclose([float(line) for line in answer.body.read().split()], expected, atol=1e-6)
    endpoint.delete()
    config.delete()
    endpoint.wait_for_delete()


@pytest.fixture(scope="module")
def session(connected: Lab) -> Any:
    from sagemaker import Session

    return Session()


@pytest.fixture(scope="module")
def sdk_model(session: Any, model_data: str) -> Any:
    from sagemaker.model import Model

    return Model(image_uri=IMAGE, model_data=model_data, role=ROLE, sagemaker_session=session)


def test_sdk_2_tunes_and_its_analytics_list_every_job(connected: Lab, session: Any) -> None:
    from sagemaker.estimator import Estimator
    from sagemaker.inputs import TrainingInput
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    estimator = Estimator(
        image_uri=IMAGE,
        role=ROLE,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{connected.bucket}/tuned",
        sagemaker_session=session,
        hyperparameters={"num_round": "4", "objective": "binary:logistic"},
    )
    tuner = HyperparameterTuner(
        estimator, "validation:auc", {"eta": ContinuousParameter(0.05, 0.5)}, max_jobs=3, max_parallel_jobs=3
    )
    channels = {
        name: TrainingInput(f"s3://{connected.bucket}/churn/{name}/", content_type="text/csv")
        for name in ("train", "validation")
    }
    tuner.fit(channels)
    frame = tuner.analytics().dataframe()
    assert len(frame) == 3
    best = frame.sort_values("FinalObjectiveValue").iloc[-1]
    assert tuner.best_training_job() == best["TrainingJobName"]


def test_sdk_2_transforms_a_batch(connected: Lab, sdk_model: Any, expected: np.ndarray) -> None:
    connected.client("s3").put_object(Bucket=connected.bucket, Key="sdk/in/a.csv", Body=CSV.encode())
    transformer = sdk_model.transformer(
        1,
        "ml.m5.large",
        output_path=f"s3://{connected.bucket}/sdk/out",
        assemble_with="Line",
        accept="text/csv",
    )
    transformer.transform(
        f"s3://{connected.bucket}/sdk/in/", content_type="text/csv", split_type="Line", wait=True, logs=False
    )
    body = connected.client("s3").get_object(Bucket=connected.bucket, Key="sdk/out/a.csv.out")["Body"].read()
    np.testing.assert_allclose([float(line) for line in body.split()], expected, atol=1e-6)


def test_sdk_2_deploys_predicts_updates_and_deletes(
    connected: Lab, sdk_model: Any, session: Any, expected: np.ndarray
) -> None:
    from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
    from sagemaker.predictor import Predictor
    from sagemaker.serializers import CSVSerializer
    from sagemaker.serverless import ServerlessInferenceConfig

    name = connected.name("sdk")
    sdk_model.deploy(
        serverless_inference_config=ServerlessInferenceConfig(memory_size_in_mb=1024, max_concurrency=2),
        endpoint_name=name,
    )
    as_csv = Predictor(
        name, session, serializer=CSVSerializer(), deserializer=CSVDeserializer(accept="text/csv")
    )
    assert [float(row[0]) for row in as_csv.predict(ROWS)] == pytest.approx(expected.tolist(), abs=1e-6)
    as_json = Predictor(name, session, serializer=CSVSerializer(), deserializer=JSONDeserializer())
    scores = [entry["score"] for entry in as_json.predict(ROWS)["predictions"]]
    assert scores == pytest.approx(expected.tolist(), abs=1e-6)
    as_json.delete_endpoint()
    left = connected.client("sagemaker").list_endpoints(NameContains=name, StatusEquals="InService")[
        "Endpoints"
    ]
    assert left == []


def test_uploading_and_reading_back_through_the_session(connected: Lab, session: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    uri = session.upload_data(str(tmp_path / "a.csv"), key_prefix="round")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    assert session.read_s3_file(bucket, key) == CSV
