"""One occupant seen from outside: requests and answers, what it prints, how it ends."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from typing import Any, Final

from corelab.grading.walls.frames import Broken, Channel, TooSlow, receive_with_files, send_with_files

_CHUNK: Final = 1 << 16
_MOST_DRAINED: Final = 64 << 20
_LEASE_SECONDS: Final = 20.0


class Gone(Exception):
    """The occupant has ended; ``why`` is ``memory``, ``refused`` or empty, ``code`` its exit code."""

    def __init__(self, code: int, why: str, text: str = "") -> None:
        super().__init__(text or why or f"exit code {code}")
        self.code, self.why = code, why


class Occupant:
    """A process behind walls.

    Args:
        most_output: how much of what it prints between two ``printed()`` is kept.
    """

    def __init__(
        self, lease: socket.socket, channel: socket.socket, out: int, err: int, most_output: int
    ) -> None:
        self._lease, self._channel = lease, Channel(channel)
        self._raw_channel = channel
        self._streams = {out: "stdout", err: "stderr"}
        self._most = most_output
        self._printed: list[tuple[str, bytes]] = []
        self._kept = self._dropped = 0
        self._selector = selectors.DefaultSelector()
        for thing in (lease, channel, out, err):
            self._selector.register(thing, selectors.EVENT_READ)
        for descriptor in (out, err):
            os.set_blocking(descriptor, False)

    def listener(self) -> tuple[int, int]:
        """Port and descriptor of the socket that listens in the occupant's network. Raises Gone."""
        self._lease.settimeout(_LEASE_SECONDS)
        try:
            message, files = receive_with_files(self._lease)
        except OSError as problem:
            raise Gone(-1, "refused", str(problem)) from problem
        finally:
            self._lease.settimeout(None)
        if message is None or "listening" not in message:
            raise Gone(-1, "refused", str((message or {}).get("failed", "it ended at once")))
        return int(message["listening"]), files[0]

    def hand_over(self, message: dict[str, Any], descriptor: int) -> None:
        """Give the occupant an open socket through its channel. Raises Gone."""
        try:
            send_with_files(self._raw_channel, message, [descriptor])
        except OSError as problem:
            raise Gone(-1, "", str(problem)) from problem

    def ask(self, message: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Send a request and return the answer, reading what is printed meanwhile.

        Raises:
            TooSlow: no answer in time.
            Gone: the occupant ended, or answered with no message.
        """
        try:
            self._channel.send(message, timeout)
        except Broken as problem:
            raise self._end(problem) from None
        return self.answer(timeout)

    def answer(self, timeout: float) -> dict[str, Any]:
        """The next message. Raises TooSlow, Gone."""
        until = time.monotonic() + timeout
        while True:
            try:
                message = self._channel.pop()
            except Broken as problem:
                raise Gone(-1, "refused", str(problem)) from None
            if message is not None:
                self._drain()
                return message
            self._wait(until)

    def _wait(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise TooSlow("no answer in time")
        for key, _ in self._selector.select(left):
            if key.fileobj is self._lease:
                raise self._end(None)
            if key.fileobj is self._raw_channel:
                try:
                    self._channel.read_some()
                except Broken as problem:
                    raise self._end(problem) from None
            else:
                self._read(key.fd)

    def interrupt(self) -> None:
        with contextlib.suppress(OSError):
            send_with_files(self._lease, {"do": "interrupt"})

    def printed(self) -> list[tuple[str, str]]:
        """What came since the last call, as (stream, text) in order; says so when some was dropped."""
        pieces: list[tuple[str, bytearray]] = []
        for stream, content in self._printed:
            if pieces and pieces[-1][0] == stream:
                pieces[-1][1].extend(content)
            else:
                pieces.append((stream, bytearray(content)))
        texts = [(stream, bytes(content).decode("utf-8", "replace")) for stream, content in pieces]
        if self._dropped:
            texts.append(("stdout", f"\n[{self._dropped:,} more bytes of output were not kept]\n"))
        self._printed, self._kept, self._dropped = [], 0, 0
        return texts

    def hang_up(self) -> None:
        """Let it end, with all it started; ``close`` waits for that."""
        with contextlib.suppress(OSError):
            self._lease.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Return when it and all it started have ended."""
        self.hang_up()
        self._lease.settimeout(_LEASE_SECONDS)
        with contextlib.suppress(OSError):
            while self._lease.recv(_CHUNK):
                pass
        self._selector.close()
        for descriptor in self._streams:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._streams = {}
        self._channel.close()
        self._lease.close()

    def _drain(self) -> None:
        """What was printed before the answer is in the pipes by now."""
        total = 0
        for descriptor in list(self._streams):
            while total < _MOST_DRAINED and (size := self._read(descriptor)):
                total += size

    def _read(self, descriptor: int) -> int:
        try:
            content = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return 0
        if not content:
            with contextlib.suppress(KeyError):
                self._selector.unregister(descriptor)
            return 0
        room = max(self._most - self._kept, 0)
        if room:
            self._printed.append((self._streams[descriptor], content[:room]))
        self._kept += min(room, len(content))
        self._dropped += max(len(content) - room, 0)
        return len(content)

    def _end(self, problem: Exception | None) -> Gone:
        """How it ended, by what its process 1 says."""
        self._lease.settimeout(_LEASE_SECONDS)
        try:
            message, _ = receive_with_files(self._lease)
        except OSError:
            message = None
        if message and "failed" in message:
            return Gone(-1, "refused", str(message["failed"]))
        self._drain()
        if message is None:
            return Gone(-1, "", str(problem or "it ended"))
        return Gone(int(message.get("ended", -1)), str(message.get("why", "")))
