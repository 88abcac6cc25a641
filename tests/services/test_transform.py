"""Batch transform over the wire: facts 57 to 66 of the service's behaviour."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from tests.conftest import IMAGE, ROLE, Lab, table

ROWS = table(500, 11)[:, 1:].round(4)
Run = Callable[..., dict[str, Any]]


def text(rows: np.ndarray) -> bytes:
    return ("\n".join(",".join(f"{v:.4f}" for v in row) for row in rows) + "\n").encode()


@pytest.fixture(scope="module")
def sagemaker(lab: Lab) -> Any:
    return lab.client("sagemaker")


@pytest.fixture(scope="module")
def model(lab: Lab, sagemaker: Any, model_data: str) -> str:
    name = lab.name("model")
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": model_data}
    )
    return name


@pytest.fixture(scope="module")
def inputs(lab: Lab) -> str:
    """Three objects: two under a folder of the prefix, one beside."""
    s3 = lab.client("s3")
    s3.put_object(Bucket=lab.bucket, Key="in/test.csv", Body=text(ROWS))
    s3.put_object(Bucket=lab.bucket, Key="in/d/b.csv", Body=text(ROWS[:10]))
    s3.put_object(Bucket=lab.bucket, Key="one/bad.csv", Body=b"a,b,c\n")
    s3.put_object(Bucket=lab.bucket, Key="one/good.csv", Body=text(ROWS[:10]))
    s3.put_object(Bucket=lab.bucket, Key="zip/test.csv.gz", Body=gzip.compress(text(ROWS)))
    return f"s3://{lab.bucket}"


@pytest.fixture
def request_for(lab: Lab, model: str, inputs: str) -> Callable[..., dict[str, Any]]:
    def request(prefix: str, **changes: Any) -> dict[str, Any]:
        name = lab.name("transform")
        source = {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{inputs}/{prefix}"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
            **changes.pop("TransformInput", {}),
        }
        output = {
            "S3OutputPath": f"{inputs}/out/{name}",
            "AssembleWith": "Line",
            "Accept": "text/csv",
            **changes.pop("TransformOutput", {}),
        }
        return {
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": source,
            "TransformOutput": output,
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
        }

    return request


@pytest.fixture
def run(sagemaker: Any, request_for: Callable[..., dict[str, Any]]) -> Run:
    def run(prefix: str, **changes: Any) -> dict[str, Any]:
        request = request_for(prefix, **changes)
        sagemaker.create_transform_job(**request)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            job = sagemaker.describe_transform_job(TransformJobName=request["TransformJobName"])
            if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"):
                return dict(job)
        raise AssertionError("the job did not finish")

    return run


def outputs(lab: Lab, job: dict[str, Any]) -> dict[str, bytes]:
    prefix = job["TransformOutput"]["S3OutputPath"].partition(f"{lab.bucket}/")[2] + "/"
    s3 = lab.client("s3")
    found = s3.list_objects_v2(Bucket=lab.bucket, Prefix=prefix).get("Contents", [])
    return {
        o["Key"].removeprefix(prefix): s3.get_object(Bucket=lab.bucket, Key=o["Key"])["Body"].read()
        for o in found
    }


def numbers(body: bytes) -> list[float]:
    return [float(line) for line in body.decode().split()]


@pytest.mark.parametrize("prefix", ["in/", "in"])
def test_every_object_under_a_prefix_has_its_result_beside_its_relative_key(
    lab: Lab, run: Run, prefix: str
) -> None:
    job = run(prefix)
    assert job["TransformJobStatus"] == "Completed"
    assert set(outputs(lab, job)) == {"test.csv.out", "d/b.csv.out"}


def test_predictions_are_the_boosters_in_the_inputs_order(lab: Lab, run: Run, booster: xgb.Booster) -> None:
    found = outputs(lab, run("in/test.csv"))
    assert list(found) == ["test.csv.out"]
    np.testing.assert_allclose(numbers(found["test.csv.out"]), booster.predict(xgb.DMatrix(ROWS)), atol=1e-6)


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
def test_both_strategies_give_one_line_a_record(
    lab: Lab, run: Run, strategy: str, booster: xgb.Booster
) -> None:
    found = outputs(lab, run("in/d/", BatchStrategy=strategy, MaxConcurrentTransforms=4))
    expected = booster.predict(xgb.DMatrix(ROWS[:10]))
    np.testing.assert_allclose(numbers(found["b.csv.out"]), expected, atol=1e-6)


def test_one_bad_object_fails_the_job_and_the_good_ones_result_is_there(lab: Lab, run: Run) -> None:
    job = run("one/")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert set(outputs(lab, job)) == {"good.csv.out"}
    events = lab.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix=f"{job['TransformJobName']}/"
    )["events"]
    data_log = [e["message"] for e in events if e["logStreamName"].endswith("/data-log")]
    assert any("MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in line for line in data_log)
    assert any(f"{lab.bucket}/one/bad.csv" in line for line in data_log)
    assert any("could not convert string to float: 'a'" in line for line in data_log)


def test_a_column_filtered_from_the_input_is_still_joined_to_the_output(
    lab: Lab, run: Run, booster: xgb.Booster
) -> None:
    with_ids = np.column_stack([np.arange(20), ROWS[:20]])
    lab.client("s3").put_object(Bucket=lab.bucket, Key="ids/a.csv", Body=text(with_ids))
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    found = outputs(lab, run("ids/", DataProcessing=processing))
    rows = [line.split(",") for line in found["a.csv.out"].decode().split()]
    assert [float(row[0]) for row in rows] == list(range(20))
    np.testing.assert_allclose(
        [float(r[1]) for r in rows], booster.predict(xgb.DMatrix(ROWS[:20])), atol=1e-6
    )


def test_gzipped_input_is_unpacked_and_the_output_is_plain(lab: Lab, run: Run) -> None:
    found = outputs(lab, run("zip/", TransformInput={"CompressionType": "Gzip"}))
    assert len(numbers(found["test.csv.gz.out"])) == len(ROWS)


def test_several_instances_share_the_objects_and_lose_none(lab: Lab, run: Run) -> None:
    job = run("in/", TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2})
    assert set(outputs(lab, job)) == {"test.csv.out", "d/b.csv.out"}


def test_a_manifest_names_the_objects(lab: Lab, run: Run, inputs: str) -> None:
    body = f'[{{"prefix": "{inputs}/in/"}}, "d/b.csv"]'.encode()
    lab.client("s3").put_object(Bucket=lab.bucket, Key="list/m.json", Body=body)
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": f"{inputs}/list/m.json"}}
    assert set(outputs(lab, run("", TransformInput={"DataSource": source}))) == {"d/b.csv.out"}


def test_a_record_above_the_payload_limit_fails_its_object(lab: Lab, run: Run) -> None:
    lab.client("s3").put_object(Bucket=lab.bucket, Key="wide/a.csv", Body=b"1," * 800_000 + b"1\n")
    assert run("wide/", MaxPayloadInMB=1)["TransformJobStatus"] == "Failed"


def test_a_stopped_job_leaves_no_unfinished_result(
    lab: Lab, sagemaker: Any, request_for: Callable[..., dict[str, Any]]
) -> None:
    lab.client("s3").put_object(Bucket=lab.bucket, Key="long/a.csv", Body=text(ROWS) * 400)
    request = request_for("long/", BatchStrategy="SingleRecord")
    name = request["TransformJobName"]
    sagemaker.create_transform_job(**request)
    sagemaker.stop_transform_job(TransformJobName=name)
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=name)
    job = sagemaker.describe_transform_job(TransformJobName=name)
    assert job["TransformJobStatus"] == "Stopped"
    assert outputs(lab, dict(job)) == {}
    with pytest.raises(ClientError, match="the transform job is in status Stopped"):
        sagemaker.stop_transform_job(TransformJobName=name)


def test_describe_shows_times_and_defaults(run: Run) -> None:
    job = run("in/d/")
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert job["TransformOutput"]["KmsKeyId"] == ""
    assert job["TransformInput"]["CompressionType"] == "None"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ModelName": "absent"}, 'Could not find model "'),
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "at most 100 MB"),
        ({"MaxPayloadInMB": 101}, "at most 100"),
        ({"DataProcessing": {"InputFilter": "[0]"}}, "InputFilter is not usable"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"AssembleWith": "None"}},
            "to be equal",
        ),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"Accept": "application/json"}},
            "ContentType and Accept",
        ),
        ({"TransformOutput": {"S3OutputPath": "s3://no-such-bucket-here/x"}}, "does not exist"),
        (
            {"TransformResources": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1}},
            "for transform job usage",
        ),
        ({"TransformInput": {"SplitType": "TFRecord"}}, "TFRecord"),
    ],
)
def test_every_bad_request_is_refused_with_what_is_wrong(
    sagemaker: Any, request_for: Callable[..., dict[str, Any]], changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ClientError) as error:
        sagemaker.create_transform_job(**request_for("in/", **changes))
    assert says in error.value.response["Error"]["Message"]


def test_unknown_and_taken_names_have_the_services_own_words(
    sagemaker: Any, run: Run, request_for: Callable[..., dict[str, Any]]
) -> None:
    job = run("in/d/")
    with pytest.raises(ClientError, match="Transform job names must be unique"):
        sagemaker.create_transform_job(**request_for("in/", TransformJobName=job["TransformJobName"]))
    with pytest.raises(ClientError, match="Could not find requested job with name: absent"):
        sagemaker.describe_transform_job(TransformJobName="absent")
    with pytest.raises(ClientError, match="Could not find job to update with name: absent"):
        sagemaker.stop_transform_job(TransformJobName="absent")
