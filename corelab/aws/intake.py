"""The way in for a body: unwrapped, counted, checked against every digest its sender gave, and on disk.

HTTP body ─▶ aws-chunked? unwrap ─▶ MD5, checksum ─▶ blob or memory ─▶ compare ─▶ stored
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from typing import Any

from corelab.aws.checksums import ALGORITHMS, Checksum, base64_digest
from corelab.aws.request import Environ
from corelab.errors import AWSError
from corelab.store.blobs import PIECE, BlobFolder, Content

# These pass through memory; AWS itself takes 1 MB of JSON, and some 2 MB of XML for 1,000 long keys.
DOCUMENT_LIMIT = 16 * 1024 * 1024
FORM_LIMIT = 128 * 1024 * 1024
_LINE_LIMIT = 8192
_CHECKSUM = "x-amz-checksum-"


class Intake:
    """One request's body, read once."""

    def __init__(self, environ: Environ) -> None:
        self._environ = environ
        self._input: Any = environ["wsgi.input"]
        self._trailers: dict[str, str] = {}
        self._checksums: dict[str, Checksum] = {name: ALGORITHMS[name]() for name in self._algorithms()}

    @property
    def checksums(self) -> dict[str, str]:
        """Base64 checksums of the body by algorithm, once it was taken."""
        return {name: base64_digest(checksum) for name, checksum in self._checksums.items()}

    def store(self, blobs: BlobFolder) -> Content:
        """Take the body into a content that is on disk. Raises AWSError when it is not what was promised."""
        self._declared()
        with blobs.writer(*self._checksums.values()) as writer:
            for piece in self._pieces():
                writer.write(piece)
            self._check_length(writer.size)
            content = writer.finish()
        # Only now is the whole body known; a wrong one must leave no file.
        try:
            self._check_digests(content.md5)
        except AWSError:
            blobs.discard([content.blob] if content.blob else [])
            raise
        return content

    def document(self, blobs: BlobFolder, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Take a small body, such as XML or a form, into memory."""
        if self._declared() > limit:
            text = "Your proposed upload exceeds the maximum allowed size"
            raise AWSError("EntityTooLarge", text, 400, {"MaxSizeAllowed": limit})
        content = self.store(blobs)
        with blobs.open(content) as reader:
            body = reader.read()
        blobs.discard([content.blob] if content.blob else [])
        return body

    def _algorithms(self) -> list[str]:
        # A checksum may come in a header, be announced for the trailer, or only be named.
        sent = [name for name in ALGORITHMS if self._header(_CHECKSUM + name.lower()) is not None]
        if len(sent) > 1:
            text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            raise AWSError("InvalidRequest", text)
        trailer = (self._header("x-amz-trailer") or "").strip().lower().removeprefix(_CHECKSUM).upper()
        named = (self._header("x-amz-sdk-checksum-algorithm") or "").upper()
        wanted = [*sent, *(name for name in (trailer, named) if name)]
        if not set(wanted) <= set(ALGORITHMS):
            text = (
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            )
            raise AWSError("InvalidRequest", text + f"[{', '.join(ALGORITHMS)}]")
        return sorted(set(wanted))

    def _header(self, name: str) -> str | None:
        value: str | None = self._environ.get("HTTP_" + name.upper().replace("-", "_"))
        return value

    @property
    def _wrapped(self) -> bool:
        return (self._header("x-amz-content-sha256") or "").startswith("STREAMING-")

    def _declared(self) -> int:
        length = self._header("x-amz-decoded-content-length") if self._wrapped else None
        length = length or self._environ.get("CONTENT_LENGTH")
        if length is None and self._header("transfer-encoding") is not None:
            text = "You must provide the Content-Length HTTP header."
            raise AWSError("MissingContentLength", text, 411)
        if not (length or "0").isdecimal():
            raise AWSError("InvalidArgument", f"Expected the length of the body as a number, got {length!r}")
        return int(length or 0)

    def _pieces(self) -> Iterator[bytes]:
        if self._wrapped:
            return self._unwrapped()
        return self._plain(int(self._environ.get("CONTENT_LENGTH") or 0))

    def _plain(self, length: int) -> Iterator[bytes]:
        while length > 0 and (piece := self._input.read(min(PIECE, length))):
            length -= len(piece)
            yield piece

    def _unwrapped(self) -> Iterator[bytes]:
        """Decode aws-chunked. Source of the format: SigV4 streaming, S3 API reference."""
        while size := self._chunk_size():
            left = size
            for piece in self._plain(size):
                left -= len(piece)
                yield piece
            if left or self._line() != b"":
                raise _incomplete()
        while line := self._line():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise _incomplete()
            self._trailers[name.strip().lower()] = value.strip()

    def _chunk_size(self) -> int:
        try:
            return int(self._line().partition(b";")[0], 16)
        except ValueError:
            raise _incomplete() from None

    def _line(self) -> bytes:
        line: bytes = self._input.readline(_LINE_LIMIT)
        return line.rstrip(b"\r\n")

    def _check_length(self, size: int) -> None:
        if size != self._declared():
            raise _incomplete()

    def _check_digests(self, md5: str) -> None:
        if (promised := self._environ.get("HTTP_CONTENT_MD5")) is not None:
            if not _is_md5(promised):
                raise AWSError("InvalidDigest", "The Content-MD5 you specified was invalid.")
            if base64.b64decode(promised).hex() != md5:
                raise _bad_digest("Content-MD5", "what we received")
        for name, value in self.checksums.items():
            promised = self._header(_CHECKSUM + name.lower()) or self._trailers.get(_CHECKSUM + name.lower())
            if promised is not None and promised != value:
                raise _bad_digest(name, "the calculated checksum")


def read_document(environ: Environ, blobs: BlobFolder) -> bytes:
    """The body of a request to any service but S3, unpacked if it came packed.

    S3 keeps Content-Encoding for the object it is about, even where the request has no body.
    """
    body = Intake(environ).document(blobs)
    return _unpacked(body) if environ.get("HTTP_CONTENT_ENCODING") == "gzip" else body


def _unpacked(body: bytes) -> bytes:
    """A gzip body, as SDKs send long lists of metrics; never more than a document may have."""
    inflater = zlib.decompressobj(wbits=31)  # 31: with gzip's header and no other
    try:
        plain = inflater.decompress(body, DOCUMENT_LIMIT)
    except zlib.error:
        raise AWSError("InvalidRequest", "The request body is not the gzip it says it is.") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise AWSError("RequestEntityTooLarge", "The unpacked request body is too large or incomplete.", 413)
    return plain


def _is_md5(encoded: str) -> bool:
    try:
        return len(base64.b64decode(encoded, validate=True)) == 16
    except binascii.Error:
        return False


def _bad_digest(what: str, against: str) -> AWSError:
    return AWSError("BadDigest", f"The {what} you specified did not match {against}.")


def _incomplete() -> AWSError:
    text = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return AWSError("IncompleteBody", text)
