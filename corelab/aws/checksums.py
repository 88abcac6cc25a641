"""S3's body checksums by name, fed piece by piece."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Protocol


class Checksum(Protocol):
    """A running checksum; ``digest`` is big-endian, as S3 encodes it."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _CRC32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class _ReflectedCRC:
    """A CRC for which Python has no fast routine; few clients ask for one, and then this is right, if slow."""

    def __init__(self, polynomial: int, width: int) -> None:
        self._table = _table(polynomial)
        self._ones = (1 << 8 * width) - 1
        self._width = width
        self._value = self._ones

    def update(self, data: bytes, /) -> None:
        table, value = self._table, self._value
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        return (self._value ^ self._ones).to_bytes(self._width, "big")


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    return tuple(table)


ALGORITHMS: dict[str, Callable[[], Checksum]] = {
    "CRC32": _CRC32,
    "CRC32C": lambda: _ReflectedCRC(0x82F63B78, 4),
    "CRC64NVME": lambda: _ReflectedCRC(0x9A6C9329AC4BC9B5, 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
}


def base64_digest(checksum: Checksum) -> str:
    """The checksum as S3's headers carry it."""
    return base64.b64encode(checksum.digest()).decode()


def checksum_of(pieces: Iterable[bytes], algorithm: str) -> str:
    """The base64 checksum of a body. Raises KeyError for an algorithm S3 does not have."""
    checksum = ALGORITHMS[algorithm]()
    for piece in pieces:
        checksum.update(piece)
    return base64_digest(checksum)
