"""Cutting an object into payloads of whole records."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal

from corelab.engine.batch.failures import ObjectFailed

Split = Literal["None", "Line", "RecordIO"]

_CHUNK = 1 << 20
_RECORDIO_MAGIC = 0xCED7230A
_UNLIMITED = 1 << 62


def blocks(source: BinaryIO, split: Split, limit: int, single: bool) -> Iterator[bytes]:
    """Yield the payloads of one object in order, each at most ``limit`` bytes of whole records.

    Args:
        limit: bytes; 0 is no limit.
        single: one record a payload instead of as many as fit.

    Raises:
        ObjectFailed: a record above the limit, or bytes that are no RecordIO.
    """
    return _SPLITTERS[split](source, limit or _UNLIMITED, single)


def _whole(source: BinaryIO, limit: int, single: bool) -> Iterator[bytes]:
    parts, size = [], 0
    while data := source.read(_CHUNK):
        size += len(data)
        if size > limit:
            raise _too_large()
        parts.append(data)
    if parts:
        yield b"".join(parts)


def _lines(source: BinaryIO, limit: int, single: bool) -> Iterator[bytes]:
    return _single_lines(source, limit) if single else _packed_lines(source, limit)


def _single_lines(source: BinaryIO, limit: int) -> Iterator[bytes]:
    while line := source.readline(limit + 2):
        record = line.removesuffix(b"\n")
        if len(record) > limit:
            raise _too_large()
        yield record


def _packed_lines(source: BinaryIO, limit: int) -> Iterator[bytes]:
    """The last line end of a payload is left out, as it is no part of a record."""
    waiting = bytearray()
    while data := source.read(_CHUNK):
        waiting += data
        while len(waiting) > limit + 1:
            yield _cut(waiting, limit)
    if waiting.endswith(b"\n"):
        del waiting[-1:]
        if not waiting:
            yield b""
    while len(waiting) > limit:
        yield _cut(waiting, limit)
    if waiting:
        yield bytes(waiting)


def _cut(waiting: bytearray, limit: int) -> bytes:
    end = waiting.rfind(b"\n", 0, limit + 1)
    if end < 0:
        raise _too_large()
    block = bytes(waiting[:end])
    del waiting[: end + 1]
    return block


def _recordio(source: BinaryIO, limit: int, single: bool) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for record in _recordio_records(source, limit):
        if parts and (single or size + len(record) > limit):
            yield b"".join(parts)
            parts, size = [], 0
        parts.append(record)
        size += len(record)
    if parts:
        yield b"".join(parts)


def _recordio_records(source: BinaryIO, limit: int) -> Iterator[bytes]:
    """Whole records, frames included; a record of several parts ends with its kind 3."""
    record = b""
    while header := source.read(8):
        magic, word = struct.unpack("<II", header) if len(header) == 8 else (0, 0)
        if magic != _RECORDIO_MAGIC:
            raise ObjectFailed("ClientError: 400", "", "Message:", "Failed to parse the object as RecordIO")
        length = word & (1 << 29) - 1
        padded = length + -length % 4
        if len(record) + 8 + padded > limit:
            raise _too_large()
        record += header + source.read(padded)
        if word >> 29 in (0, 3):
            yield record
            record = b""
    if record:
        raise ObjectFailed("ClientError: 400", "", "Message:", "The object ends inside a RecordIO record")


def _too_large() -> ObjectFailed:
    return ObjectFailed("Too much data for max payload size")


_SPLITTERS: dict[Split, Callable[[BinaryIO, int, bool], Iterator[bytes]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": _recordio,
}
