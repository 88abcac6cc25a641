"""Single values between JSON and the model's types: ``read`` takes JSON in, ``write`` gives JSON out.

A timestamp is a float of epoch seconds here, a blob is bytes, everything else is what JSON makes of it.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeGuard

from botocore.model import ListShape, MapShape, Shape, StructureShape

from corelab.errors import AWSError

Writer = Callable[[Any, Any], Any]

_TYPE_WORDS = {"integer": "an Integer", "long": "a Long", "float": "a Float", "double": "a Double"}
_SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LONG = range(-(2**63), 2**63)
# What datetime can hold: years 1 to 9999.
_EARLIEST, _LATEST = -62_135_596_800.0, 253_402_300_799.999


def serialization_error(message: str) -> AWSError:
    """AWS's answer to a body that is not what the model's types say; it comes before any validation."""
    return AWSError("SerializationException", message)


def read(shape: Shape, value: Any) -> Any:
    """One JSON value as the shape's type; members that are null or unknown are left out of structures.

    Raises AWSError SerializationException in the words AWS's JSON services use.
    """
    return _READERS[shape.type_name](shape, value)


def read_text(shape: Shape, text: str) -> Any:
    """One scalar from a path label, a query string or a header."""
    match shape.type_name:
        case "integer" | "long":
            return _read_integer(shape, _number(int, shape, text))
        case "float" | "double":
            return _number(float, shape, text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case kind:
            return _READERS[kind](shape, text)


def write(shape: Shape, value: Any) -> Any:
    """The JSON form of a value; what is None, empty by absence or unknown to the shape is left out."""
    return _writer(shape)(shape, value)


def write_text(shape: Shape, value: Any) -> str:
    """The header form of a scalar, safe to put on the wire: no control characters, Latin-1 only."""
    if shape.type_name == "boolean":
        return "true" if value else "false"
    text = str(value).encode("latin-1", "replace").decode("latin-1")
    return "".join(c if c.isprintable() or c == "\xa0" else " " for c in text)


def _read_structure(shape: StructureShape, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise serialization_error(_unexpected(value, "Expected null"))
    result = {}
    for name, member in shape.members.items():
        item = value.get(member.serialization.get("name", name))
        if item is not None:
            result[name] = read(member, item)
    return result


def _read_list(shape: ListShape, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise serialization_error(_unexpected(value, "Expected list or null"))
    return [None if item is None else read(shape.member, item) for item in value]


def _read_map(shape: MapShape, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise serialization_error(_unexpected(value, "Expected map or null"))
    return {
        read(shape.key, key): None if item is None else read(shape.value, item) for key, item in value.items()
    }


def _read_string(shape: Shape, value: Any) -> str:
    if not isinstance(value, str):
        raise _inconvertible(value, "a String")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise serialization_error("A string holds half of a surrogate pair, which is no text.") from error
    return value


def _read_integer(shape: Shape, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value not in _LONG:
        raise _inconvertible(value, _TYPE_WORDS[shape.type_name])
    return value


def _read_float(shape: Shape, value: Any) -> float:
    if isinstance(value, str) and value in _SPECIAL_FLOATS:
        return _SPECIAL_FLOATS[value]
    if not _is_number(value):
        raise _inconvertible(value, _TYPE_WORDS[shape.type_name])
    return float(_number(float, shape, value))


def _read_boolean(shape: Shape, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _inconvertible(value, "a Boolean")
    return value


def _read_timestamp(shape: Shape, value: Any) -> float:
    seconds = _epoch_of(value) if isinstance(value, str) else value
    if not _is_number(seconds) or not _EARLIEST <= seconds <= _LATEST:
        raise _inconvertible(value, "milliseconds since epoch")
    return float(seconds)


def _read_blob(shape: Shape, value: Any) -> bytes:
    try:
        return base64.b64decode(_read_string(shape, value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise serialization_error("A blob is not valid Base64.") from error


def _epoch_of(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(kind: Callable[[Any], Any], shape: Shape, value: Any) -> Any:
    try:
        return kind(value)
    except (ValueError, OverflowError) as error:
        raise _inconvertible(value, _TYPE_WORDS[shape.type_name]) from error


def _inconvertible(value: Any, target: str) -> AWSError:
    return serialization_error(_unexpected(value, f"{_token(value)} can not be converted to {target}"))


def _unexpected(value: Any, otherwise: str) -> str:
    if isinstance(value, list):
        return "Start of list found where not expected"
    if isinstance(value, dict):
        return "Start of structure or map found where not expected."
    return otherwise


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def _write_structure(shape: StructureShape, value: Mapping[str, Any]) -> dict[str, Any]:
    result = {}
    for name, wire_name, writer, member in _written_members(shape):
        item = value.get(name)
        if item is None:
            continue
        written = writer(member, item)
        # An empty structure where AWS leaves one out breaks the SDKs' models (Service spec 2.3).
        if writer is _write_structure and not written:
            continue
        result[wire_name] = written
    return result


@cache
def _written_members(shape: StructureShape) -> tuple[tuple[str, str, Writer, Shape], ...]:
    """Name, name on the wire, writer and shape of each member: looked up once, not for every answer."""
    return tuple(
        (name, member.serialization.get("name", name), _writer(member), member)
        for name, member in shape.members.items()
    )


def _writer(shape: Shape) -> Writer:
    return _WRITERS.get(shape.type_name, _same)


def _write_list(shape: ListShape, value: Any) -> list[Any]:
    writer, member = _writer(shape.member), shape.member
    return [writer(member, item) for item in value if item is not None]


def _write_map(shape: MapShape, value: Mapping[str, Any]) -> dict[str, Any]:
    writer, member = _writer(shape.value), shape.value
    return {key: writer(member, item) for key, item in value.items() if item is not None}


def _write_float(shape: Shape, value: float) -> float | str:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _write_timestamp(shape: Shape, value: float | datetime) -> float:
    # AWS answers in epoch seconds with millisecond fractions (Service spec 1.1).
    return round(value.timestamp() if isinstance(value, datetime) else value, 3)


def _write_blob(shape: Shape, value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _same(shape: Shape, value: Any) -> Any:
    return value


_READERS: dict[str, Callable[[Any, Any], Any]] = {
    "structure": _read_structure,
    "list": _read_list,
    "map": _read_map,
    "string": _read_string,
    "integer": _read_integer,
    "long": _read_integer,
    "float": _read_float,
    "double": _read_float,
    "boolean": _read_boolean,
    "timestamp": _read_timestamp,
    "blob": _read_blob,
}
_WRITERS: dict[str, Writer] = {
    "structure": _write_structure,
    "list": _write_list,
    "map": _write_map,
    "float": _write_float,
    "double": _write_float,
    "timestamp": _write_timestamp,
    "blob": _write_blob,
}
