"""Messages between the grader and the processes behind the walls: a length, then JSON; nothing is unpickled."""

from __future__ import annotations

import array
import json
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, Final

_HEAD: Final = struct.Struct(">I")
_CHUNK: Final = 1 << 20
LARGEST: Final = 96 << 20
_MOST_FILES: Final = 8


class Broken(Exception):
    """The other end is gone, or sends what is no message."""


class TooSlow(Exception):
    """No whole message came in time."""


def pack(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return _HEAD.pack(len(body)) + body


class Channel:
    """One end of a stream of messages.

    Args:
        largest: a message that announces more bytes is refused before it is read.
    """

    def __init__(self, stream: socket.socket, largest: int = LARGEST) -> None:
        self._stream = stream
        self._largest = largest
        self._held = bytearray()

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        self._stream.close()

    def send(self, message: dict[str, Any], timeout: float | None = None) -> None:
        """Raises Broken when nobody reads any more, TooSlow when nobody reads in time."""
        self._stream.settimeout(timeout)
        try:
            self._stream.sendall(pack(message))
        except TimeoutError as problem:
            raise TooSlow("nobody reads") from problem
        except OSError as problem:
            raise Broken(str(problem)) from problem

    def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message. Raises Broken, TooSlow."""
        until = None if timeout is None else time.monotonic() + timeout
        while (message := self.pop()) is None:
            if until is not None:
                left = until - time.monotonic()
                if left <= 0 or not select.select([self._stream], [], [], left)[0]:
                    raise TooSlow("no message in time")
            self.read_some()
        return message

    def read_some(self) -> None:
        """Take what has come, waiting if nothing has. Raises Broken when nothing will."""
        self._stream.settimeout(None)
        try:
            piece = self._stream.recv(_CHUNK)
        except OSError as problem:
            raise Broken(str(problem)) from problem
        if not piece:
            raise Broken("the other end has ended")
        self._held += piece

    def pop(self) -> dict[str, Any] | None:
        """The next message that has come whole, None when there is none. Raises Broken."""
        if len(self._held) < _HEAD.size:
            return None
        size = _HEAD.unpack(self._held[: _HEAD.size])[0]
        if size > self._largest:
            raise Broken(f"a message of {size:,} bytes; at most {self._largest:,}")
        if len(self._held) < _HEAD.size + size:
            return None
        body = bytes(self._held[_HEAD.size : _HEAD.size + size])
        del self._held[: _HEAD.size + size]
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise Broken(f"no JSON: {problem}") from problem
        if not isinstance(message, dict):
            raise Broken("a message is an object")
        return message


def send_with_files(stream: socket.socket, message: dict[str, Any], files: Sequence[int] = ()) -> None:
    """A message with open descriptors beside it."""
    stream.sendmsg([pack(message)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])


def receive_with_files(stream: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """The next message and its descriptors; None when the other end is gone."""
    files = array.array("i")
    head, ancillary, _, _ = stream.recvmsg(_HEAD.size, socket.CMSG_SPACE(_MOST_FILES * files.itemsize))
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            files.frombytes(content[: len(content) - len(content) % files.itemsize])
    if len(head) < _HEAD.size:
        return None, list(files)
    body = b""
    while len(body) < _HEAD.unpack(head)[0]:
        piece = stream.recv(_HEAD.unpack(head)[0] - len(body))
        if not piece:
            return None, list(files)
        body += piece
    message: dict[str, Any] = json.loads(body)
    return message, list(files)
