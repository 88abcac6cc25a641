"""A container's output: the pipe it writes to, and the lines that come out of it.

child stdout, stderr ──pipe──▶ LineSplitter ──▶ text with /opt/ml for the private root
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from multiprocessing import reduction
from pathlib import Path
from typing import Any, TextIO

# CloudWatch Logs takes events of 256 KB, of which it counts 26 bytes for itself.
MAX_LINE_BYTES = (256 << 10) - 26


class WriteEnd:
    """The writing end of a pipe on its way into a child; picklable only while that child is started."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[Any, ...]:
        if sys.platform == "win32":
            import msvcrt
            from _winapi import GENERIC_WRITE

            handle = reduction.DupHandle(msvcrt.get_osfhandle(self._descriptor), GENERIC_WRITE)
            return _open_handle, (handle,)
        return _take_descriptor, (reduction.DupFd(self._descriptor),)

    def become_output(self) -> None:
        """Make this pipe the process's standard output and error, for Python and for C code alike."""
        for number in (1, 2):
            os.dup2(self._descriptor, number)
        os.close(self._descriptor)
        sys.stdout, sys.stderr = _text_output(1), _text_output(2)


def _text_output(descriptor: int) -> TextIO:
    return os.fdopen(descriptor, "w", 1, "utf-8", "backslashreplace", closefd=False)


def _take_descriptor(duplicate: Any) -> WriteEnd:
    return WriteEnd(duplicate.detach())


def _open_handle(duplicate: Any) -> WriteEnd:
    import msvcrt

    return WriteEnd(msvcrt.open_osfhandle(duplicate.detach(), 0))  # type: ignore[attr-defined, unused-ignore]


class LineSplitter:
    """Cuts a byte stream into lines of text of at most ``MAX_LINE_BYTES``; invalid UTF-8 is replaced."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the lines that ``data`` completes."""
        *lines, rest = (self._rest + data).split(b"\n")
        while len(rest) > MAX_LINE_BYTES:
            end = _character_start(rest, MAX_LINE_BYTES)
            lines.append(rest[:end])
            rest = rest[end:]
        self._rest = rest
        for line in lines:
            yield from _decoded(line)

    def flush(self) -> Iterator[str]:
        """Yield a last line that lacks its line end."""
        rest, self._rest = self._rest, b""
        if rest:
            yield from _decoded(rest)


def _decoded(line: bytes) -> Iterator[str]:
    line = line.removesuffix(b"\r")
    while len(line) > MAX_LINE_BYTES:
        end = _character_start(line, MAX_LINE_BYTES)
        yield line[:end].decode("utf-8", "replace")
        line = line[end:]
    yield line.decode("utf-8", "replace")


def _character_start(data: bytes, end: int) -> int:
    """The last position not after ``end`` that does not cut a character in two."""
    for position in range(end, end - 4, -1):
        if data[position] & 0xC0 != 0x80:
            return position
    return end


class ShownPaths:
    """Replaces private paths by those the container would show."""

    def __init__(self, shown: Iterable[tuple[Path, str]]) -> None:
        """Args: shown: (private path, shown path), deeper paths first."""
        self._pairs = [
            (form, name)
            for path, name in shown
            for form in dict.fromkeys((str(path), os.path.realpath(path)))
        ]

    def __call__(self, text: str) -> str:
        for private, name in self._pairs:
            if private in text:
                text = text.replace(private, name)
        return text
