"""botocore as the oracle: what it writes we read back equal, and what we write it reads back equal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from corelab.errors import AWSError
from corelab.wire.http import HttpRequest, HttpResponse
from corelab.wire.model import operation, service_model
from corelab.wire.parse import parse, service_and_operation
from corelab.wire.serialize import serialize, serialize_error
from corelab.wire.validate import validate

KINDS = ("TrainingJob", "HyperParameterTuningJob", "TransformJob", "Model", "EndpointConfig", "Endpoint")
NAMED = {f"{verb}{kind}" for verb in ("Create", "Describe", "Stop", "Update", "Delete") for kind in KINDS}
NAMED |= {f"List{kind}s" for kind in KINDS} | {"ListTrainingJobsForHyperParameterTuningJob"}
NAMED |= {"AddTags", "ListTags", "DeleteTags", "Search", "UpdateEndpointWeightsAndCapacities"}
OPERATIONS = [
    *(("sagemaker", name) for name in service_model("sagemaker").operation_names if name in NAMED),
    ("sagemaker-runtime", "InvokeEndpoint"),
    ("sagemaker-runtime", "InvokeEndpointAsync"),
    ("sagemaker-metrics", "BatchPutMetrics"),
    ("sagemaker-metrics", "BatchGetMetrics"),
    ("application-autoscaling", "RegisterScalableTarget"),
    ("application-autoscaling", "PutScalingPolicy"),
    ("application-autoscaling", "DescribeScalingActivities"),
]
# Shrinking values of shapes this large takes minutes and says no more than the first failure does.
DRAWN = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def plain(value: Any) -> Any:
    """Timestamps as epoch seconds to the millisecond; empty structures cannot cross the wire."""
    match value:
        case datetime():
            return round(value.timestamp(), 3)
        case StreamingBody():
            return value.read()
        case dict():
            return {name: plain(item) for name, item in value.items() if name != "ResponseMetadata"}
        case list():
            return [plain(item) for item in value]
    return value


def without_empty_structures(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            walked = {k: without_empty_structures(shape.members[k], v) for k, v in value.items()}
            return {k: v for k, v in walked.items() if v != {} or shape.members[k].type_name != "structure"}
        case "list":
            return [without_empty_structures(shape.member, item) for item in value]
        case "map":
            return {k: without_empty_structures(shape.value, item) for k, item in value.items()}
    return value


def send(line: Any, name: str, params: Mapping[str, Any], answer: Callable[..., HttpResponse]) -> Any:
    line.answer = answer
    return getattr(line.client, xform_name(name))(**params)


@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=lambda value: value)
@DRAWN
@given(data=st.data())
def test_what_botocore_writes_is_read_back_equal_and_the_answer_too(
    service: str, name: str, lines: Any, values_of: Any, data: st.DataObject
) -> None:
    model = service_model(service).operation_model(name)
    params = data.draw(values_of(model.input_shape), "params")
    result = data.draw(values_of(model.output_shape), "result") if model.output_shape else {}
    seen = {}

    def answer(request: HttpRequest) -> HttpResponse:
        found = service_and_operation(request)
        seen[found.service, found.name] = validate(found, parse(found, request))
        return serialize(found, plain(result), "r-1")

    parsed = send(lines[service], name, params, answer)

    # An optional body that is empty and one that is absent are the same on the wire.
    if params.get("Body") == b"" and "Body" not in model.input_shape.required_members:
        del params["Body"]
    assert seen == {(service, name): plain(params)}
    expected = without_empty_structures(model.output_shape, plain(result)) if model.output_shape else {}
    assert plain(parsed) == expected
    assert parsed["ResponseMetadata"]["RequestId"] == "r-1"


def failing(error: AWSError) -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: serialize_error(service_and_operation(request), error, "r-2")


def caught(line: Any, name: str, params: Mapping[str, Any], error: AWSError) -> ClientError:
    with pytest.raises(ClientError) as raised:
        send(line, name, params, failing(error))
    return raised.value


def test_a_modelled_error_is_raised_as_its_own_class(lines: Any) -> None:
    line = lines["sagemaker"]
    error = caught(
        line, "DescribeTrainingJob", {"TrainingJobName": "j"}, AWSError("ResourceNotFound", "Gone.")
    )
    assert isinstance(error, line.client.exceptions.ResourceNotFound)
    assert error.response["Error"] == {"Message": "Gone.", "Code": "ResourceNotFound"}
    assert error.response["Message"] == "Gone."


@pytest.mark.parametrize("code", ["ValidationException", "ThrottlingException", "AccessDeniedException"])
def test_an_unmodelled_error_is_a_client_error_with_code_and_message(lines: Any, code: str) -> None:
    error = caught(lines["sagemaker"], "DescribeModel", {"ModelName": "m"}, AWSError(code, "Nö: <no>."))
    assert error.response["Error"] == {"Code": code, "Message": "Nö: <no>."}
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.response["ResponseMetadata"]["RequestId"] == "r-2"


def test_a_model_error_carries_what_the_container_said_at_the_top_of_the_response(lines: Any) -> None:
    said = {"OriginalStatusCode": 415, "OriginalMessage": "no", "LogStreamArn": "arn:logs"}
    extra = {"ErrorCode": "CLIENT_ERROR_FROM_MODEL", **said}
    error = caught(
        lines["sagemaker-runtime"],
        "InvokeEndpoint",
        {"EndpointName": "e", "Body": b""},
        AWSError("ModelError", "Received client error (415)", extra=extra),
    )
    assert error.response["Error"] == {"Code": "ModelError", "Message": "Received client error (415)"}
    assert {name: error.response[name] for name in said} == said
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 424


def test_a_throttled_serverless_endpoint_says_null(lines: Any) -> None:
    line = lines["sagemaker-runtime"]
    error = caught(
        line, "InvokeEndpoint", {"EndpointName": "e", "Body": b""}, AWSError("ThrottlingException", None)
    )
    assert error.response["Error"] == {"Code": "ThrottlingException", "Message": None}
    bare = serialize_error(
        operation("sagemaker-runtime", "InvokeEndpoint"), AWSError("ThrottlingException", None), "r"
    )
    assert bare.body == b'{"message":null}'
    assert ("x-amzn-ErrorType", "ThrottlingException") in bare.headers


def test_an_autoscaling_error_is_raised_as_its_own_class(lines: Any) -> None:
    line = lines["application-autoscaling"]
    params = {"ServiceNamespace": "sagemaker", "ResourceId": "r"}
    params |= {"ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    error = caught(line, "DeregisterScalableTarget", params, AWSError("ObjectNotFoundException", "none"))
    assert isinstance(error, line.client.exceptions.ObjectNotFoundException)


def test_odd_endpoint_names_come_through_the_path_unharmed(lines: Any) -> None:
    seen = {}

    def answer(request: HttpRequest) -> HttpResponse:
        found = service_and_operation(request)
        seen.update(parse(found, request))
        return serialize(found, {"Body": b"ok"}, "r")

    name = "../a b/é%2F?x=1#"
    send(lines["sagemaker-runtime"], "InvokeEndpoint", {"EndpointName": name, "Body": b"\x00\xff"}, answer)
    assert seen["EndpointName"] == name
    assert seen["Body"] == b"\x00\xff"


def test_special_floats_cross_in_both_directions(lines: Any) -> None:
    seen = {}

    def answer(request: HttpRequest) -> HttpResponse:
        found = service_and_operation(request)
        seen.update(parse(found, request))
        return serialize(found, {"MetricQueryResults": [result]}, "r")

    result = {"Status": "Complete", "XAxisValues": [1], "MetricValues": [float("inf"), float("-inf")]}
    stat = {"MetricName": "m", "ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:a/b"}
    stat |= {"MetricStat": "Max", "Period": "OneHour", "XAxisType": "Timestamp", "Start": 1}
    parsed = send(lines["sagemaker-metrics"], "BatchGetMetrics", {"MetricQueries": [stat]}, answer)
    assert parsed["MetricQueryResults"] == [result]

    def store(request: HttpRequest) -> HttpResponse:
        seen.update(parse(service_and_operation(request), request))
        return serialize(service_and_operation(request), {}, "r")

    datum = {"MetricName": "m", "Timestamp": 1.5, "Value": float("nan")}
    send(
        lines["sagemaker-metrics"],
        "BatchPutMetrics",
        {"TrialComponentName": "t", "MetricData": [datum]},
        store,
    )
    assert seen["MetricData"][0]["Value"] != seen["MetricData"][0]["Value"]


def serve(request: HttpRequest) -> HttpResponse:
    """A server of nothing but wire: what passes validation is answered with an empty result."""
    found = None
    try:
        found = service_and_operation(request)
        validate(found, parse(found, request))
        return serialize(found, {}, "r")
    except AWSError as error:
        return serialize_error(found, error, "r")


def test_fact_8_a_void_operation_returns_response_metadata_only(lines: Any) -> None:
    parsed = send(lines["sagemaker"], "DeleteModel", {"ModelName": "m"}, serve)
    assert list(parsed) == ["ResponseMetadata"]
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_fact_9_an_unknown_target_answers_400_and_its_type() -> None:
    response = serve(HttpRequest("POST", "/", "", {"x-amz-target": "SageMaker.Nope"}, b"{}"))
    assert response.status == 400
    assert json.loads(response.body)["__type"] == "UnknownOperationException"


def test_fact_10_a_throttled_client_tries_exactly_three_times(retrying_line: Any) -> None:
    throttled = AWSError("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match=r"reached max retries: 2\).*: Rate exceeded"):
        send(retrying_line, "DescribeTrainingJob", {"TrainingJobName": "j"}, failing(throttled))
    assert len(retrying_line.requests) == 3


def test_fact_17_what_boto3_lets_through_the_server_refuses(lines: Any) -> None:
    params = {
        "TrainingJobName": "a" * 80,
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "Tape"},
        "HyperParameters": {"eta": "x" * 3000},
        "RoleArn": "arn:aws:iam::123456789012:role/LabRole",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0, "VolumeSizeInGB": 1},
    }
    with pytest.raises(ClientError, match="4 validation errors detected") as raised:
        send(lines["sagemaker"], "CreateTrainingJob", params, serve)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_fact_17_what_boto3_knows_itself_never_reaches_the_server(lines: Any) -> None:
    sent = len(lines["sagemaker"].requests)
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 0}
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}}
    with pytest.raises(ParamValidationError):
        lines["sagemaker"].client.create_transform_job(
            TransformJobName="t",
            ModelName="m",
            TransformInput=source,
            TransformOutput={"S3OutputPath": "s3://b/o"},
            TransformResources=resources,
        )
    assert len(lines["sagemaker"].requests) == sent
