"""Answers as RecordIO-protobuf: Amazon's record format, labels as float32 tensors.

record = magic (4) | length (4) | protobuf Record | padding to 4
Record.label (2): map<string, Value>   Value.float32_tensor (2)   Float32Tensor.values (1, packed)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from corelab.engine.xgb.recordio import MAGIC


def encode_records(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One record a row; each value a number or a list of numbers."""
    return b"".join(_framed(_record(row)) for row in rows)


def _framed(record: bytes) -> bytes:
    return struct.pack("<II", MAGIC, len(record)) + record + b"\0" * (-len(record) % 4)


def _record(row: Mapping[str, Any]) -> bytes:
    return b"".join(
        _field(2, _field(1, key.encode()) + _field(2, _value(value))) for key, value in row.items()
    )


def _value(value: Any) -> bytes:
    numbers = value if isinstance(value, list) else [value]
    return _field(2, _field(1, struct.pack(f"<{len(numbers)}f", *numbers)))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
