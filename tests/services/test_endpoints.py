"""Models, endpoint configurations and endpoints over the wire: facts 67 to 90 of the service's behaviour."""

from __future__ import annotations

import io
import os
import pickle
import signal
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from corelab.connection import launch
from tests.conftest import IMAGE, ROLE, Lab, table

ACCOUNT = "123456789012"
ROWS = table(4, 9)[:, 1:]
CSV = "\n".join(",".join(f"{v:.4f}" for v in row) for row in ROWS).encode()


@pytest.fixture(scope="module")
def sagemaker(lab: Lab) -> Any:
    return lab.client("sagemaker")


@pytest.fixture(scope="module")
def runtime(lab: Lab) -> Any:
    return lab.client("sagemaker-runtime", retries={"total_max_attempts": 1}, max_pool_connections=32)


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def model(lab: Lab, sagemaker: Any, model_data: str) -> str:
    name = lab.name("model")
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": model_data}
    )
    return name


def serverless(model: str, memory: int = 2048, most: int = 5, **more: int) -> dict[str, Any]:
    config = {"MemorySizeInMB": memory, "MaxConcurrency": most, **more}
    return {"VariantName": "AllTraffic", "ModelName": model, "ServerlessConfig": config}


def provisioned(model: str, name: str = "AllTraffic", weight: float = 1.0, count: int = 1) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
        "InitialVariantWeight": weight,
    }


@pytest.fixture
def config(lab: Lab, sagemaker: Any) -> Callable[..., str]:
    def make(*variants: dict[str, Any]) -> str:
        name = lab.name("config")
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants))
        return name

    return make


@pytest.fixture
def deploy(lab: Lab, sagemaker: Any, config: Callable[..., str]) -> Iterator[Callable[..., str]]:
    """Makes endpoints that are in service, and deletes them afterwards."""
    made: list[str] = []

    def make(*variants: dict[str, Any]) -> str:
        name = lab.name("endpoint")
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config(*variants))
        made.append(name)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)
        return name

    yield make
    for name in made:
        try:
            sagemaker.delete_endpoint(EndpointName=name)
            sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
        except ClientError:
            continue


def scores(answer: dict[str, Any]) -> list[float]:
    return [float(line) for line in answer["Body"].read().decode().split()]


def settled(sagemaker: Any, name: str, seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        if endpoint["EndpointStatus"] not in ("Creating", "Updating", "RollingBack"):
            return dict(endpoint)
    raise AssertionError(f"{name} is still {endpoint['EndpointStatus']}")


def test_an_endpoint_answers_as_the_model_predicts(
    model: str, deploy: Callable[..., str], runtime: Any, booster: xgb.Booster
) -> None:
    name = deploy(serverless(model))
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV)
    expected = booster.predict(xgb.DMatrix(ROWS.round(4)))
    assert scores(answer) == pytest.approx(expected.tolist(), abs=1e-6)
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"].startswith("text/csv")


def test_a_new_endpoint_is_creating_without_variants_and_then_in_service(
    lab: Lab, sagemaker: Any, model: str, config: Callable[..., str]
) -> None:
    name = lab.name("MyEndpoint")
    arn = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config(serverless(model)))[
        "EndpointArn"
    ]
    first = sagemaker.describe_endpoint(EndpointName=name)
    assert first["EndpointStatus"] == "Creating"
    assert "ProductionVariants" not in first
    assert first["PendingDeploymentSummary"]["EndpointConfigName"] == first["EndpointConfigName"]
    endpoint = settled(sagemaker, name)
    assert endpoint["EndpointStatus"] == "InService"
    variant = endpoint["ProductionVariants"][0]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert variant["CurrentInstanceCount"] == 0
    assert "PendingDeploymentSummary" not in endpoint
    assert (endpoint["EndpointName"], arn) == (
        name,
        f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/{name.lower()}",
    )
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
    code, text = refusal(sagemaker.describe_endpoint, EndpointName=name)
    assert (code, text) == ("ValidationException", f'Could not find endpoint "{arn}".')


def test_an_unknown_endpoint_is_not_found_in_the_runtimes_words(runtime: Any) -> None:
    assert refusal(runtime.invoke_endpoint, EndpointName="absent", Body=b"1") == (
        "ValidationError",
        f"Endpoint absent of account {ACCOUNT} not found.",
    )


def test_a_wrong_content_type_is_a_model_error_with_the_containers_words(
    model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(serverless(model))
    with pytest.raises(ClientError) as error:
        runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=b"{}")
    answer = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == 415
    assert "is not an accepted ContentType" in answer["OriginalMessage"]
    assert answer["LogStreamArn"].endswith(f"/aws/sagemaker/Endpoints/{name}")
    assert answer["Error"]["Message"].startswith('Received client error (415) from primary with message "')


def test_a_label_left_in_the_row_is_refused_by_the_model(
    model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(serverless(model))
    with pytest.raises(ClientError, match="Unable to evaluate payload provided"):
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"1," + CSV.splitlines()[0])


def test_an_idle_serverless_endpoint_goes_cold_and_the_next_call_is_measured_as_such(
    lab: Lab, model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(serverless(model, most=2))
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda _: runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV),
                range(20),
            )
        )
    assert statistic(lab, name, "ModelSetupTime", "SampleCount") >= 1
    assert statistic(lab, name, "ModelSetupTime", "Minimum") > 1000
    assert statistic(lab, name, "Invocations", "Sum") == 20


def statistic(lab: Lab, endpoint: str, metric: str, statistic: str) -> float:
    now = datetime.now(UTC)
    points = lab.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    values = [point[statistic] for point in points]
    if not values:
        return 0.0
    return min(values) if statistic == "Minimum" else sum(values)


def test_model_errors_are_counted_with_their_kind(
    lab: Lab, model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(provisioned(model))
    for _ in range(3):
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV)
    refusal(runtime.invoke_endpoint, EndpointName=name, ContentType="text/csv", Body=b"a,b")
    assert statistic(lab, name, "Invocations", "Sum") == 4
    assert statistic(lab, name, "Invocation4XXErrors", "Sum") == 1
    assert statistic(lab, name, "InvocationModelErrors", "Sum") == 1
    assert statistic(lab, name, "Invocation5XXErrors", "Sum") == 0
    assert statistic(lab, name, "ModelLatency", "Minimum") > 0


def test_more_requests_at_once_than_allowed_are_throttled_with_awss_empty_message(
    model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(serverless(model, most=1))
    body = b"\n".join([CSV] * 20_000)
    gate, codes = threading.Barrier(6), []

    def call(_: int) -> None:
        gate.wait()
        try:
            runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=body)
        except ClientError as error:
            codes.append((error.response["Error"]["Code"], error.response["Error"].get("Message")))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(call, range(6)))
    assert codes
    assert set(codes) <= {("ThrottlingException", None), ("ThrottlingException", "")}


def test_a_serverless_payload_over_4_mb_is_refused_and_instances_take_it(
    model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    body = b"\n".join([CSV] * (4 * 1024 * 1024 // len(CSV) + 1))
    with pytest.raises(ClientError) as error:
        runtime.invoke_endpoint(EndpointName=deploy(serverless(model)), ContentType="text/csv", Body=body)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    answer = runtime.invoke_endpoint(
        EndpointName=deploy(provisioned(model)), ContentType="text/csv", Body=body
    )
    assert len(scores(answer)) == body.count(b"\n") + 1


def test_a_serverless_answer_over_4_mb_is_lost_and_says_so(
    deploy: Callable[..., str], runtime: Any, model: str
) -> None:
    name = deploy(serverless(model))
    rows = b"\n".join([b"1,1,1"] * 300_000)  # 1.8 MB to score, and some 20 bytes of text a score
    with pytest.raises(ClientError, match="could not load the entire response body") as error:
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=rows)
    assert error.value.response["Error"]["Code"] == "ModelError"


def test_traffic_follows_the_weights_and_a_target_variant_overrides_them(
    sagemaker: Any, model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(provisioned(model, "A", 3), provisioned(model, "B", 1), provisioned(model, "C", 0))

    def variant(**more: str) -> str:
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV, **more)
        return str(answer["InvokedProductionVariant"])

    seen = [variant() for _ in range(300)]
    assert set(seen) == {"A", "B"}
    assert 0.65 < seen.count("A") / len(seen) < 0.85
    assert variant(TargetVariant="C") == "C"
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredWeight": 0}]
    )
    endpoint = settled(sagemaker, name)
    assert {v["VariantName"]: v["CurrentWeight"] for v in endpoint["ProductionVariants"]} == {
        "A": 0,
        "B": 1,
        "C": 0,
    }
    assert {variant() for _ in range(20)} == {"B"}


def test_weights_of_unknown_or_repeated_variants_are_refused(
    sagemaker: Any, model: str, deploy: Callable[..., str]
) -> None:
    name = deploy(provisioned(model))
    change = sagemaker.update_endpoint_weights_and_capacities
    unknown = [{"VariantName": "x", "DesiredWeight": 1}]
    assert (
        'The variant name(s) "x" is/are not present'
        in refusal(change, EndpointName=name, DesiredWeightsAndCapacities=unknown)[1]
    )
    twice = [{"VariantName": "AllTraffic", "DesiredWeight": 1}] * 2
    assert (
        'The variant name "AllTraffic" was non-unique'
        in refusal(change, EndpointName=name, DesiredWeightsAndCapacities=twice)[1]
    )


def test_no_call_fails_while_an_endpoint_is_updated(
    sagemaker: Any, model: str, config: Callable[..., str], deploy: Callable[..., str], runtime: Any
) -> None:
    name, new = deploy(provisioned(model)), config(provisioned(model, count=2))
    old = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    slowly = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 3}}
    sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=new, DeploymentConfig={"BlueGreenUpdatePolicy": slowly}
    )
    during = sagemaker.describe_endpoint(EndpointName=name)
    assert (during["EndpointStatus"], during["EndpointConfigName"]) == ("Updating", old)
    assert (
        "Cannot update in-progress endpoint"
        in refusal(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=new)[1]
    )
    while sagemaker.list_endpoints(NameContains=name)["Endpoints"][0]["EndpointStatus"] == "Updating":
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV)
    after = sagemaker.describe_endpoint(EndpointName=name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", new)
    assert after["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV)


def broken_model(lab: Lab, sagemaker: Any, files: dict[str, bytes]) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    name = lab.name("broken")
    lab.client("s3").put_object(Bucket=lab.bucket, Key=f"{name}/model.tar.gz", Body=packed.getvalue())
    url = f"s3://{lab.bucket}/{name}/model.tar.gz"
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": url}
    )
    return name


def test_an_update_to_a_broken_model_leaves_the_old_one_serving(
    lab: Lab, sagemaker: Any, model: str, config: Callable[..., str], deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(provisioned(model))
    old = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    broken = broken_model(lab, sagemaker, {"xgboost-model": b"no model at all"})
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config(provisioned(broken)))
    endpoint = settled(sagemaker, name)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", old)
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV)


OWNED = Path(tempfile.gettempdir()) / "corelab-test-owned"


class Touch:
    """Leaves a file behind where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(OWNED), "w"))


@pytest.mark.parametrize(
    "files",
    [
        {"xgboost-model": b"no model at all"},
        {"xgboost-model": pickle.dumps(Touch())},
        {},
        {"../escape": b"x"},
    ],
)
def test_an_endpoint_with_a_broken_archive_fails_with_a_reason_and_can_only_be_deleted(
    lab: Lab, sagemaker: Any, config: Callable[..., str], files: dict[str, bytes]
) -> None:
    name = lab.name("failing")
    cfg = config(provisioned(broken_model(lab, sagemaker, files)))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=cfg)
    endpoint = settled(sagemaker, name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert endpoint["FailureReason"]
    assert not OWNED.exists()
    assert (
        "can only be deleted"
        in refusal(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=cfg)[1]
    )
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)


def test_a_configuration_and_a_model_may_go_while_their_endpoint_serves(
    lab: Lab, sagemaker: Any, model_data: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = lab.name("short-lived")
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": model_data}
    )
    endpoint = deploy(serverless(name))
    answer = sagemaker.delete_model(ModelName=name)
    assert set(answer) == {"ResponseMetadata"}
    sagemaker.delete_endpoint_config(
        EndpointConfigName=sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    )
    assert runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=CSV)


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        ({"memory": 1500}, "1024, 2048, 3072"),
        ({"memory": 8192}, "less than or equal to 6144"),
        ({"most": 201}, "less than or equal to 200"),
        ({"most": 2, "ProvisionedConcurrency": 5}, "ProvisionedConcurrency (5)"),
    ],
)
def test_a_serverless_configuration_that_cannot_be_is_refused(
    model: str, config: Callable[..., str], variant: dict[str, int], says: str
) -> None:
    with pytest.raises(ClientError) as error:
        config(serverless(model, **variant))
    assert says in error.value.response["Error"]["Message"]


def test_other_bad_configurations_are_refused(model: str, config: Callable[..., str]) -> None:
    both = {**serverless(model), "InstanceType": "ml.m5.large"}
    for variants, says in (
        ([both], "cannot be given together"),
        ([provisioned(model, "A"), provisioned(model, "A")], "unique"),
        ([serverless(model), provisioned(model, "B")], "one production variant only"),
        ([provisioned("no-such-model")], "Could not find model"),
        ([{"VariantName": "A", "ModelName": model}], "either ServerlessConfig, or InstanceType"),
    ):
        with pytest.raises(ClientError, match=says):
            config(*variants)


def test_taken_and_unknown_names_are_refused_in_awss_words(
    lab: Lab, sagemaker: Any, model: str, model_data: str, deploy: Callable[..., str]
) -> None:
    endpoint = deploy(serverless(model))
    cfg = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    container = {"Image": IMAGE, "ModelDataUrl": model_data}
    base = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
    assert refusal(
        sagemaker.create_model, ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer=container
    )[1] == (f'Cannot create already existing model "{base}:model/{model}".')
    assert refusal(
        sagemaker.create_endpoint_config, EndpointConfigName=cfg, ProductionVariants=[serverless(model)]
    )[1] == (f'Cannot create already existing endpoint configuration "{base}:endpoint-config/{cfg}".')
    assert refusal(sagemaker.create_endpoint, EndpointName=endpoint.upper(), EndpointConfigName=cfg)[1] == (
        f'Cannot create already existing endpoint "{base}:endpoint/{endpoint}".'
    )
    assert (
        'Could not find endpoint configuration "'
        in refusal(sagemaker.create_endpoint, EndpointName=lab.name(), EndpointConfigName="absent")[1]
    )
    assert 'Could not find model "' in refusal(sagemaker.describe_model, ModelName="absent")[1]


def test_a_model_whose_data_is_not_there_is_refused(lab: Lab, sagemaker: Any) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{lab.bucket}/nothing/model.tar.gz"}
    code, text = refusal(
        sagemaker.create_model, ModelName=lab.name(), ExecutionRoleArn=ROLE, PrimaryContainer=container
    )
    assert code == "ValidationException"
    assert text.startswith(
        f"Could not access model data at s3://{lab.bucket}/nothing/model.tar.gz. Please ensure"
    )


def test_instances_cannot_become_serverless_by_an_update(
    sagemaker: Any, model: str, config: Callable[..., str], deploy: Callable[..., str]
) -> None:
    name = deploy(provisioned(model))
    assert (
        "create a new endpoint"
        in refusal(
            sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=config(serverless(model))
        )[1]
    )


def test_describes_leave_out_what_is_not_there(
    sagemaker: Any, model: str, deploy: Callable[..., str]
) -> None:
    assert "VpcConfig" not in sagemaker.describe_model(ModelName=model)
    name = deploy(serverless(model))
    cfg = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    assert "DataCaptureConfig" not in sagemaker.describe_endpoint_config(EndpointConfigName=cfg)


def test_a_variant_under_load_is_given_more_instances_and_never_more_than_allowed(
    lab: Lab, sagemaker: Any, model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(provisioned(model))
    scaling = lab.client("application-autoscaling")
    place = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)
    tracking = {
        "TargetValue": 10.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 0,
    }
    scaling.put_scaling_policy(
        **place,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    for _ in range(50):
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV)
    deadline = time.monotonic() + 30
    while sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]["CurrentInstanceCount"] < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    scaling.deregister_scalable_target(**place)
    assert not scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert settled(sagemaker, name)["ProductionVariants"][0]["DesiredInstanceCount"] == 2


def test_endpoints_are_in_service_again_after_the_server_was_killed(
    lab: Lab, sagemaker: Any, model: str, deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy(provisioned(model))
    before = scores(runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV))
    server = lab.home.running()
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    while lab.home.owned():
        time.sleep(0.05)
    launch.ensure(lab.home, server.port)
    after = scores(runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=CSV))
    np.testing.assert_array_equal(before, after)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
