"""CSV requests as a matrix: the container's way, and the same result sooner for plain numbers.

Plain is what nearly every request is: digits, signs, points, exponents, commas and line ends. Everything
else, and everything wrong, takes the container's own steps, whose errors the caller must see.
"""

from __future__ import annotations

import csv

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

_PLAIN = b"0123456789.,-+eE\r\n"
_SNIFFED = 512  # characters of the first line
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
    # NumPy's reader skips blank lines, where the container sees a ragged row.
    if b"\n\n" in text:
        return None
    try:
        lines = _name_missing(text).decode("ascii").split("\n")
        return _finite(np.loadtxt(lines, dtype=np.float32, delimiter=",", comments=None, ndmin=2))
    except ValueError:
        return None


def _name_missing(text: bytes) -> bytes:
    if text[:1] == b",":
        text = b"nan" + text
    if text[-1:] == b",":
        text = text + b"nan"
    # A run of commas needs two passes: replacing never looks at the comma it has just written.
    text = text.replace(b",,", b",nan,").replace(b",,", b",nan,")
    return text.replace(b"\n,", b"\nnan,").replace(b",\n", b",nan\n")


def _finite(matrix: Matrix) -> Matrix | None:
    """Infinities go the container's way: the engine refuses them in its own words."""
    return None if np.isinf(matrix).any() else matrix
