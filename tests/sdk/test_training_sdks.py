"""The unmodified SDKs train: sagemaker-core, SageMaker SDK 2 and boto3, side by side."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from tests.conftest import IMAGE, ROLE, Lab, table

PARAMETERS = {
    "num_round": "10",
    "objective": "binary:logistic",
    "eval_metric": "auc",
    "eta": "0.3",
    "max_depth": "4",
}


@pytest.fixture
def core_job(connected: Lab) -> Callable[..., Any]:
    """Creates a job with sagemaker-core, as the course does."""
    from sagemaker_core.resources import TrainingJob
    from sagemaker_core.shapes import (
        AlgorithmSpecification,
        Channel,
        DataSource,
        OutputDataConfig,
        ResourceConfig,
        S3DataSource,
        StoppingCondition,
    )

    def channel(name: str) -> Any:
        source = S3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{connected.bucket}/churn/{name}/")
        return Channel(
            channel_name=name, content_type="text/csv", data_source=DataSource(s3_data_source=source)
        )

    def create(**parameters: str) -> Any:
        return TrainingJob.create(
            training_job_name=connected.name("core"),
            algorithm_specification=AlgorithmSpecification(training_image=IMAGE, training_input_mode="File"),
            role_arn=ROLE,
            input_data_config=[channel("train"), channel("validation")],
            output_data_config=OutputDataConfig(s3_output_path=f"s3://{connected.bucket}/out"),
            resource_config=ResourceConfig(
                instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
            hyper_parameters={**PARAMETERS, **parameters},
        )

    return create


def test_the_session_knows_its_role_and_its_bucket(connected: Lab, folder: Path) -> None:
    from sagemaker_core.helper.session_helper import Session, get_execution_role

    session = Session()
    assert get_execution_role() == ROLE
    assert session.default_bucket() == "sagemaker-us-east-1-123456789012"
    assert session.default_bucket() == "sagemaker-us-east-1-123456789012"
    (folder / "a.csv").write_text("1,2\n")
    assert session.upload_data("a.csv", key_prefix="p") == "s3://sagemaker-us-east-1-123456789012/p/a.csv"


def test_a_core_job_completes_and_its_log_is_printed_whole(
    core_job: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    job = core_job()
    job.wait(logs=True)
    assert job.training_job_status == "Completed"
    printed = capsys.readouterr().out
    assert all(f"[{number}]#011train-auc" in printed for number in range(10))


def test_a_failed_core_job_raises_with_the_reason(core_job: Callable[..., Any]) -> None:
    from sagemaker_core.main.exceptions import FailedStatusError

    job = core_job(num_round="0")
    with pytest.raises(FailedStatusError, match="AlgorithmError: framework error"):
        job.wait()


def test_core_lists_what_boto3_made(connected: Lab, job_request: Callable[..., dict[str, Any]]) -> None:
    from sagemaker_core.resources import TrainingJob

    request = job_request()
    sagemaker = connected.client("sagemaker")
    sagemaker.create_training_job(**request)
    found = list(TrainingJob.get_all(name_contains=request["TrainingJobName"]))
    assert [job.training_job_name for job in found] == [request["TrainingJobName"]]
    found[0].wait()
    assert found[0].model_artifacts.s3_model_artifacts.endswith("/output/model.tar.gz")


def test_the_model_predicts_as_xgboost_trained_directly_does(
    connected: Lab, core_job: Callable[..., Any]
) -> None:
    """The oracle: same data, same parameters, XGBoost called by hand."""
    job = core_job()
    job.wait()
    train, validation = table(400, 1), table(150, 2)
    rounded = [np.array([[float(f"{v:g}") for v in row] for row in data]) for data in (train, validation)]
    matrix = xgb.DMatrix(rounded[0][:, 1:], label=rounded[0][:, 0])
    watched = xgb.DMatrix(rounded[1][:, 1:], label=rounded[1][:, 0])
    history: dict[str, Any] = {}
    expected = xgb.train(
        {"objective": "binary:logistic", "eval_metric": "auc", "eta": 0.3, "max_depth": 4, "nthread": 1},
        matrix,
        10,
        evals=[(matrix, "train"), (watched, "validation")],
        evals_result=history,
        verbose_eval=False,
    )
    key = job.model_artifacts.s3_model_artifacts.partition(f"{connected.bucket}/")[2]
    body = connected.client("s3").get_object(Bucket=connected.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        model = archive.extractfile("xgboost-model")
        assert model is not None
        trained = xgb.Booster(model_file=bytearray(model.read()))
    np.testing.assert_array_equal(trained.predict(watched), expected.predict(watched))
    final = {m.metric_name: m.value for m in job.final_metric_data_list}
    assert final["validation:auc"] == pytest.approx(history["validation"]["auc"][-1], abs=1e-5)
    assert final["train:auc"] == pytest.approx(history["train"]["auc"][-1], abs=1e-5)


def estimator(lab: Lab) -> Any:
    from sagemaker import Session
    from sagemaker.estimator import Estimator

    return Estimator(
        image_uri=IMAGE,
        role=ROLE,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{lab.bucket}/out",
        sagemaker_session=Session(),
        hyperparameters=PARAMETERS,
    )


def inputs(lab: Lab) -> dict[str, Any]:
    from sagemaker.inputs import TrainingInput

    return {
        name: TrainingInput(f"s3://{lab.bucket}/churn/{name}/", content_type="text/csv")
        for name in ("train", "validation")
    }


@pytest.fixture(scope="module")
def fitted(connected: Lab) -> Any:
    """One fitted SDK 2 estimator: its own polling makes every fit take some seconds."""
    fitted = estimator(connected)
    fitted.fit(inputs(connected), logs=False)
    return fitted


def test_an_sdk_2_estimator_fits_and_prints_each_line_once(
    connected: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = estimator(connected)
    fitted.fit(inputs(connected), logs="All")
    printed = capsys.readouterr().out
    assert all(printed.count(f"[{number}]#011train-auc") == 1 for number in range(10))
    assert "Billable seconds: 1" in printed
    assert fitted.model_data.endswith("/output/model.tar.gz")


def test_sdk_2_analytics_have_rows_for_every_metric(fitted: Any) -> None:
    from sagemaker.analytics import TrainingJobAnalytics

    frame = TrainingJobAnalytics(fitted.latest_training_job.name).dataframe()
    assert isinstance(frame, pd.DataFrame)
    assert set(frame["metric_name"]) == {"train:auc", "validation:auc"}
    assert frame["value"].between(0.5, 1).all()


def test_an_sdk_2_estimator_attaches_to_a_finished_job(fitted: Any) -> None:
    from sagemaker.estimator import Estimator

    attached = Estimator.attach(fitted.latest_training_job.name)
    assert attached.model_data == fitted.model_data
    assert attached.hyperparameters()["num_round"] == "10"


def test_sdk_2_reports_a_failed_job(connected: Lab) -> None:
    from sagemaker.exceptions import UnexpectedStatusException

    broken = estimator(connected)
    broken.set_hyperparameters(max_depth="-1")
    with pytest.raises(UnexpectedStatusException, match="AlgorithmError: framework error"):
        broken.fit(inputs(connected), logs=False)
