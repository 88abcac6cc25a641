"""The bytes between the server and a model process: length-prefixed frames over one stream socket.

    request   length 4 | id 4 | verb 1 | content type length 2 | accept length 2 | content type | accept | body
    response  length 4 | id 4 | status 2 | content type length 2 | content type | body

Little-endian; a length counts what follows it. Header lengths are one more than the text, 0 for none. Answers
may come in any order. Neither side unpickles or evaluates what it reads.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from functools import lru_cache

from corelab.engine.serving_contract import InvocationRequest, InvocationResponse

MAX_FRAME_BYTES = 1 << 30  # more than any payload limit; a corrupt length must not become an allocation

_REQUEST = struct.Struct("<IIB")
_HEADERS = struct.Struct("<HH")
_RESPONSE = struct.Struct("<IIHH")
_LENGTH = struct.Struct("<I")
_LONGEST_HEADER = 8 << 10


class Verb(IntEnum):
    """What a request asks of the container."""

    INVOKE = 0  # POST /invocations
    PING = 1  # GET /ping
    EXECUTION_PARAMETERS = 2  # GET /execution-parameters


class CorruptFrame(ConnectionError):
    """The other side does not speak this protocol; the connection is of no more use."""


def request_head(number: int, verb: Verb, request: InvocationRequest) -> bytes:
    """All of a request's frame but the body, which follows as it is."""
    headers = _header_bytes(request.content_type, request.accept)
    length = _REQUEST.size - _LENGTH.size + len(headers) + len(request.body)
    return _REQUEST.pack(length, number, verb) + headers


def read_request(frame: bytes) -> tuple[int, int, InvocationRequest]:
    """The id, verb and request of a frame without its length."""
    number, verb = struct.unpack_from("<IB", frame)
    start = _REQUEST.size - _LENGTH.size
    content_type_length, accept_length = _HEADERS.unpack_from(frame, start)
    start += _HEADERS.size
    middle = start + max(content_type_length - 1, 0)
    end = middle + max(accept_length - 1, 0)
    content_type = frame[start:middle].decode("utf-8", "replace") if content_type_length else None
    accept = frame[middle:end].decode("utf-8", "replace") if accept_length else None
    return number, verb, InvocationRequest(frame[end:], content_type, accept)


def response_bytes(number: int, response: InvocationResponse) -> bytes:
    """A whole response frame."""
    status, content_type, body = response
    kind = content_type.encode()
    length = _RESPONSE.size - _LENGTH.size + len(kind) + len(body)
    return b"".join((_RESPONSE.pack(length, number, status, len(kind)), kind, body))


def read_response(frame: bytes) -> tuple[int, InvocationResponse]:
    """The id and response of a frame without its length. Raises CorruptFrame."""
    try:
        number, status, kind_length = struct.unpack_from("<IHH", frame)
    except struct.error as error:
        raise CorruptFrame(f"expected a response of at least 8 bytes, got {len(frame)}") from error
    start = _RESPONSE.size - _LENGTH.size
    end = start + kind_length
    return number, InvocationResponse(status, frame[start:end].decode(), frame[end:])


@lru_cache(maxsize=256)
def _header_bytes(content_type: str | None, accept: str | None) -> bytes:
    texts = [None if text is None else text.encode("utf-8", "replace") for text in (content_type, accept)]
    kept = [None if text is None else text[:_LONGEST_HEADER] for text in texts]
    lengths = [0 if text is None else len(text) + 1 for text in kept]
    return _HEADERS.pack(*lengths) + b"".join(text or b"" for text in kept)


class FrameSplitter:
    """Cuts a stream of bytes into frames, given without their length."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that ``data`` completes. Raises CorruptFrame for a length beyond all limits."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted():
                return []
            data = bytes(self._rest)
            self._rest.clear()
        frames = []
        start, size = 0, len(data)
        while size - start >= 4:
            end = start + 4 + _length(data, start)
            if end > size:
                break
            frames.append(data[start + 4 : end])
            start = end
        if start < size:
            self._rest += data[start:]
        return frames

    def _wanted(self) -> int:
        return 4 + _length(self._rest, 0) if len(self._rest) >= 4 else 4


def _length(data: bytes | bytearray, start: int) -> int:
    length: int = _LENGTH.unpack_from(data, start)[0]
    if length > MAX_FRAME_BYTES:
        raise CorruptFrame(f"expected a frame of at most {MAX_FRAME_BYTES} bytes, got a length of {length}")
    return length
