"""Who signed a request, for which service and region, before anyone trusts a word of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes
from wsgiref.types import StartResponse

from corelab.aws.embedded import DEFAULT_REGION
from corelab.errors import AWSError

Environ = dict[str, Any]
Body = Iterable[bytes]
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_VERSION_2 = re.compile(r"AWS ([^:\s]+):\S+")


@dataclass(frozen=True, slots=True)
class Signature:
    """The claim a request makes by its signature; nothing of it is proven yet."""

    service: str
    region: str
    access_key: str | None  # None for an anonymous request


def read_signature(environ: Environ) -> Signature:
    """Read the SigV4 scope from the header or a presigned query; what has none is S3's.

    Raises:
        AWSError: 403 for a presigned request whose time is over.
    """
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if found := _CREDENTIAL.search(authorization):
        return Signature(found[4].lower(), found[3], found[1])
    if found := _VERSION_2.match(authorization):
        return Signature("s3", DEFAULT_REGION, found[1])
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if "X-Amz-Credential" in query:
        return _presigned(query)
    if "AWSAccessKeyId" in query:
        _refuse_expired(_number(query, "Expires"))
        return Signature("s3", DEFAULT_REGION, query["AWSAccessKeyId"][0])
    return Signature("s3", DEFAULT_REGION, None)


def raw_path(environ: Environ) -> str:
    """The path as it was sent, still percent-encoded."""
    raw: str = environ["RAW_URI"]
    return raw.partition("?")[0]


def split_path(environ: Environ) -> tuple[str, str]:
    """Bucket and key of a path-style request, decoded once.

    Raises:
        AWSError: InvalidURI for what is not UTF-8.
    """
    bucket, _, key = raw_path(environ).removeprefix("/").partition("/")
    try:
        return unquote_to_bytes(bucket).decode(), unquote_to_bytes(key).decode()
    except UnicodeDecodeError:
        raise AWSError("InvalidURI", "Couldn't parse the specified URI.") from None


def send(start_response: StartResponse, status: int, headers: dict[str, str], body: Body) -> Body:
    """Begin a WSGI answer; statuses that have no body get none."""
    start_response(f"{status} -", [(name, str(value)) for name, value in headers.items()])
    return [] if status in (204, 304) else body


def _presigned(query: dict[str, list[str]]) -> Signature:
    scope = query["X-Amz-Credential"][0].split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        text = 'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>'
        raise AWSError("AuthorizationQueryParametersError", f'{text}/YYYYMMDD/REGION/SERVICE/aws4_request".')
    try:
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        text = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        raise AWSError("AuthorizationQueryParametersError", text) from None
    _refuse_expired(signed.timestamp() + _number(query, "X-Amz-Expires"))
    access_key, _, region, service, _ = scope
    return Signature(service.lower(), region, access_key)


def _number(query: dict[str, list[str]], name: str) -> int:
    try:
        return int(query[name][0])
    except (KeyError, ValueError):
        raise AWSError("AccessDenied", f"Invalid date (should be seconds since epoch): {name}", 403) from None


def _refuse_expired(end: float) -> None:
    if time.time() > end:
        expires = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise AWSError("AccessDenied", "Request has expired", 403, {"Expires": expires})
