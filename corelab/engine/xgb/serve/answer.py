"""Predictions as response bodies, by the Accept header (container spec 4.4 and 5)."""

from __future__ import annotations

import json
from functools import lru_cache

from corelab.engine.xgb.serve.scorer import Predictions

SUPPORTED_ACCEPTS = [
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
]


class UnacceptableType(ValueError):
    """The Accept header names nothing this container writes (406)."""


class NoEncoding(ValueError):
    """An accepted type that plain predictions cannot be written in (500)."""


@lru_cache(maxsize=64)
def accepted_type(accept: str | None, default: str) -> str:
    """The response's media type. Raises UnacceptableType."""
    name = (accept or "").partition(";")[0].strip()
    if not name or name == "*/*":
        return default
    if name.lower() not in SUPPORTED_ACCEPTS:
        raise UnacceptableType(
            f"Accept type {name} is not supported. Please use supported accept types: {SUPPORTED_ACCEPTS}."
        )
    return name.lower()


def encode_predictions(predictions: Predictions, accept: str) -> bytes:
    """Numbers are float32 values written as the shortest double. Raises NoEncoding."""
    rows = predictions.tolist()
    if accept == "text/csv":
        if predictions.ndim == 1:
            return _lines(rows)
        return "".join(",".join(map(repr, row)) + "\n" for row in rows).encode()
    if accept == "application/json":
        return json.dumps({"predictions": [{"score": row} for row in rows]}).encode()
    raise NoEncoding(accept)


def encode_batch(predictions: Predictions) -> bytes:
    """Batch transform's lines; several outputs of a row appear as a Python list, brackets included."""
    rows = predictions.tolist()
    return _lines(rows) if predictions.ndim == 1 else ("\n".join(map(str, rows)) + "\n").encode()


def _lines(numbers: list[float]) -> bytes:
    # One repr of the whole list is a third faster than one call a number.
    return (repr(numbers)[1:-1].replace(", ", "\n") + "\n").encode()


def content_type_of(accept: str) -> str:
    """The Content-Type header: the web framework adds a charset to text types."""
    return f"{accept}; charset=utf-8" if accept.startswith("text/") else accept
