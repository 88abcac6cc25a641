"""Checks of feature tables, splits and training files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from corelab import churn
from corelab.checks.outcome import CheckFailed, check

CHURN_RATE = (0.20, 0.34)
FLAGS = {"True", "False", "true", "false"}
MISSING = ("", "nan", "NaN", "NAN", "+nan", "-nan")
LARGEST_FILE = 64 << 20


@check
def missing_shares(shares: Any) -> str:
    """The share of missing cells is right for every column."""
    truth = churn.load().isna().mean()
    given = pd.Series(_mapping(shares), dtype=float)
    absent = [column for column in truth.index[truth > 0] if column not in given.index]
    if absent:
        raise CheckFailed(f"an entry for {absent[0]}", list(given.index), "ask the whole table with isna()")
    worst = (given - truth.reindex(given.index)).abs().idxmax()
    if not abs(given[worst] - truth.get(worst, np.nan)) < 0.001:
        hint = "a share is between 0 and 1: the mean of isna(), not its sum"
        raise CheckFailed(f"{truth.get(worst, np.nan):.4f} for {worst}", f"{given[worst]:.4f}", hint)
    return f"{truth.idxmax()} lacks {truth.max():.0%}"


@check
def features(table: Any, rows: int | None = None) -> str:
    """The features are numbers, one row a customer."""
    frame = pd.DataFrame(table)
    if rows is not None and len(frame) != rows:
        raise CheckFailed(f"{rows} rows", f"{len(frame)} rows", "encoding neither drops nor adds customers")
    for column in frame.columns:
        if str(column) in ("churn", "customer_id"):
            raise CheckFailed("features only", f"the column {column!r}", f"drop {column!r} before encoding")
        if frame[column].dtype == bool:
            hint = "pandas writes such columns as True and False; give get_dummies dtype=int"
            raise CheckFailed("numbers in every column", f"True/False in column {column!r}", hint)
        if not pd.api.types.is_numeric_dtype(frame[column]):
            hint = "turn each level into a column of its own, or into a number"
            raise CheckFailed("numbers in every column", f"{frame[column].dtype} in column {column!r}", hint)
    if frame.shape[1] < 8:
        raise CheckFailed(
            "at least 8 columns", f"{frame.shape[1]}", "keep what may say something about leaving"
        )
    return f"{len(frame):,} rows, {frame.shape[1]} columns"


@check
def parts(customers: int, **ids: Sequence[Any]) -> str:
    """No customer is in two parts."""
    sets = {name: {str(identity) for identity in part} for name, part in ids.items()}
    names = list(sets)
    for number, first in enumerate(names):
        least = customers // 20
        if len(sets[first]) < least:
            raise CheckFailed(f"at least {least} customers in {first}", str(len(sets[first])), "give it more")
        for second in names[number + 1 :]:
            shared = len(sets[first] & sets[second])
            if shared:
                hint = "a model is judged on customers it never saw"
                raise CheckFailed(f"{first} and {second} apart", f"{shared} customers in both", hint)
    total = sum(len(part) for part in sets.values())
    if total != customers:
        raise CheckFailed(f"{customers} customers in all", f"{total}", "every customer belongs to one part")
    return ", ".join(f"{name} {len(part):,}" for name, part in sets.items())


@check
def training_file(source: str | Path | bytes, rows: int | None = None) -> str:
    """The file is what the container reads: label first, numbers only, no header."""
    table = read_table(source)
    judge_training_table(table, rows)
    return f"{len(table):,} rows, label and {table.shape[1] - 1} features"


def read_table(source: str | Path | bytes) -> pd.DataFrame:
    """Cells of a CSV file; the first line is a row like any other.

    Returns:
        Numbers when every cell is one or is missing, and text in every column otherwise.
    """
    if isinstance(source, bytes):
        content = source
    else:
        path = Path(source)
        if not path.is_file():
            raise CheckFailed(f"a file {path.name}", "no such file", "run the cell that writes it")
        content = path.read_bytes()
    if not content.strip() or len(content) > LARGEST_FILE:
        raise CheckFailed("a CSV file with rows", f"{len(content)} bytes", "look at the file before using it")
    try:
        text = content.decode("utf-8")
        # What is right is nearly always numbers: as such they are read ten times sooner.
        numbers = pd.read_csv(
            io.StringIO(text), header=None, keep_default_na=False, na_values=list(MISSING), low_memory=False
        )
        if _is_numeric(numbers) and not np.isinf(numbers).any(axis=None):
            _judge_widths(text, numbers.shape[1])
            return numbers
        return pd.read_csv(io.StringIO(text), header=None, dtype=str, keep_default_na=False)
    except ValueError as problem:
        hint = "write it with to_csv(path, header=False, index=False)"
        raise CheckFailed("rows of comma-separated numbers", str(problem), hint) from None


def _judge_widths(text: str, columns: int) -> None:
    """pandas fills a row that ends too soon with missing cells, and says nothing."""
    for row, line in enumerate(filter(str.strip, text.splitlines()), 1):
        if line.count(",") != columns - 1:
            hint = "was the file cut off, or put together from two?"
            raise CheckFailed(f"{columns} cells in every row", f"{line.count(',') + 1} in row {row}", hint)


def as_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Each cell of a table that was read as a number, nan for what is missing or none."""
    return table if _is_numeric(table) else table.apply(_numbers)


def unreadable(table: pd.DataFrame) -> pd.DataFrame:
    """Which cells the container cannot read as a number or a missing value; it takes nan for missing."""
    if _is_numeric(table):
        return np.isinf(table)
    numbers = as_numbers(table)
    words = numbers.isna()
    # Nearly all cells are numbers: only the others are worth a look at their letters.
    for column in words.columns[words.any()]:
        unread = table.loc[words[column], column].astype(str).str.strip().str.lower()
        words.loc[unread.index[unread.isin(MISSING)], column] = False
    return words | np.isinf(numbers)


def judge_training_table(table: pd.DataFrame, rows: int | None = None) -> None:
    """Raise CheckFailed for the first thing in which text cells differ from what the container reads."""
    numbers, words = as_numbers(table), unreadable(table)
    header = words.iloc[0] & ~words.iloc[min(1, len(table) - 1)]
    if header.sum() > len(header) / 2:
        hint = "the container would read it as a customer with label 0: write header=False"
        raise CheckFailed("numbers in row 1", f"the text {table.iloc[0][header].iloc[0]!r}", hint)
    for column in table.columns[words.any()]:
        _complain(table[column][words[column]], column)
    _judge_label(numbers)
    if rows is not None and len(table) != rows:
        raise CheckFailed(
            f"{rows} rows", f"{len(table)} rows", "write each customer once, without the header"
        )


def _is_numeric(table: pd.DataFrame) -> bool:
    return all(kind.kind in "iuf" for kind in table.dtypes)


def _numbers(cells: pd.Series) -> pd.Series:
    """Each cell as a number, nan for what is none; columns repeat few texts, so each text is read once."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells
    codes, texts = pd.factorize(cells)
    return pd.Series(pd.to_numeric(texts, errors="coerce").take(codes), index=cells.index)


def _complain(cells: pd.Series, column: int) -> None:
    cell = cells.iloc[0]
    if cell in FLAGS:
        hint = "training reads them as missing or 0, inference refuses them: give get_dummies dtype=int"
    elif "inf" in cell.lower():
        hint = "the container refuses infinity; what was divided by 0?"
    else:
        hint = "the container reads text as a missing value and says nothing; leave ids out, encode levels"
    raise CheckFailed("numbers or empty cells", f"{cell!r} in column {column}", hint)


def _judge_label(numbers: pd.DataFrame) -> None:
    label = numbers[0]
    strange = label[~label.isin([0, 1])]
    if len(strange):
        last = numbers.columns[-1]
        at_the_end = last > 0 and bool(numbers[last].isin([0, 1]).all())
        hint = "put the label first; is it the last column now?" if at_the_end else "put the label first"
        raise CheckFailed(
            "label 0 or 1 in column 0", f"{strange.iloc[0]:g} in row {strange.index[0] + 1}", hint
        )
    rate, (low, high) = float(label.mean()), CHURN_RATE
    if not low <= rate <= high:
        hint = "is 1 the customer who left?" if low <= 1 - rate <= high else "is column 0 the label?"
        raise CheckFailed("about 27 % of label 1", f"{rate:.0%}", hint)
    for column in numbers.columns[1:]:
        if numbers[column].equals(label):
            hint = "the label must not be a feature as well: that is leakage"
            raise CheckFailed("features that do not know the label", f"column {column} equals it", hint)


def _mapping(shares: Any) -> dict[str, float]:
    if isinstance(shares, pd.DataFrame) and shares.shape[1] == 1:
        shares = shares.iloc[:, 0]
    if not isinstance(shares, Mapping | pd.Series):
        raise CheckFailed(
            "a Series or dict from column to share", type(shares).__name__, "try .isna().mean()"
        )
    return {str(column): float(share) for column, share in shares.items()}
