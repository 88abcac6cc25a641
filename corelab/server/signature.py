"""What a request's signature says: the key, the region, the service. The signature itself is not checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_CREDENTIAL = re.compile(r"([^/]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Signature:
    """``access_key`` is None for an anonymous request; ``service`` is the signing name."""

    access_key: str | None
    region: str
    service: str


def read(headers: Mapping[str, str], query: str) -> Signature:
    """SigV4 in the header or the query; SigV2 presigned URLs, form posts and anonymous requests are S3's
    (AWS component report, 6)."""
    match = _SCOPE.search(headers.get("authorization", ""))
    if match:
        return Signature(*match.groups())
    if "X-Amz-Credential" in query or "AWSAccessKeyId" in query:
        fields = parse_qs(query)
        match = _CREDENTIAL.fullmatch(fields.get("X-Amz-Credential", [""])[0])
        if match:
            return Signature(*match.groups())
        return Signature(fields.get("AWSAccessKeyId", [None])[0], DEFAULT_REGION, "s3")
    return Signature(None, DEFAULT_REGION, "")
