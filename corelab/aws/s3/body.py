"""An object's body as moto may handle it: it has a length and slices, and is read only when it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from corelab.store.blobs import PIECE, BlobFolder, Content


class Body:
    """Bytes ``start`` to ``stop`` of a stored content."""

    __slots__ = ("_blobs", "_start", "_stop", "content")

    def __init__(self, blobs: BlobFolder, content: Content, start: int = 0, stop: int | None = None) -> None:
        self._blobs = blobs
        self._start = start
        self._stop = content.size if stop is None else stop
        self.content = content

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, span: slice) -> Body:
        start, stop, step = span.indices(len(self))
        if step != 1:
            raise ValueError(f"expected a slice without a step, got {span}")
        return Body(self._blobs, self.content, self._start + start, self._start + max(start, stop))

    @property
    def whole(self) -> bool:
        return len(self) == self.content.size

    def open(self) -> Iterator[bytes]:
        """Open the file now, so that later removal does no harm, and yield its pieces."""
        reader = self._blobs.open(self.content)
        return _pieces(reader, self._start, len(self))

    def stored(self) -> Content:
        """A content of exactly these bytes: the same one for a whole body, else a new one."""
        if self.whole:
            return self.content
        with self._blobs.writer() as writer:
            for piece in self.open():
                writer.write(piece)
            return writer.finish()


def _pieces(reader: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    with reader:
        reader.seek(start)
        while length > 0:
            piece = reader.read(min(PIECE, length))
            if not piece:
                raise OSError("the stored body is shorter than its row says")
            length -= len(piece)
            yield piece
