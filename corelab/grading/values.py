"""Plain data across the wall: numbers, text, containers, arrays, tables and SDK shapes; never a pickle.

encode() runs beside the student's code and is believed in nothing but its data. decode() runs in the judge:
it builds plain values only, counts what it builds, and turns all else into a Handle, which can be called and
asked for attributes by value.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import decimal
import io
import pathlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

LARGEST_ARRAY: Final = 64 << 20
MOST_NODES: Final = 3_000_000
DEEPEST: Final = 60
_SHAPES: Final = "sagemaker_core.main.shapes"

Keep = Callable[[Any], int]
"""Stores an object that cannot cross and returns the number it is asked for by."""


class NotPlain(Exception):
    """Something that is no plain value, or no honest encoding of one."""


def encode(value: Any, keep: Keep | None = None, depth: int = 0) -> Any:
    """A value as JSON. What is not plain is kept and becomes a handle; without ``keep`` it is refused.

    Raises:
        NotPlain: too deep, too large, or not plain and nowhere to keep it.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return _simple(value)
    if depth > DEEPEST:
        raise NotPlain("nested too deeply")
    for kind, encoder in _ENCODERS:
        if isinstance(value, kind):
            try:
                return encoder(value, keep, depth + 1)
            except NotPlain:
                if keep is None:
                    raise
                break
    if _is_shape(type(value)):
        return _shape(value, keep, depth + 1)
    if isinstance(value, Handle):
        return {"t": "handle", "id": object.__getattribute__(value, "_number")}
    if keep is None:
        raise NotPlain(f"a {type(value).__name__} cannot cross")
    return {"t": "handle", "id": keep(value), "type": type(value).__name__, "callable": callable(value)}


def _simple(value: Any) -> Any:
    """The value itself, without what a subclass may have added."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return value if kind is bool else str.__str__(value) if kind is str else kind(value)
    return value


def _sequence(tag: str) -> Callable[[Any, Keep | None, int], Any]:
    def encoder(value: Any, keep: Keep | None, depth: int) -> Any:
        return {"t": tag, "v": [encode(item, keep, depth) for item in value]}

    return encoder


def _list(value: Any, keep: Keep | None, depth: int) -> Any:
    return [encode(item, keep, depth) for item in list(value)]


def _dict(value: Mapping[Any, Any], keep: Keep | None, depth: int) -> Any:
    return {"t": "dict", "v": [[encode(k, keep, depth), encode(v, keep, depth)] for k, v in value.items()]}


def _text(tag: str, write: Callable[[Any], str]) -> Callable[[Any, Keep | None, int], Any]:
    return lambda value, _keep, _depth: {"t": tag, "v": write(value)}


def _array(value: Any, keep: Keep | None, depth: int) -> Any:
    if value.dtype.hasobject:
        return {"t": "objects", "v": _list(value.tolist(), keep, depth)}
    if value.nbytes > LARGEST_ARRAY:
        raise NotPlain(f"an array of {value.nbytes:,} bytes")
    stream = io.BytesIO()
    np.save(stream, np.asarray(value), allow_pickle=False)
    return {"t": "array", "v": base64.b64encode(stream.getvalue()).decode()}


def _column(values: Any, keep: Keep | None, depth: int) -> Any:
    array = values.to_numpy()
    plain = isinstance(values.dtype, np.dtype) and not array.dtype.hasobject
    return _array(array, keep, depth) if plain else _array(array.astype(object), keep, depth)


def _frame(value: pd.DataFrame, keep: Keep | None, depth: int) -> Any:
    if isinstance(value.columns, pd.MultiIndex) or isinstance(value.index, pd.MultiIndex):
        raise NotPlain("a table with several index levels")
    columns = [_column(value.iloc[:, number], keep, depth) for number in range(value.shape[1])]
    names = _list(value.columns.tolist(), keep, depth)
    return {"t": "frame", "names": names, "index": _column(value.index, keep, depth), "v": columns}


def _series(value: pd.Series, keep: Keep | None, depth: int) -> Any:
    if isinstance(value.index, pd.MultiIndex):
        raise NotPlain("a series with several index levels")
    index = _column(value.index, keep, depth)
    return {
        "t": "series",
        "name": encode(value.name, keep, depth),
        "index": index,
        "v": _column(value, keep, depth),
    }


def _index(value: pd.Index, keep: Keep | None, depth: int) -> Any:
    return {"t": "index", "v": _column(value, keep, depth)}


def _scalar(value: np.generic, keep: Keep | None, depth: int) -> Any:
    item = value.item()
    if isinstance(item, np.generic):
        raise NotPlain(f"a {value.dtype} scalar")
    return encode(item, keep, depth)


_ENCODERS: Final[list[tuple[Any, Callable[[Any, Keep | None, int], Any]]]] = [
    (list, _list),
    (dict, _dict),
    (tuple, _sequence("tuple")),
    (frozenset | set, _sequence("set")),
    (bytes | bytearray, _text("bytes", lambda value: base64.b64encode(value).decode())),
    (np.ndarray, _array),
    (pd.DataFrame, _frame),
    (pd.Series, _series),
    (pd.Index, _index),
    (dt.datetime, _text("datetime", lambda value: value.isoformat())),
    (dt.date, _text("date", lambda value: value.isoformat())),
    (dt.timedelta, _text("seconds", lambda value: repr(value.total_seconds()))),
    (decimal.Decimal, _text("decimal", str)),
    (pathlib.PurePath, _text("path", str)),
    (np.generic, _scalar),
]


def _is_shape(kind: type) -> bool:
    module = sys.modules.get(_SHAPES)
    return module is not None and getattr(module, kind.__name__, None) is kind and kind.__module__ == _SHAPES


def _shape(value: Any, keep: Keep | None, depth: int) -> Any:
    fields = {
        name: encode(item, keep, depth)
        for name, item in vars(value).items()
        if type(item).__name__ != "Unassigned"
    }
    return {"t": "shape", "type": type(value).__name__, "v": fields}


class Handle:
    """Something that stayed with the student: it can be called and asked, and answers by value."""

    def __init__(self, number: int, kind: str, ask: Callable[[dict[str, Any]], Any]) -> None:
        self._number = number
        self._kind = kind
        self._ask = ask

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request = {"args": [encode(arg) for arg in args], "kwargs": {k: encode(v) for k, v in kwargs.items()}}
        return self._ask({"do": "call", "id": self._number, **request})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask({"do": "get", "id": self._number, "name": name})

    def __repr__(self) -> str:
        return f"<a {self._kind}>"


class Decoder:
    """Builds plain values from what came over the wall; one for each message.

    Args:
        ask: sends a request to the student's side and returns the decoded answer.
    """

    def __init__(self, ask: Callable[[dict[str, Any]], Any]) -> None:
        self._ask = ask
        self._nodes = 0

    def decode(self, item: Any, depth: int = 0) -> Any:
        """The value. Raises NotPlain for anything that encode() would not have written."""
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > DEEPEST:
            raise NotPlain("too large or too deep")
        if item is None or isinstance(item, bool | int | float | str):
            return item
        if isinstance(item, list):
            return [self.decode(entry, depth + 1) for entry in item]
        try:
            build = self._BUILDERS[item["t"]]
            return build(self, item, depth + 1)
        except NotPlain:
            raise
        except Exception as problem:  # noqa: BLE001 - numpy, pandas and pydantic each raise their own kinds on bad input
            raise NotPlain(f"{type(problem).__name__}: {str(problem)[:200]}") from None

    def _items(self, item: dict[str, Any], depth: int) -> list[Any]:
        if not isinstance(item["v"], list):
            raise NotPlain("no list of items")
        return [self.decode(entry, depth) for entry in item["v"]]

    def _dict(self, item: dict[str, Any], depth: int) -> dict[Any, Any]:
        return {self.decode(key, depth): self.decode(value, depth) for key, value in item["v"]}

    def _bytes(self, item: dict[str, Any], _depth: int) -> bytes:
        try:
            return base64.b64decode(item["v"], validate=True)
        except binascii.Error as problem:
            raise NotPlain(str(problem)) from None

    def _array(self, item: dict[str, Any], depth: int) -> Any:
        content = self._bytes(item, depth)
        stream = io.BytesIO(content)
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise NotPlain("an unknown kind of array file")
        read_header = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
        shape, _, dtype = read_header(stream)
        size = int(np.prod([int(length) for length in shape], dtype=object)) * dtype.itemsize
        # The header may claim any shape: nothing is allocated that did not come along.
        if dtype.hasobject or size != len(content) - stream.tell():
            raise NotPlain("an array whose header and content differ")
        stream.seek(0)
        return np.load(stream, allow_pickle=False)

    def _objects(self, item: dict[str, Any], depth: int) -> Any:
        values = self._items(item, depth)
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array

    def _frame(self, item: dict[str, Any], depth: int) -> pd.DataFrame:
        index = self.decode(item["index"], depth)
        columns = [pd.Series(values, index=index) for values in self._items(item, depth)]
        names = [self.decode(name, depth) for name in item["names"]]
        table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
        table.columns = pd.Index(names)
        return table

    def _series(self, item: dict[str, Any], depth: int) -> pd.Series:
        values, index = self.decode(item["v"], depth), self.decode(item["index"], depth)
        return pd.Series(values, index=index, name=self.decode(item["name"], depth))

    def _shape(self, item: dict[str, Any], depth: int) -> Any:
        import importlib

        from pydantic import BaseModel

        kind = getattr(importlib.import_module(_SHAPES), str(item["type"]), None)
        if not (isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__ == _SHAPES):
            raise NotPlain(f"no shape {item['type']!r}")
        return kind(**{str(name): self.decode(value, depth) for name, value in item["v"].items()})

    def _handle(self, item: dict[str, Any], _depth: int) -> Handle:
        if not isinstance(item["id"], int):
            raise NotPlain("no handle")
        return Handle(item["id"], str(item.get("type", "object"))[:60], self._ask)

    _BUILDERS: Final[dict[str, Callable[[Decoder, dict[str, Any], int], Any]]] = {
        "dict": _dict,
        "tuple": lambda self, item, depth: tuple(self._items(item, depth)),
        "set": lambda self, item, depth: set(self._items(item, depth)),
        "bytes": _bytes,
        "array": _array,
        "objects": _objects,
        "frame": _frame,
        "series": _series,
        "index": lambda self, item, depth: pd.Index(self.decode(item["v"], depth)),
        "datetime": lambda _self, item, _depth: dt.datetime.fromisoformat(item["v"]),
        "date": lambda _self, item, _depth: dt.date.fromisoformat(item["v"]),
        "seconds": lambda _self, item, _depth: dt.timedelta(seconds=float(item["v"])),
        "decimal": lambda _self, item, _depth: decimal.Decimal(item["v"]),
        "path": lambda _self, item, _depth: pathlib.PurePosixPath(item["v"]),
        "shape": _shape,
        "handle": _handle,
    }
