"""Errors as each AWS protocol writes them: XML for S3, XML for the query services, JSON for the others."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any
from xml.sax.saxutils import escape

from corelab.errors import AWSError

XML = "application/xml"
_S3 = '<?xml version="1.0" encoding="UTF-8"?>\n<Error>{body}<RequestId>{request}</RequestId></Error>'
_QUERY = (
    '<ErrorResponse xmlns="{namespace}"><Error><Type>{type}</Type><Code>{code}</Code>'
    "<Message>{message}</Message></Error><RequestId>{request}</RequestId></ErrorResponse>"
)
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "monitoring": "http://monitoring.amazonaws.com/doc/2010-08-01/",
}

Answer = tuple[int, dict[str, str], list[bytes]]


def error_answer(error: AWSError, service: str, content_type: str, request: str) -> Answer:
    """The error in the protocol the request came in.

    Args:
        service: the signing name.
        content_type: of the request; CloudWatch speaks three protocols and answers in the one it was asked in.
        request: the id of the request.
    """
    if service == "s3":
        return _s3_error(error, request)
    if service in _NAMESPACES and "json" not in content_type and "cbor" not in content_type:
        return _query_error(error, service, request)
    headers = {"content-type": content_type or "application/x-amz-json-1.1", "x-amzn-requestid": request}
    members = {"__type": error.code, "message": error.message or "", **error.extra}
    if service == "monitoring":
        headers["x-amzn-query-error"] = f"{error.code};{'Sender' if error.status < 500 else 'Receiver'}"
    if "cbor" in content_type:
        headers["smithy-protocol"] = "rpc-v2-cbor"
        return error.status, headers, [_cbor({key: str(value) for key, value in members.items()})]
    return error.status, headers, [json.dumps(members).encode()]


def storage_error(error: OSError | sqlite3.Error) -> AWSError:
    """What a caller is told when the disk fails: AWS's own code, and the reason a person can act on."""
    text = f"We encountered an internal error. Please try again. (The local disk said: {error})"
    return AWSError("InternalError", text, 500)


def _s3_error(error: AWSError, request: str) -> Answer:
    members: dict[str, Any] = {"Code": error.code, "Message": error.message or "", **error.extra}
    body = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in members.items())
    headers = {"content-type": XML, "x-amz-request-id": request}
    return error.status, headers, [_S3.format(body=body, request=request).encode()]


def _query_error(error: AWSError, service: str, request: str) -> Answer:
    body = _QUERY.format(
        namespace=_NAMESPACES[service],
        type="Sender" if error.status < 500 else "Receiver",
        code=_text(error.code),
        message=_text(error.message or ""),
        request=request,
    )
    return error.status, {"content-type": "text/xml", "x-amzn-requestid": request}, [body.encode()]


def _text(value: object) -> str:
    """Text for XML 1.0, which has no way to write most control characters."""
    return escape(_CONTROL.sub("?", str(value)))


def _cbor(members: dict[str, str]) -> bytes:
    """A map of texts (RFC 8949): a head that says how many, then each text behind its own head."""
    body = _cbor_head(5, len(members))
    for key, value in members.items():
        for text in (key.encode(), value.encode()):
            body += _cbor_head(3, len(text)) + text
    return body


def _cbor_head(major: int, length: int) -> bytes:
    if length < 24:
        return bytes([major << 5 | length])
    if length < 1 << 16:
        return bytes([major << 5 | 25]) + length.to_bytes(2, "big")
    return bytes([major << 5 | 26]) + length.to_bytes(4, "big")
