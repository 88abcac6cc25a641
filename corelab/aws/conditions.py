"""The Condition element of IAM policies. Source of the operators: IAM user guide, condition operators."""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import translate
from typing import Any

Context = Mapping[str, str | list[str]]
_Test = Callable[[str, str], bool]  # (value of the request, value of the policy)


def holds(conditions: Mapping[str, Any], context: Context) -> bool:
    """Whether every operator holds for every key it names. An operator nobody knows never does."""
    known = {key.lower(): value if isinstance(value, list) else [value] for key, value in context.items()}
    return all(
        _holds(name, known.get(str(key).lower()), [str(value) for value in _as_list(wanted)])
        for name, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(name: str, actual: list[str] | None, wanted: Sequence[str]) -> bool:
    quantifier, _, name = name.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (actual is None) is (wanted[0].lower() == "true")
    if name not in _TESTS:
        return False
    test, negated = _TESTS[name]
    if actual is None:
        return if_exists or negated or quantifier == "ForAllValues"
    found = [any(_safely(test, value, text) for text in wanted) is not negated for value in actual]
    return any(found) if quantifier == "ForAnyValue" else all(found)


def _safely(test: _Test, value: str, text: str) -> bool:
    try:
        return test(value, text)
    except ValueError:  # a number, date or address that is none
        return False


def _like(value: str, text: str) -> bool:
    # IAM knows * and ? only; fnmatch would read brackets as sets.
    return re.match(translate(re.sub(r"([\[\]])", r"[\1]", text)), value) is not None


def _number(compare: Callable[[float, float], bool]) -> _Test:
    return lambda value, text: compare(float(value), float(text))


def _moment(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(compare: Callable[[datetime, datetime], bool]) -> _Test:
    return lambda value, text: compare(_moment(value), _moment(text))


def _in_network(value: str, text: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(text, strict=False)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [str(value).lower() if isinstance(value, bool) else value]


_EQUAL: dict[str, _Test] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": lambda value, text: value.lower() == text.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "NumericEquals": _number(operator.eq),
    "DateEquals": _date(operator.eq),
    "IpAddress": _in_network,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}
_TESTS: dict[str, tuple[_Test, bool]] = {
    **{name: (test, False) for name, test in _EQUAL.items()},
    **{name: (_EQUAL[positive], True) for name, positive in _NEGATED.items()},
    **{f"Numeric{name}": (_number(compare), False) for name, compare in _ORDER.items()},
    **{f"Date{name}": (_date(compare), False) for name, compare in _ORDER.items()},
    "Bool": (lambda value, text: value.lower() == text.lower(), False),
}
