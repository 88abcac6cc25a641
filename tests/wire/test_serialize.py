from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from corelab.errors import AWSError
from corelab.wire.http import HttpResponse
from corelab.wire.model import operation
from corelab.wire.serialize import error_xml, serialize, serialize_error

DESCRIBE = operation("sagemaker", "DescribeTrainingJob")
INVOKE = operation("sagemaker-runtime", "InvokeEndpoint")


def body_of(result: dict[str, Any]) -> Any:
    return json.loads(serialize(DESCRIBE, result, "r").body)


def test_a_void_operation_answers_200_and_no_body() -> None:
    response = serialize(operation("sagemaker", "DeleteModel"), {}, "r-7")
    assert (response.status, response.body) == (200, b"")
    assert ("x-amzn-RequestId", "r-7") in response.headers
    assert ("Content-Length", "0") in response.headers
    assert serialize(operation("sagemaker", "DeleteModel"), None, "r-7") == response


def test_absent_unknown_and_empty_structures_are_left_out() -> None:
    result = {
        "TrainingJobName": "j",
        "FailureReason": None,
        "Invented": 1,
        "VpcConfig": {},
        "ModelArtifacts": {"S3ModelArtifacts": None},
        "HyperParameters": {},
        "InputDataConfig": [],
        "EnableNetworkIsolation": False,
        "TrainingTimeInSeconds": 0,
    }
    assert body_of(result) == {
        "TrainingJobName": "j",
        "HyperParameters": {},
        "InputDataConfig": [],
        "EnableNetworkIsolation": False,
        "TrainingTimeInSeconds": 0,
    }


@pytest.mark.parametrize("value", [1_700_000_000.12345, datetime.fromtimestamp(1_700_000_000.12345, UTC)])
def test_timestamps_are_epoch_seconds_with_millisecond_fractions(value: Any) -> None:
    assert body_of({"CreationTime": value}) == {"CreationTime": 1_700_000_000.123}


def test_any_text_leaves_as_ascii_json() -> None:
    text = 'é\u2028\x00"</script>😀'
    response = serialize(DESCRIBE, {"FailureReason": text}, "r")
    assert response.body.isascii()
    assert json.loads(response.body) == {"FailureReason": text}


def test_an_invocations_answer_is_the_containers_bytes_and_headers() -> None:
    result = {"Body": b"0.5\n", "ContentType": "text/csv", "InvokedProductionVariant": "AllTraffic"}
    response = serialize(INVOKE, result, "r")
    assert response.body == b"0.5\n"
    assert response.headers[:2] == [
        ("Content-Type", "text/csv"),
        ("x-Amzn-Invoked-Production-Variant", "AllTraffic"),
    ]


def test_an_async_invocation_answers_202() -> None:
    found = operation("sagemaker-runtime", "InvokeEndpointAsync")
    response = serialize(found, {"InferenceId": "i", "OutputLocation": "s3://b/k"}, "r")
    assert (response.status, json.loads(response.body)) == (202, {"InferenceId": "i"})
    assert ("X-Amzn-SageMaker-OutputLocation", "s3://b/k") in response.headers


@given(st.text())
def test_a_container_cannot_break_out_of_its_header(text: str) -> None:
    response = serialize(INVOKE, {"Body": b"", "ContentType": text}, "r")
    (value,) = [value for name, value in response.headers if name == "Content-Type"]
    assert len(value) == len(text)
    assert not any(c < 0x20 or 0x7F <= c < 0xA0 for c in value.encode("latin-1"))


def test_json_rpc_errors_name_their_code_in_body_and_header() -> None:
    response = serialize_error(
        DESCRIBE, AWSError("ValidationException", "Requested resource not found."), "r"
    )
    assert response.status == 400
    assert json.loads(response.body) == {
        "__type": "ValidationException",
        "message": "Requested resource not found.",
    }
    assert ("x-amzn-ErrorType", "ValidationException") in response.headers
    assert ("x-amzn-RequestId", "r") in response.headers


def test_an_error_before_any_operation_is_known_reads_the_same() -> None:
    response = serialize_error(None, AWSError("UnknownOperationException", None, 404), "r")
    assert (response.status, json.loads(response.body)) == (
        404,
        {"__type": "UnknownOperationException", "message": None},
    )


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ModelError", 400, 424),
        ("ModelNotReadyException", 400, 429),
        ("ModelError", 413, 413),
        ("Odd", 400, 400),
    ],
)
def test_an_error_has_its_own_status_or_else_the_modelled_one(code: str, status: int, expected: int) -> None:
    assert serialize_error(INVOKE, AWSError(code, "m", status), "r").status == expected


TEXT = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("\t\n\r")


def parsed_xml(protocol: str, response: HttpResponse) -> Any:
    headers = {name.lower(): value for name, value in response.headers}
    raw = {"body": response.body, "headers": headers, "status_code": response.status}
    return create_parser(protocol).parse(raw, None)


@pytest.mark.parametrize(("service", "protocol"), [("s3", "rest-xml"), ("sts", "query"), ("iam", "query")])
@given(message=st.text(TEXT, min_size=1), status=st.sampled_from([400, 403, 500]))
def test_botocore_reads_our_xml_errors(service: str, protocol: str, message: str, status: int) -> None:
    parsed = parsed_xml(protocol, error_xml(service, AWSError("AccessDenied", message, status), "r-9"))
    assert parsed["Error"]["Code"] == "AccessDenied"
    assert parsed["Error"]["Message"] == message
    assert parsed["ResponseMetadata"]["RequestId"] == "r-9"
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == status


def test_what_xml_cannot_say_becomes_a_blank() -> None:
    response = error_xml("s3", AWSError("Bad", "a\x00b\x1fc\ud800d\uffffe]]><x/>&"), "r")
    assert parsed_xml("rest-xml", response)["Error"]["Message"] == "a b c d e]]><x/>&"
    assert b"<Message></Message>" in error_xml("s3", AWSError("Bad", None), "r").body
