"""CSV requests as a matrix: the container's way, and the same result sooner for plain numbers.

Plain is what nearly every request is: digits, signs, points, exponents, commas and line ends. Everything
else, and everything wrong, takes the container's own steps, whose errors the caller must see.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

_PLAIN = b"0123456789.,-+eE\r\n"
_SNIFFED = 512  # characters of the first line
_SLICE = 4 << 20
_FEW_ROWS = 16  # below this a list of floats beats NumPy's reader


def read_any(body: bytes) -> npt.NDArray[np.float64]:
    """Rows and columns of a CSV request without header or label; empty fields are NaN.

    Raises:
        ValueError, csv.Error: what the container's own reading raises (container spec 4.3).
    """
    lines = body.strip().decode("utf-8").split("\n")
    sniffed = csv.Sniffer().sniff(lines[0][:_SNIFFED]).delimiter
    delimiter = "," if sniffed.isalnum() else sniffed
    return np.array([[cell or "nan" for cell in line.split(delimiter)] for line in lines], dtype=np.float64)


def read_plain(body: bytes) -> Matrix | None:
    """The same rows and columns, or None when these bytes need the container's own steps."""
    text = body.strip()
    if text.translate(None, _PLAIN):
        return None
    if b"\r" in text:
        if b",\r" in text or b"\n\r" in text or text.count(b"\r") != text.count(b"\r\n"):
            return None
        text = text.replace(b"\r\n", b"\n")
    if b"\n" not in text:
        return _matrix_of([text]) if b"," in text[:_SNIFFED] else None
    if b"," not in text[: min(_SNIFFED, text.index(b"\n"))]:
        return None
    if text.count(b"\n") < _FEW_ROWS:
        return _matrix_of(text.split(b"\n"))
    return _matrix_of_many(text)


def _matrix_of(lines: list[bytes]) -> Matrix | None:
    try:
        rows = [list(map(float, line.split(b","))) for line in lines]
    except ValueError:
        try:
            rows = [[float(cell or b"nan") for cell in line.split(b",")] for line in lines]
        except ValueError:
            return None
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        return None
    with np.errstate(over="ignore"):
        return _finite(np.array(rows, dtype=np.float32))


def _matrix_of_many(text: bytes) -> Matrix | None:
    try:
        return _finite(np.concatenate([_load(part) for part in _slices(text)]))
    except ValueError:
        return None


def _slices(text: bytes) -> Iterator[bytes]:
    """Whole lines, a few megabytes at a time: reading takes several times the memory of what is read."""
    start = 0
    while len(text) - start > _SLICE:
        end = text.find(b"\n", start + _SLICE)
        if end < 0:
            break
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _load(text: bytes) -> Matrix:
    stream = io.StringIO(_name_missing(text).decode("ascii"))
    return np.loadtxt(stream, dtype=np.float32, delimiter=",", comments=None, ndmin=2)


def _name_missing(text: bytes) -> bytes:
    """Write nan between any two separators that touch, and before or after one at an end."""
    signs = np.frombuffer(text, np.uint8)
    ends = signs == ord("\n")
    if (ends[1:] & ends[:-1]).any():
        raise ValueError("a blank line, which NumPy's reader would skip and the container finds too short")
    separators = ends | (signs == ord(","))
    gaps = (np.flatnonzero(separators[1:] & separators[:-1]) + 1).tolist()
    if separators[0]:
        gaps.insert(0, 0)
    if separators[-1]:
        gaps.append(len(text))
    if not gaps:
        return text
    return b"nan".join([text[start:end] for start, end in pairwise([0, *gaps, len(text)])])


def _finite(matrix: Matrix) -> Matrix | None:
    """Infinities go the container's way: the engine refuses them in its own words."""
    return None if np.isinf(matrix).any() else matrix
