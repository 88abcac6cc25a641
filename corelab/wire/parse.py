"""From an HTTP request to its operation and parameters, as botocore's serializers would have written them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote

from botocore.model import Shape, StructureShape

from corelab.errors import AWSError
from corelab.wire.http import HttpRequest
from corelab.wire.model import (
    JSON_SERVICES,
    REST_SERVICES,
    Operation,
    operation,
    service_model,
    unknown_operation,
)
from corelab.wire.values import read, read_text, serialization_error

MAX_JSON_BYTES = 4 << 20  # a CreateTrainingJob with every list and map full is under 1 MB
MAX_JSON_DEPTH = 64


def service_and_operation(request: HttpRequest) -> Operation:
    """The operation a request names by its X-Amz-Target, or else by its path (Service spec 1.1).

    Raises AWSError UnknownOperationException: 400 for a target, 404 for a path.
    """
    target = request.headers.get("x-amz-target")
    if target is None:
        return _operation_at(request.method, request.path)
    prefix, _, name = target.partition(".")
    if prefix not in JSON_SERVICES or request.method != "POST":
        raise unknown_operation(f"No service here answers {request.method} with the target {target!r}.")
    return operation(JSON_SERVICES[prefix], name)


def parse(operation: Operation, request: HttpRequest) -> dict[str, Any]:
    """The request's parameters by the operation's input shape; unknown and null members are dropped.

    Raises AWSError: SerializationException for a body that is malformed or of other types,
    RequestEntityTooLargeException (413) for JSON over MAX_JSON_BYTES.
    """
    shape = operation.model.input_shape
    if shape is None:
        return {}
    if not operation.speaks_json_rpc:
        return _parse_rest(operation, shape, request)
    params: dict[str, Any] = read(shape, _json(request.body))
    return params


@dataclass(frozen=True, slots=True)
class _Route:
    operation: Operation
    method: str
    path: re.Pattern[str]


def _operation_at(method: str, path: str) -> Operation:
    for route in _routes():
        if route.method == method and route.path.fullmatch(path):
            return route.operation
    raise unknown_operation(f"No service here answers {method} {path}.", status=404)


@cache
def _routes() -> tuple[_Route, ...]:
    return tuple(
        _Route(found, found.model.http["method"], _path_pattern(found.model.http["requestUri"]))
        for service in REST_SERVICES
        for found in (operation(service, name) for name in service_model(service).operation_names)
    )


@cache
def _path_pattern(template: str) -> re.Pattern[str]:
    """``/endpoints/{EndpointName}/invocations`` with each label a named group of one path segment."""
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{p}>[^/]+)" if i % 2 else re.escape(p) for i, p in enumerate(parts)))


def _parse_rest(operation: Operation, shape: StructureShape, request: HttpRequest) -> dict[str, Any]:
    texts = _texts(operation, shape, request)
    params = {name: read_text(member, text) for name, member, text in texts if text is not None}
    payload = shape.serialization.get("payload")
    if payload is not None and shape.members[payload].type_name == "blob":
        given = request.body or payload in shape.required_members
        return params | ({payload: request.body} if given else {})
    body = _json(request.body)
    if payload is not None:
        return params | {payload: read(shape.members[payload], body)}
    if isinstance(body, dict):
        located = {name for name, member in shape.members.items() if "location" in member.serialization}
        body = {name: value for name, value in body.items() if name not in located}
    params.update(read(shape, body))
    return params


def _texts(
    operation: Operation, shape: StructureShape, request: HttpRequest
) -> Iterator[tuple[str, Shape, str | None]]:
    """What the path, the query and the headers say for each member that lives there."""
    path = _path_pattern(operation.model.http["requestUri"]).fullmatch(request.path)
    labels: Mapping[str, str] = path.groupdict() if path else {}
    query = parse_qs(request.query, keep_blank_values=True) if request.query else {}
    for name, member in shape.members.items():
        key = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                yield name, member, unquote(labels[key]) if key in labels else None
            case "querystring":
                yield name, member, query.get(key, [None])[0]
            case "header":
                yield name, member, request.headers.get(key.lower())


def _json(body: bytes) -> Any:
    if not body:
        return {}
    if len(body) > MAX_JSON_BYTES:
        text = f"The request body has {len(body)} bytes; at most {MAX_JSON_BYTES} are read."
        raise AWSError("RequestEntityTooLargeException", text, 413)
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant)
    # A ValueError also stands for bytes that are no UTF-8 and for numbers of thousands of digits.
    except (ValueError, RecursionError) as error:
        raise serialization_error("The request body is not valid JSON in UTF-8.") from error
    if body.count(b"[") + body.count(b"{") > MAX_JSON_DEPTH and _depth(value) > MAX_JSON_DEPTH:
        raise serialization_error(f"The request body is nested deeper than {MAX_JSON_DEPTH} levels.")
    return value


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _depth(value: Any) -> int:
    """How deep lists and objects are nested, level by level so that no input exhausts the stack."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth
