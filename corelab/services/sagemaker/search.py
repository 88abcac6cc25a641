"""Search and GetSearchSuggestions over everything that Describe can show."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from corelab.errors import validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record
from corelab.resources.states import Kind
from corelab.services.sagemaker import endpoints, models, training, tuning
from corelab.services.sagemaker.listing import place, token
from corelab.services.sagemaker.tags import as_list

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Searchable:
    kind: Kind
    describe: Callable[[Record], Document]


RESOURCES = {
    "TrainingJob": _Searchable(Kind.TRAINING_JOB, training.described),
    "HyperParameterTuningJob": _Searchable(Kind.TUNING_JOB, tuning.described),
    "Model": _Searchable(Kind.MODEL, models.described),
    "Endpoint": _Searchable(Kind.ENDPOINT, endpoints.described),
}

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def search(cloud: Cloud, request: Mapping[str, Any]) -> Document:
    """Last changed first unless asked otherwise. Source: Service spec 3."""
    searchable = _searchable(request["Resource"])
    size, key = request.get("MaxResults", 10), request.get("SortBy", "LastModifiedTime")
    expression = request.get("SearchExpression", {})
    found = [
        document
        for record in cloud.registry.find(searchable.kind, cloud.region)
        if _fits(document := _document(cloud, searchable, record), expression)
    ]
    found.sort(
        key=lambda d: _sortable(d, key), reverse=request.get("SortOrder", "Descending") == "Descending"
    )
    start = _start(request.get("NextToken"))
    page, rest = found[start : start + size], found[start + size :]
    return {
        "Results": [{request["Resource"]: document} for document in page],
        "NextToken": token((start + size, "")) if rest else None,
        "TotalHits": {"Value": len(found), "Relation": "EqualTo"},
    }


def get_search_suggestions(cloud: Cloud, request: Mapping[str, Any]) -> Document:
    """Property names that begin with the hint and occur in this account's resources."""
    searchable = _searchable(request["Resource"])
    hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "")
    names = {
        path
        for record in cloud.registry.find(searchable.kind, cloud.region)
        for path in _paths(_document(cloud, searchable, record))
    }
    suggestions = sorted(name for name in names if name.lower().startswith(hint.lower()))
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in suggestions[:100]]}


def _searchable(resource: str) -> _Searchable:
    if resource not in RESOURCES:
        served = ", ".join(RESOURCES)
        raise validation_error(f"The local SageMaker searches {served}; {resource} is not served.")
    return RESOURCES[resource]


def _document(cloud: Cloud, searchable: _Searchable, record: Record) -> Document:
    return {**searchable.describe(record), "Tags": as_list(cloud.registry.tags(record.arn))}


def _start(text: str | None) -> int:
    value = 0 if text is None else place(text)[0]
    if not isinstance(value, int) or value < 0:
        raise validation_error("The NextToken is not valid: pass on the token of the page before.")
    return value


def _fits(document: Document, expression: Mapping[str, Any]) -> bool:
    results = [
        *(_passes(document, test) for test in expression.get("Filters", ())),
        *(_nested(document, test) for test in expression.get("NestedFilters", ())),
        *(_fits(document, inner) for inner in expression.get("SubExpressions", ())),
    ]
    if not results:
        return True
    return any(results) if expression.get("Operator", "And") == "Or" else all(results)


def _nested(document: Document, test: Mapping[str, Any]) -> bool:
    """All filters must hold of one and the same member of the nested list."""
    prefix = test["NestedPropertyName"]
    inner = [{**f, "Name": f["Name"].removeprefix(f"{prefix}.")} for f in test["Filters"]]
    return any(
        isinstance(member, dict) and all(_passes(member, f) for f in inner)
        for value in _values(document, prefix)
        for member in (value if isinstance(value, list) else [value])
    )


def _passes(document: Document, test: Mapping[str, Any]) -> bool:
    verb, wanted = test.get("Operator", "Equals"), test.get("Value", "")
    values = [v for v in _values(document, test["Name"]) if not isinstance(v, dict | list)]
    if verb == "Exists":
        return bool(values)
    if verb == "NotExists":
        return not values
    if verb == "NotEquals":
        return not any(_text(v) == wanted for v in values)
    return any(_holds(verb, value, wanted) for value in values)


def _holds(verb: str, value: Any, wanted: str) -> bool:
    if verb == "Contains":
        return wanted.lower() in _text(value).lower()
    if verb == "In":
        return _text(value) in wanted.split(",")
    if verb == "Equals":
        return _text(value) == wanted or _numbers(value, wanted, operator.eq)
    return _numbers(value, wanted, _COMPARE[verb])


def _numbers(value: Any, wanted: str, compare: Callable[[Any, Any], bool]) -> bool:
    left, right = _number(value), _number(wanted)
    return left is not None and right is not None and compare(left, right)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, TypeError):
        return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(document: Any, path: str) -> Iterator[Any]:
    """What a property name stands for; lists are looked through, Tags and Metrics go by their name."""
    head, _, rest = path.partition(".")
    if path.startswith("Tags."):
        yield from (tag["Value"] for tag in document.get("Tags", ()) if tag["Key"] == rest)
    elif path.startswith("Metrics."):
        yield from (m["Value"] for m in document.get("FinalMetricDataList", ()) if m["MetricName"] == rest)
    elif isinstance(document, list):
        for member in document:
            yield from _values(member, path)
    elif isinstance(document, dict):
        if path in document:  # hyperparameter names may hold dots themselves
            yield document[path]
        elif rest and head in document:
            yield from _values(document[head], rest)


def _paths(document: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(document, list):
        for member in document:
            yield from _paths(member, prefix)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from _paths(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix


def _sortable(document: Document, key: str) -> tuple[bool, bool, Any]:
    value = next(_values(document, key), None)
    number = None if value is None else _number(value)
    return value is not None, number is not None, number if number is not None else _text(value)
