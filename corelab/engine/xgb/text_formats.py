"""What the first lines of a CSV or libsvm file must look like (Container spec 2.3, 2.4)."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

from corelab.engine.xgb.failures import UserError

logger = logging.getLogger(__name__)

# A file without line ends must not be read whole; no header of a real file is as long as this.
_MAX_LINE = 1 << 20
_SHOWN = 50


def first_line(path: Path) -> str:
    """The first line, decoded leniently, with its line end."""
    with path.open("r", encoding="utf-8", errors="ignore") as file:
        return file.readline(_MAX_LINE)


def csv_delimiter(line: str) -> str:
    """The delimiter that Python's sniffer sees in a line.

    Raises:
        UserError: none can be seen.
    """
    try:
        delimiter = csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:_SHOWN]}:\n{error}") from error
    logger.info("Determined delimiter of CSV input is '%s'", delimiter)
    return delimiter


def check_csv(path: Path) -> None:
    """Raises UserError for a file whose first line has no delimiter."""
    csv_delimiter(first_line(path))


def check_libsvm(path: Path) -> None:
    """Read until a line with two features or more.

    Raises:
        UserError: a line before that is not libsvm.
    """
    with path.open("r", encoding="utf-8", errors="ignore") as file:
        while line := file.readline(_MAX_LINE):
            features = _libsvm_features(line)
            if features is None:
                raise UserError(
                    f"First line '{line[:_SHOWN]}...' of file '{path.name}' is not 'LIBSVM' format. "
                    "Please ensure the file is in 'LIBSVM' format."
                )
            if features > 1:
                return
    logger.warning(
        "File %s is not an invalid LIBSVM file but has no features. Accepting simple validation.", path.name
    )


def _libsvm_features(line: str) -> int | None:
    """How many features a line has; None when it is not libsvm."""
    label, *features = line.split(" ")
    parts = label.split(":")
    if len(parts) > 2 or not all(_is_number(part) for part in parts):
        logger.error("%s does not follow LIBSVM label format <label>(:<weight>).", label)
        return None
    if not all(":" in feature for feature in features):
        return None
    if features and features[0].count(":") != 1:
        return None
    return len(features)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
