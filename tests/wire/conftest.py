"""Real boto3 clients whose requests end at our wire, and values drawn from botocore's shape trees."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from hypothesis import strategies as st

from corelab.wire.http import HttpRequest, HttpResponse
from corelab.wire.model import SERVICES
from corelab.wire.validate import rules

Answer = Callable[[HttpRequest], HttpResponse]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 4


class Raw(io.BytesIO):
    """What botocore reads a response body from."""

    def stream(self, **_: Any) -> list[bytes]:
        return [self.read()]


@dataclass
class Line:
    """A boto3 client and what it sends; nothing leaves the process, ``answer`` makes each response."""

    client: Any
    answer: Answer | None = None
    requests: list[HttpRequest] = field(default_factory=list)

    def carry(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        assert self.answer is not None
        self.requests.append(as_received(request))
        response = self.answer(self.requests[-1])
        return AWSResponse(request.url, response.status, dict(response.headers), Raw(response.body))


def as_received(request: AWSPreparedRequest) -> HttpRequest:
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    body = request.body or b""
    return HttpRequest(
        request.method, url.path, url.query, headers, body.encode() if isinstance(body, str) else body
    )


def open_line(service: str, config: Config | None = None) -> Line:
    client = boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="AKIALOCALSAGEMAKER00",
        aws_secret_access_key="secret",
        config=config,
    )
    line = Line(client)
    client.meta.events.register("before-send", line.carry)
    return line


@pytest.fixture(scope="session")
def lines() -> Mapping[str, Line]:
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return {service: open_line(service, once) for service in SERVICES}


@pytest.fixture
def retrying_line() -> Line:
    return open_line("sagemaker")


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that keep every constraint of the shape, as boto3 takes and returns them."""
    match shape.type_name:
        case "structure":
            return st.composite(_structure)(shape, depth)
        case "list":
            return st.lists(values(shape.member, depth + 1), **_sizes(shape))
        case "map":
            return st.dictionaries(
                values(shape.key, depth + 1), values(shape.value, depth + 1), **_sizes(shape)
            )
        case "string":
            return _strings(shape)
        case "integer" | "long":
            low, high = shape.metadata.get("min", -(2**31)), shape.metadata.get("max", 2**31 - 1)
            return st.integers(low, high)
        case "float" | "double":
            low, high = shape.metadata.get("min", -1e6), shape.metadata.get("max", 1e6)
            return st.floats(low, high, allow_nan=False)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(max_size=20)
        case "timestamp":
            return st.integers(0, 4_000_000_000_000).map(lambda ms: _EPOCH + timedelta(milliseconds=ms))
    raise AssertionError(shape)


def _structure(draw: st.DrawFn, shape: Any, depth: int) -> dict[str, Any]:
    names = list(shape.required_members)
    optional = [name for name in shape.members if name not in names]
    if getattr(shape, "is_tagged_union", False):
        names = [draw(st.sampled_from(optional))]
    elif optional and depth < _DEEPEST:
        names += draw(st.lists(st.sampled_from(optional), unique=True, max_size=4 if depth == 0 else 2))
    return {name: draw(_member(shape.members[name], depth + 1)) for name in names}


def _member(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    in_header = shape.serialization.get("location") == "header" and shape.type_name == "string"
    return values(shape, depth).filter(str.isprintable) if in_header else values(shape, depth)


def _sizes(shape: Any) -> dict[str, int]:
    least = shape.metadata.get("min", 0)
    return {"min_size": least, "max_size": max(least, min(shape.metadata.get("max", 2), least + 2))}


def _strings(shape: Any) -> st.SearchStrategy[str]:
    if shape.metadata.get("enum"):
        return st.sampled_from(shape.metadata["enum"])
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 30)
    free = st.text(
        st.characters(min_codepoint=33, max_codepoint=126), min_size=least, max_size=min(most, least + 20)
    )
    pattern = shape.metadata.get("pattern", ".*")
    if pattern in (".*", ".+", r"[\S]+") or r"\p{" in pattern or r"\uD800" in pattern:
        made = free
    else:
        made = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)
    return made.filter(lambda value: all(rule.holds(value) for rule in rules(shape)))


@pytest.fixture(scope="session")
def values_of() -> Callable[[Any], st.SearchStrategy[Any]]:
    return values
