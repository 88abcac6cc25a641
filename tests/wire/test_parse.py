"""Requests that no SDK would send, and the forms of values that several clients use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.model import OperationModel, ServiceModel
from hypothesis import given, settings
from hypothesis import strategies as st

from corelab.errors import AWSError
from corelab.wire.http import HttpRequest
from corelab.wire.model import Operation, operation
from corelab.wire.parse import MAX_JSON_BYTES, MAX_JSON_DEPTH, parse, service_and_operation

LIST = operation("sagemaker", "ListTrainingJobs")
CREATE = operation("sagemaker", "CreateTrainingJob")
INVOKE = operation("sagemaker-runtime", "InvokeEndpoint")


def request(
    body: bytes = b"", method: str = "POST", path: str = "/", query: str = "", **headers: str
) -> HttpRequest:
    return HttpRequest(method, path, query, {k.replace("_", "-"): v for k, v in headers.items()}, body)


def refused(operation: Operation, body: bytes) -> AWSError:
    with pytest.raises(AWSError) as raised:
        parse(operation, request(body))
    return raised.value


def parsed(operation: Operation, **params: Any) -> dict[str, Any]:
    return parse(operation, request(json.dumps(params).encode()))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("SageMaker.CreateTrainingJob", ("sagemaker", "CreateTrainingJob")),
        (
            "AnyScaleFrontendService.RegisterScalableTarget",
            ("application-autoscaling", "RegisterScalableTarget"),
        ),
    ],
)
def test_a_target_names_service_and_operation(target: str, expected: tuple[str, str]) -> None:
    found = service_and_operation(request(x_amz_target=target))
    assert (found.service, found.name) == expected
    assert found.model.name == expected[1]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/endpoints/e/invocations", ("sagemaker-runtime", "InvokeEndpoint")),
        ("POST", "/endpoints/e/async-invocations", ("sagemaker-runtime", "InvokeEndpointAsync")),
        (
            "POST",
            "/endpoints/e/invocations-response-stream",
            ("sagemaker-runtime", "InvokeEndpointWithResponseStream"),
        ),
        ("PUT", "/BatchPutMetrics", ("sagemaker-metrics", "BatchPutMetrics")),
        ("POST", "/BatchGetMetrics", ("sagemaker-metrics", "BatchGetMetrics")),
    ],
)
def test_without_a_target_the_path_names_them(method: str, path: str, expected: tuple[str, str]) -> None:
    found = service_and_operation(request(method=method, path=path))
    assert (found.service, found.name) == expected


@pytest.mark.parametrize(
    "target", ["SageMaker.Nope", "SageMaker", "SageMaker.", "Logs_20140328.GetLogEvents", ""]
)
def test_an_unknown_target_is_an_unknown_operation(target: str) -> None:
    with pytest.raises(AWSError) as raised:
        service_and_operation(request(x_amz_target=target))
    assert (raised.value.code, raised.value.status) == ("UnknownOperationException", 400)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/endpoints/e/invocations"),
        ("POST", "/endpoints//invocations"),
        ("POST", "/endpoints/a/b/invocations"),
        ("POST", "/endpoints/e/invocations/"),
        ("POST", "/endpoints/e/invocations\n"),
        ("POST", "/"),
        ("POST", "/BatchPutMetrics"),
    ],
)
def test_an_unknown_path_is_an_unknown_operation(method: str, path: str) -> None:
    with pytest.raises(AWSError) as raised:
        service_and_operation(request(method=method, path=path))
    assert (raised.value.code, raised.value.status) == ("UnknownOperationException", 404)


def test_a_target_is_answered_to_post_only() -> None:
    with pytest.raises(AWSError, match="GET"):
        service_and_operation(request(method="GET", x_amz_target="SageMaker.ListTrainingJobs"))


def test_unknown_and_null_members_are_as_if_absent() -> None:
    assert parsed(LIST, MaxResults=None, NextToken=None, Nonsense={"a": [1]}, StatusEquals="Failed") == {
        "StatusEquals": "Failed"
    }
    assert parse(LIST, request(b"")) == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_700_000_000, 1_700_000_000.0),
        (1_700_000_000.125, 1_700_000_000.125),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T23:13:20.125+01:00", 1_700_000_000.125),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
    ],
)
def test_a_timestamp_is_epoch_seconds_whatever_its_form(value: float | str, expected: float) -> None:
    assert parsed(LIST, CreationTimeAfter=value) == {"CreationTimeAfter": expected}


@pytest.mark.parametrize("value", ["yesterday", "", True, 1e300, -1e300, 10**40, "0001-01-01T00:00:00+14:00"])
def test_a_timestamp_outside_of_time_is_a_serialization_error(value: Any) -> None:
    body = json.dumps({"CreationTimeAfter": value}).encode()
    error = refused(LIST, body)
    assert error.code == "SerializationException"
    assert str(error.message).endswith("can not be converted to milliseconds since epoch")


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        (LIST, {"MaxResults": "1"}, "STRING_VALUE can not be converted to an Integer"),
        (LIST, {"MaxResults": True}, "TRUE_VALUE can not be converted to an Integer"),
        (LIST, {"MaxResults": 1.5}, "NUMBER_VALUE can not be converted to an Integer"),
        (LIST, {"MaxResults": 10**30}, "NUMBER_VALUE can not be converted to an Integer"),
        (LIST, {"MaxResults": [1]}, "Start of list found where not expected"),
        (LIST, {"MaxResults": {"a": 1}}, "Start of structure or map found where not expected."),
        (LIST, {"NextToken": 1}, "NUMBER_VALUE can not be converted to a String"),
        (LIST, {"NextToken": False}, "FALSE_VALUE can not be converted to a String"),
        (CREATE, {"EnableNetworkIsolation": "true"}, "STRING_VALUE can not be converted to a Boolean"),
        (CREATE, {"HyperParameters": {"eta": 0.1}}, "NUMBER_VALUE can not be converted to a String"),
        (CREATE, {"HyperParameters": "x"}, "Expected map or null"),
        (CREATE, {"HyperParameters": ["x"]}, "Start of list found where not expected"),
        (CREATE, {"InputDataConfig": "x"}, "Expected list or null"),
        (CREATE, {"InputDataConfig": {}}, "Start of structure or map found where not expected."),
        (CREATE, {"ResourceConfig": "x"}, "Expected null"),
        (CREATE, {"ResourceConfig": []}, "Start of list found where not expected"),
    ],
)
def test_a_value_of_another_type_is_a_serialization_error_in_awss_words(
    operation: Operation, params: dict[str, Any], message: str
) -> None:
    error = refused(operation, json.dumps(params).encode())
    assert (error.code, error.message, error.status) == ("SerializationException", message, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"MaxResults": 1,}',
        b'{"MaxResults": NaN}',
        b'{"MaxResults": ' + b"9" * 5000 + b"}",
        "{}".encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_not_json_is_a_serialization_error(body: bytes) -> None:
    assert refused(LIST, body).code == "SerializationException"


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null"])
def test_a_body_that_is_no_object_is_a_serialization_error(body: bytes) -> None:
    assert refused(LIST, body).code == "SerializationException"


def test_half_a_surrogate_pair_never_gets_in() -> None:
    assert refused(LIST, rb'{"NextToken": "\ud800"}').code == "SerializationException"
    assert refused(CREATE, rb'{"HyperParameters": {"\udfff": "1"}}').code == "SerializationException"
    assert parse(LIST, request(rb'{"NextToken": "\ud83d\ude00"}')) == {"NextToken": "😀"}


def test_json_may_be_nested_so_deep_and_no_deeper() -> None:
    def nested(levels: int) -> bytes:
        return b'{"Unknown":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"

    assert parse(LIST, request(nested(MAX_JSON_DEPTH))) == {}
    assert refused(LIST, nested(MAX_JSON_DEPTH + 1)).code == "SerializationException"


def test_wide_json_is_not_deep_json() -> None:
    tags = [{"Key": str(i), "Value": "v"} for i in range(1000)]
    assert parsed(CREATE, Tags=tags) == {"Tags": tags}


def test_an_oversized_json_body_is_refused_unread() -> None:
    error = refused(LIST, b"[" * (MAX_JSON_BYTES + 1))
    assert (error.code, error.status) == ("RequestEntityTooLargeException", 413)


def test_an_invocations_body_is_taken_as_it_is() -> None:
    body = b"{" * (MAX_JSON_BYTES + 1)
    sent = request(body, path="/endpoints/e/invocations", content_type="text/csv")
    assert parse(INVOKE, sent) == {"EndpointName": "e", "ContentType": "text/csv", "Body": body}


def test_a_header_that_should_be_a_number_and_is_not_is_a_serialization_error() -> None:
    found = operation("sagemaker-runtime", "InvokeEndpointAsync")
    sent = request(path="/endpoints/e/async-invocations", x_amzn_sagemaker_requestttlseconds="soon")
    with pytest.raises(AWSError, match="STRING_VALUE can not be converted to an Integer"):
        parse(found, sent)


def test_members_of_path_and_headers_cannot_be_smuggled_in_the_body() -> None:
    shapes = {
        "In": {
            "type": "structure",
            "members": {
                "Name": {"shape": "S", "location": "uri", "locationName": "name"},
                "Page": {"shape": "I", "location": "querystring", "locationName": "page"},
                "Deep": {"shape": "B", "location": "querystring", "locationName": "deep"},
                "Token": {"shape": "S", "location": "header", "locationName": "X-Token"},
                "Note": {"shape": "S"},
            },
        },
        "S": {"type": "string"},
        "I": {"type": "integer"},
        "B": {"type": "boolean"},
    }
    raw = {
        "name": "Get",
        "http": {"method": "POST", "requestUri": "/things/{name}"},
        "input": {"shape": "In"},
    }
    service = ServiceModel(
        {"metadata": {"protocol": "rest-json"}, "operations": {"Get": raw}, "shapes": shapes}, "t"
    )
    made = Operation("t", "Get", OperationModel(raw, service, "Get"))
    body = json.dumps({"Note": "n", "Name": "evil", "Token": "evil", "Page": 9}).encode()
    sent = request(body, path="/things/a%2Fb", query="page=2&deep=true&page=3")
    assert parse(made, sent) == {"Name": "a/b", "Page": 2, "Deep": True, "Note": "n"}


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_params_or_an_aws_error(body: bytes) -> None:
    try:
        assert isinstance(parse(CREATE, request(body)), dict)
    except AWSError as error:
        assert error.code == "SerializationException"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(list(CREATE.model.input_shape.members)), inner)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(CREATE.model.input_shape.members)), JSON, max_size=4))
def test_arbitrary_json_is_params_or_an_aws_error(document: dict[str, Any]) -> None:
    try:
        assert set(parsed(CREATE, **document)) <= {
            name for name, value in document.items() if value is not None
        }
    except AWSError as error:
        assert error.code == "SerializationException"
