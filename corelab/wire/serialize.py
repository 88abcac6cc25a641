"""From a result or an error to response bytes, as botocore's parsers expect them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import StructureShape

from corelab.errors import AWSError
from corelab.wire.http import HttpResponse
from corelab.wire.model import Operation, error_shape
from corelab.wire.values import write, write_text

_JSON_RPC = "application/x-amz-json-1.1"
_REST_JSON = "application/json"
_DEFAULT_STATUS = 400
# XML 1.0 has no way at all to write these characters.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def serialize(operation: Operation, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
    """The success response. Members that are None or unknown to the output shape are left out.

    An operation without an output shape answers 200 and no body (Service spec 1.1).
    """
    status = int(operation.model.http.get("responseCode", 200))
    shape = operation.model.output_shape
    content_type = [("Content-Type", _content_type(operation))]
    if shape is None:
        return _response(status, content_type, b"", request_id)
    if operation.speaks_json_rpc:
        return _response(status, content_type, _json(write(shape, result or {})), request_id)
    return _rest_response(shape, result or {}, status, request_id)


def serialize_error(operation: Operation | None, error: AWSError, request_id: str) -> HttpResponse:
    """The error response: its code in the body's ``__type`` (JSON 1.1) and in x-amzn-ErrorType.

    A status other than 400 is kept; else the modelled one is used, such as a ModelError's 424.
    """
    shape = error_shape(operation.service, error.code) if operation else None
    key = "Message" if shape is not None and "Message" in shape.members else "message"
    body = {key: error.message, **error.extra}
    if operation is None or operation.speaks_json_rpc:
        body = {"__type": error.code, **body}
    status = error.status
    if status == _DEFAULT_STATUS and shape is not None:
        status = shape.metadata.get("error", {}).get("httpStatusCode", status)
    headers = [("Content-Type", _content_type(operation)), ("x-amzn-ErrorType", error.code)]
    return _response(status, headers, _json(body), request_id)


def error_xml(service: str, error: AWSError, request_id: str) -> HttpResponse:
    """The error response of an XML service: S3's own form, or the query protocol's (sts, iam)."""
    code, message = _xml_text(error.code), _xml_text(error.message or "")
    request = f"<RequestId>{_xml_text(request_id)}</RequestId>"
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message>{request}</Error>"
    else:
        fault = "Receiver" if error.status >= 500 else "Sender"
        detail = f"<Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message>"
        body = f"<ErrorResponse><Error>{detail}</Error>{request}</ErrorResponse>"
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()
    headers = [("Content-Type", "application/xml"), ("x-amz-request-id", request_id)]
    return _response(error.status, headers, document, request_id)


def _rest_response(
    shape: StructureShape, result: Mapping[str, Any], status: int, request_id: str
) -> HttpResponse:
    headers = []
    for name, member in shape.members.items():
        value = result.get(name)
        if value is not None and member.serialization.get("location") == "header":
            headers.append((member.serialization.get("name", name), write_text(member, value)))
    payload = shape.serialization.get("payload")
    if payload is not None:
        return _response(status, headers, result.get(payload) or b"", request_id)
    located = {name for name, member in shape.members.items() if "location" in member.serialization}
    body = write(shape, {name: value for name, value in result.items() if name not in located})
    return _response(status, [("Content-Type", _REST_JSON), *headers], _json(body), request_id)


def _response(status: int, headers: list[tuple[str, str]], body: bytes, request_id: str) -> HttpResponse:
    frame = [("x-amzn-RequestId", request_id), ("Content-Length", str(len(body)))]
    return HttpResponse(status, [*headers, *frame], body)


def _content_type(operation: Operation | None) -> str:
    return _JSON_RPC if operation is None or operation.speaks_json_rpc else _REST_JSON


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _xml_text(text: str) -> str:
    return escape(_NOT_XML.sub(" ", text), {"\r": "&#13;"})
