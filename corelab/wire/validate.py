"""A request against the model's constraints: every violation at once, in AWS's words (Service spec 1.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import regex
from botocore.model import ListShape, MapShape, Shape, StructureShape

from corelab.errors import AWSError
from corelab.wire.model import Operation

_NOT_NULL = "Member must not be null"
_JAVA_INTEGER = (-(2**31), 2**31 - 1)
_CONTAINERS = ("structure", "list", "map")
# All violations are counted; the text shows this many, and this much of each value, whatever a client sends.
_SHOWN_CLAUSES = 100
_SHOWN_CHARACTERS = 8192
_REGEX_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint of a shape: AWS's text for it, and the test a value must pass."""

    text: str
    holds: Callable[[Any], bool]


def validate(operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
    """Return ``params`` when they keep the model's constraints.

    Unknown members and members that are None count as absent. Raises one AWSError that lists every
    violation: ValidationException, or ValidationError for the services that model that one.
    """
    shape = operation.model.input_shape
    if shape is None:
        return params
    # InvokeEndpoint's body is bounded by the endpoint's kind, not by the model (Service spec 8.2, 8.3).
    payload = shape.serialization.get("payload")
    clauses = list(_structure_violations(shape, params, "", skip=payload))
    if clauses:
        raise AWSError(_error_code(operation), _message(clauses))
    return params


def _message(clauses: list[str]) -> str:
    plural = "" if len(clauses) == 1 else "s"
    return f"{len(clauses)} validation error{plural} detected: " + "; ".join(clauses[:_SHOWN_CLAUSES])


def _error_code(operation: Operation) -> str:
    modelled = {shape.name for shape in operation.model.error_shapes}
    return "ValidationError" if "ValidationError" in modelled else "ValidationException"


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    for rule in rules(shape):
        if not rule.holds(value):
            yield _clause(shape, value, path, rule.text)
    match shape.type_name:
        case "structure":
            yield from _structure_violations(shape, value, path)
        case "list":
            yield from _list_violations(shape, value, path)
        case "map":
            yield from _map_violations(shape, value, path)


def _structure_violations(
    shape: StructureShape, value: Mapping[str, Any], path: str, skip: str | None = None
) -> Iterator[str]:
    for name, member in shape.members.items():
        item = value.get(name)
        if item is not None:
            if name != skip:
                yield from _violations(member, item, _join(path, name))
        elif name in shape.required_members:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: {_NOT_NULL}"


def _list_violations(shape: ListShape, value: list[Any], path: str) -> Iterator[str]:
    item_shape = shape.member
    if item_shape.type_name not in _CONTAINERS:
        yield from _item_violations(shape, item_shape, value, value, path, "Member")
        return
    for position, item in enumerate(value, start=1):
        yield from _nested_violations(item_shape, item, f"{path}.{position}.member")


def _map_violations(shape: MapShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _item_violations(shape, shape.key, value, value.keys(), path, "Map keys")
    if shape.value.type_name not in _CONTAINERS:
        yield from _item_violations(shape, shape.value, value, value.values(), path, "Map value")
        return
    for key, item in value.items():
        yield from _nested_violations(shape.value, item, f"{path}.{key}.member")


def _nested_violations(shape: Shape, item: Any, path: str) -> Iterator[str]:
    if item is None:
        yield f"Value null at '{path}' failed to satisfy constraint: {_NOT_NULL}"
    else:
        yield from _violations(shape, item, path)


def _item_violations(
    holder: Shape, shape: Shape, whole: Any, items: Any, path: str, role: str
) -> Iterator[str]:
    """AWS judges a container's scalars together: one clause, the whole value and all constraints in it."""
    checks = rules(shape)
    missing = any(item is None for item in items)
    if missing or (checks and not all(rule.holds(item) for item in items for rule in checks)):
        texts = [rule.text for rule in checks] + [_NOT_NULL] * missing
        yield _clause(holder, whole, path, f"{role} must satisfy constraint: [{', '.join(texts)}]")


def _clause(shape: Shape, value: Any, path: str, text: str) -> str:
    shown = "Value" if _is_sensitive(shape) else f"Value '{_java_text(shape, value)}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {text}"


def _is_sensitive(shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive"))


def _join(path: str, name: str) -> str:
    segment = name[0].lower() + name[1:]
    return f"{path}.{segment}" if path else segment


def _java_text(shape: Shape, value: Any) -> str:
    text = "".join(islice(_java_pieces(shape, value), _SHOWN_CHARACTERS))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _java_pieces(shape: Shape, value: Any) -> Iterator[str]:
    """A value as Java prints it: ``[a, b]``, ``{k=v}``, ``Tag(key=a, value=b)``; piecemeal, to stop early."""
    if value is None:
        yield "null"
    elif shape.type_name == "list":
        yield from _bracketed("[", "]", (("", shape.member, item) for item in value))
    elif shape.type_name == "map":
        yield from _bracketed("{", "}", ((f"{key}=", shape.value, item) for key, item in value.items()))
    elif shape.type_name == "structure":
        members = ((f"{_join('', k)}=", v, value[k]) for k, v in shape.members.items() if k in value)
        yield from _bracketed(f"{shape.name}(", ")", members)
    else:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def _bracketed(opening: str, closing: str, entries: Iterator[tuple[str, Shape, Any]]) -> Iterator[str]:
    yield opening
    for position, (label, shape, item) in enumerate(entries):
        yield f"{', ' if position else ''}{label}"
        yield from ["***"] if _is_sensitive(shape) else _java_pieces(shape, item)
    yield closing


# Shapes live as long as their model, so caching by the shape itself costs nothing more.
@cache
def rules(shape: Shape) -> tuple[Rule, ...]:
    """The constraints on one value of this shape, its members' own not included."""
    match shape.type_name:
        case "string":
            return (*_length_rules(shape), *_pattern_rules(shape), *_enum_rules(shape))
        case "list" | "map" | "blob":
            return _length_rules(shape)
        case "integer" | "long" | "float" | "double":
            return _range_rules(shape)
    return ()


def _length_rules(shape: Shape) -> tuple[Rule, ...]:
    made = []
    if (most := shape.metadata.get("max")) is not None:
        made.append(Rule(f"Member must have length less than or equal to {most}", lambda v: len(v) <= most))
    if (least := shape.metadata.get("min")) is not None:
        text = f"Member must have length greater than or equal to {least}"
        made.append(Rule(text, lambda v: len(v) >= least))
    return tuple(made)


def _range_rules(shape: Shape) -> tuple[Rule, ...]:
    made = []
    low, high = _JAVA_INTEGER if shape.type_name == "integer" else (None, None)
    if (most := shape.metadata.get("max", high)) is not None:
        made.append(Rule(f"Member must have value less than or equal to {most}", lambda v: v <= most))
    if (least := shape.metadata.get("min", low)) is not None:
        made.append(Rule(f"Member must have value greater than or equal to {least}", lambda v: v >= least))
    return tuple(made)


def _pattern_rules(shape: Shape) -> tuple[Rule, ...]:
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return ()
    text = f"Member must satisfy regular expression pattern: {pattern}"
    return (Rule(text, lambda value: _matches(pattern, value)),)


def _enum_rules(shape: Shape) -> tuple[Rule, ...]:
    allowed = shape.metadata.get("enum")
    if not allowed:
        return ()
    text = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    return (Rule(text, frozenset(allowed).__contains__),)


def _matches(pattern: str, value: str) -> bool:
    try:
        return compiled(pattern).fullmatch(value, timeout=_REGEX_SECONDS) is not None
    except TimeoutError:
        return False


@cache
def compiled(pattern: str) -> regex.Pattern[str]:
    """One of the model's Java patterns for whole-string matching with ``fullmatch``."""
    # Java writes characters beyond U+FFFF as surrogate pairs, and ends a string with \z.
    pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF").replace(r"\z", r"\Z")
    # Java's \d and \p{Print} are ASCII, its categories such as \p{L} are not; no pattern mixes them.
    categories = regex.search(r"\\p\{[LMNPSZ]\}", pattern) is not None
    # WORD makes the dot stop at \r and the other line ends as Java's does.
    return regex.compile(pattern, regex.WORD | (regex.UNICODE if categories else regex.ASCII))
