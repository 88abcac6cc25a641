"""Bodies of objects: small ones travel in the index row, larger ones lie in files nobody else can name.

blobs/3f/3f0c...e1      read-only, named by a random id, never by a key
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import uuid
from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

# Below this a file of its own would cost more syncs than the row it saves.
INLINE_LIMIT = 32 * 1024
PIECE = 256 * 1024  # larger ones buy no speed and leave the heap in holes
_ID = re.compile(r"[0-9a-f]{32}")


class Digest(Protocol):
    """What a checksum must offer to be fed along with the body; hashlib's objects do."""

    def update(self, data: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Content:
    """Where a body is: ``inline`` for a small one, the id of a ``blob`` for a larger one."""

    size: int
    md5: str
    inline: bytes | None = None
    blob: str | None = None


class BlobFolder:
    """The folder of large bodies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, blob: str) -> Path:
        """Where the blob lies. Raises ValueError for anything but an id."""
        if not _ID.fullmatch(blob):
            raise ValueError(f"expected the id of a blob, got {blob!r}")
        return self._folder / blob[:2] / blob

    def open(self, content: Content) -> BinaryIO:
        """A seekable reader. Raises FileNotFoundError when the blob has gone meanwhile."""
        if content.blob is None:
            return io.BytesIO(content.inline or b"")
        return self.path(content.blob).open("rb")

    def writer(self, *digests: Digest) -> BlobWriter:
        """Begin a new body; ``digests`` are fed every byte of it."""
        return BlobWriter(self, digests)

    def store(self, data: bytes) -> Content:
        """Keep a whole body."""
        with self.writer() as writer:
            writer.write(data)
            return writer.finish()

    def adopt(self, source: Path, *, move: bool) -> Content:
        """Keep a file's bytes; with ``move`` by renaming it, if it is on the same disk and large enough."""
        if move and source.stat().st_size > INLINE_LIMIT:
            moved = self._rename(source)
            if moved is not None:
                return moved
        with self.writer() as writer, source.open("rb") as reader:
            shutil.copyfileobj(reader, writer, PIECE)
            content = writer.finish()
        if move:
            source.unlink()
        return content

    def discard(self, blobs: Iterable[str]) -> None:
        """Remove blobs that no row names any more."""
        for blob in blobs:
            # Windows keeps a file that is still read; the sweep at the next start takes it.
            with suppress(OSError):
                self.path(blob).unlink()

    def sweep(self, known: Container[str]) -> int:
        """Remove what a crash left between a body and its row; returns how many files went."""
        orphans = [file for file in self._folder.glob("*/*") if file.name not in known]
        for file in orphans:
            file.unlink(missing_ok=True)
        return len(orphans)

    # Two hexadecimal digits spread the files over 256 folders, so that none grows slow to search.
    def create(self) -> tuple[str, Path]:
        """A new id and the path of its file, in a folder that is on disk already."""
        blob = uuid.uuid4().hex
        path = self.path(blob)
        if not path.parent.exists():
            path.parent.mkdir(exist_ok=True)
            sync_folder(self._folder)
        return blob, path

    def _rename(self, source: Path) -> Content | None:
        with source.open("rb") as reader:
            md5 = hashlib.file_digest(reader, _md5).hexdigest()
            size = reader.tell()
            sync_file(reader)
        blob, path = self.create()
        try:
            source.rename(path)
        except OSError:  # another disk
            return None
        protect(path)
        sync_folder(path.parent)
        return Content(size, md5, blob=blob)


class BlobWriter:
    """Collects one body; as a context it removes the file unless ``finish`` was reached."""

    def __init__(self, folder: BlobFolder, digests: Iterable[Digest] = ()) -> None:
        self._folder = folder
        self._md5 = _md5()
        self._digests: tuple[Digest, ...] = (self._md5, *digests)
        self._small = bytearray()
        self._file: BinaryIO | None = None
        self._blob: str | None = None
        self._path: Path | None = None
        self.size = 0

    def write(self, data: bytes) -> int:
        for digest in self._digests:
            digest.update(data)
        self.size += len(data)
        if self._file is None and self.size <= INLINE_LIMIT:
            self._small += data
        else:
            self._spill().write(data)
        return len(data)

    def finish(self) -> Content:
        """Put the body on disk and say where it is."""
        md5 = self._md5.hexdigest()
        # A small body is brought to disk by the commit of its row.
        if self._file is None or self._path is None:
            return Content(self.size, md5, inline=bytes(self._small))
        sync_file(self._file)
        self._file.close()
        protect(self._path)
        sync_folder(self._path.parent)
        content = Content(self.size, md5, blob=self._blob)
        self._path = None  # no longer ours to remove
        return content

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with suppress(OSError):  # closing flushes, and a full disk says so again
                self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _spill(self) -> BinaryIO:
        if self._file is None:
            self._blob, self._path = self._folder.create()
            self._file = self._path.open("xb")
            self._file.write(self._small)
            self._small.clear()
        return self._file


def sync_file(file: BinaryIO) -> None:
    """Bring a file's bytes to the disk."""
    if file.writable():
        file.flush()
    elif os.name != "posix":  # Windows syncs only what it may write
        return
    os.fsync(file.fileno())


def protect(file: Path) -> None:
    """Make a file read-only, except where that would keep it from being removed."""
    if os.name == "posix":
        file.chmod(0o444)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk; Windows has no such call and needs none."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
