"""RecordIO files of protobuf records, the form in which SageMaker's own algorithms exchange rows.

file:    (magic, kind and length, payload, padding to 4 bytes)*
payload: Record { map<string, Value> features = 1;  map<string, Value> label = 2; }
Value:   float32_tensor = 2 | float64_tensor = 3 | int32_tensor = 7 | bytes = 9
tensor:  values = 1;  keys = 2 (sparse: where each value belongs);  shape = 3
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

MAGIC = 0xCED7230A
_LENGTH_BITS = 29
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FEATURES, _LABEL = 1, 2
_TENSORS = {2: "<f4", 3: "<f8", 7: "int32"}
_MAX_VARINT_BYTES = 10

Values = npt.NDArray[np.float64 | np.float32 | np.int32]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A row's values; ``keys`` are their columns when the row is sparse, ``width`` its declared length."""

    values: Values
    keys: npt.NDArray[np.uint64] | None = None
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the tensors named ``values`` of its features and its label."""

    features: Tensor
    label: Tensor | None


def read_records(stream: BinaryIO) -> Iterator[Record]:
    """Decode every record of a stream.

    Raises:
        ValueError: bytes that are no RecordIO, no protobuf, or a record without numeric features.
    """
    for payload in _payloads(stream):
        yield _record(payload)


def _payloads(stream: BinaryIO) -> Iterator[bytes]:
    parts: list[bytes] = []
    while header := stream.read(8):
        kind, payload = _frame(header, stream)
        if kind in (_WHOLE, _FIRST) and parts:
            raise ValueError("RecordIO: a record starts before the last one ended")
        if kind in (_MIDDLE, _LAST) and not parts:
            raise ValueError("RecordIO: a record's end without its start")
        if kind == _WHOLE:
            yield payload
            continue
        parts.append(payload)
        if kind == _LAST:
            # A payload that holds the magic number is cut there, and the number left out.
            yield struct.pack("<I", MAGIC).join(parts)
            parts = []
    if parts:
        raise ValueError("RecordIO: the file ends inside a record")


def _frame(header: bytes, stream: BinaryIO) -> tuple[int, bytes]:
    if len(header) < 8:
        raise ValueError("RecordIO: the file ends inside a header")
    magic, word = struct.unpack("<II", header)
    if magic != MAGIC:
        raise ValueError(f"RecordIO: expected the magic number {MAGIC:#x}, got {magic:#x}")
    kind, length = word >> _LENGTH_BITS, word & ((1 << _LENGTH_BITS) - 1)
    if kind > _LAST:
        raise ValueError(f"RecordIO: unknown kind of record {kind}")
    payload = stream.read(length)
    if len(payload) < length:
        raise ValueError("RecordIO: the file ends inside a record")
    stream.read(-length % 4)
    return kind, payload


def _record(payload: bytes) -> Record:
    tensors: dict[int, Tensor] = {}
    for number, value in _fields(memoryview(payload)):
        if number in (_FEATURES, _LABEL) and isinstance(value, memoryview):
            key, tensor = _map_entry(value)
            if key == b"values" and tensor is not None:
                tensors[number] = tensor
    if _FEATURES not in tensors:
        raise ValueError("record without a numeric feature named 'values'")
    return Record(tensors[_FEATURES], tensors.get(_LABEL))


def _map_entry(entry: memoryview) -> tuple[bytes, Tensor | None]:
    key, tensor = b"", None
    for number, value in _fields(entry):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            key = bytes(value)
        elif number == 2:
            tensor = _value(value)
    return key, tensor


def _value(message: memoryview) -> Tensor | None:
    tensor = None
    for number, value in _fields(message):
        if number in _TENSORS and isinstance(value, memoryview):
            tensor = _tensor(value, _TENSORS[number])
    return tensor


def _tensor(message: memoryview, kind: str) -> Tensor:
    values, keys, shape = [], [], []
    for number, value in _fields(message):
        if number == 1:
            values.append(_numbers(value, kind))
        elif number == 2:
            keys.append(_varints(value))
        elif number == 3:
            shape.append(_varints(value))
    widths = np.concatenate(shape) if shape else np.empty(0, np.uint64)
    return Tensor(
        values=np.concatenate(values) if values else np.empty(0, np.float32),
        keys=np.concatenate(keys) if keys else None,
        width=int(widths[-1]) if len(widths) else None,
    )


def _numbers(value: memoryview | int, kind: str) -> Values:
    if kind == "int32":
        return _varints(value).astype(np.int64).astype(np.int32)
    if isinstance(value, int):
        raise ValueError("protobuf: a number of the wrong wire type in a tensor")
    if len(value) % np.dtype(kind).itemsize:
        raise ValueError("protobuf: a tensor ends inside a number")
    return np.frombuffer(value, kind)


def _varints(value: memoryview | int) -> npt.NDArray[np.uint64]:
    if isinstance(value, int):
        return np.array([value], np.uint64)
    numbers, position = [], 0
    while position < len(value):
        number, position = _varint(value, position)
        numbers.append(number)
    return np.array(numbers, np.uint64)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Field numbers with a varint's value or the bytes of anything else."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire == _BYTES:
            length, position = _varint(message, position)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"protobuf: unknown wire type {wire}")
        if position + length > len(message):
            raise ValueError("protobuf: the message ends inside a field")
        yield number, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    number = 0
    for index in range(_MAX_VARINT_BYTES):
        if position + index >= len(message):
            break
        byte = message[position + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, position + index + 1  # ten bytes hold more than 64 bits
    raise ValueError("protobuf: a number that does not end")
