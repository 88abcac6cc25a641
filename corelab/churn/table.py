"""Reads and writes churn tables: the one shipped with the package, or real data a user has."""

from __future__ import annotations

import functools
import io
import re
import zlib
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit

import pandas as pd

from corelab.churn.population import SEED, STEADY, Market, generate, simulate
from corelab.errors import BadArgument

SHIPPED: Final = Path(__file__).with_name("churn.csv")
SHA256: Final = "e46932c4f9d88d1357a0a556737e413cd67d58bea85bcac62fbb389772c61b45"
BATCH_SEED: Final = 90_210
# The public IBM sample says the same things under other names; what it alone has keeps its name.
RENAMED: Final = {
    "customerid": "customer_id",
    "tenure": "tenure_months",
    "monthlycharges": "monthly_charge",
    "totalcharges": "total_charge",
    "paymentmethod": "payment",
}
LABELS: Final = {"yes": 1, "no": 0, "true": 1, "false": 0, "1": 1, "0": 0}


def load(source: str | Path | None = None) -> pd.DataFrame:
    """Read customers: the 10,000 that come with the course, or a churn table of your own.

    Args:
        source: path or http(s) address of a CSV file with a ``churn`` column (Yes/No or 1/0), such as the
            public IBM Telco sample. None reads the shipped file.

    Returns:
        ``customer_id``, the features and ``churn`` (0 or 1); missing values are NaN.

    Raises:
        BadArgument: nothing can be read there, or it is not a churn table.
    """
    return _shipped().copy() if source is None else _tidy(_read(source))


@functools.cache
def _shipped() -> pd.DataFrame:
    return _tidy(_read(SHIPPED))


def write(folder: str | Path, customers: pd.DataFrame | None = None, name: str = "customers.csv") -> Path:
    """Write customers (by default those of the course) as CSV with a header; returns the file's path."""
    target = Path(folder) / Path(name).name
    target.parent.mkdir(parents=True, exist_ok=True)
    if customers is None:
        target.write_bytes(SHIPPED.read_bytes())
    else:
        target.write_bytes(as_csv(customers))
    return target


def batch(seed: int = BATCH_SEED, customers: int = 10_000, market: Market = STEADY) -> pd.DataFrame:
    """Customers of the following month, whose label nobody knows yet: ``customer_id`` and the features."""
    return simulate(seed, customers, market, initial="N").customers.drop(columns="churn")


def batch_labels(
    label_key: int, seed: int = BATCH_SEED, customers: int = 10_000, market: Market = STEADY
) -> pd.Series:
    """Who of ``batch`` left, as 0 or 1 by ``customer_id``; decided by a key that the grader keeps."""
    drawn = simulate(seed, customers, market, label_key=label_key, initial="N").customers
    return drawn.set_index("customer_id")["churn"]


def as_csv(customers: pd.DataFrame) -> bytes:
    """The bytes of the CSV file, the same on every system."""
    text: str = customers.to_csv(index=False, lineterminator="\n")
    return text.encode()


def rebuild() -> bytes:
    """The bytes the shipped file must have, drawn anew."""
    return as_csv(generate(SEED))


def _read(source: str | Path) -> pd.DataFrame:
    address = urlsplit(str(source))
    if address.scheme in ("http", "https"):
        location: str | Path | io.BytesIO = str(source)
    else:
        location = Path(source)
        if not location.is_file():
            raise BadArgument(f"expected a CSV file or an http(s) address, got {str(source)!r}: no such file")
    try:
        # Cells stay text until _tidy: pandas would read the ids of some tables as numbers.
        return pd.read_csv(location, dtype=str, keep_default_na=False)
    except (ValueError, OSError, URLError, zlib.error) as problem:
        raise BadArgument(f"{str(source)!r} cannot be read as CSV: {problem}") from problem


def _tidy(raw: pd.DataFrame) -> pd.DataFrame:
    table = raw.rename(columns=_column_name)
    for wanted in ("customer_id", "churn"):
        if list(table.columns).count(wanted) != 1:
            raise BadArgument(f"expected one column {wanted!r}, got the columns {', '.join(raw.columns)}")
    labels = table.pop("churn").str.strip().str.lower().map(LABELS)
    if labels.isna().any():
        raise BadArgument("expected Yes or No (or 1 and 0) in every row of the column 'churn'")
    features = table.drop(columns="customer_id").apply(_numbers_if_possible)
    return pd.concat([table["customer_id"], features, labels.astype(int)], axis="columns")


def _column_name(name: str) -> str:
    plain = str(name).strip()
    known = RENAMED.get(plain.lower())
    return known or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain).replace(" ", "_").lower()


def _numbers_if_possible(column: pd.Series) -> pd.Series:
    """Numbers with NaN for blanks; a column that holds any other text stays text."""
    text = column.str.strip()
    numbers = pd.to_numeric(text.mask(text == ""), errors="coerce")
    return column if numbers.isna().sum() > (text == "").sum() else numbers
