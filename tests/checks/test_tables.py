"""Each wrong table hears what is wrong with it; sound ones of any kind pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from corelab import checks, churn
from corelab.checks import CheckFailed


@pytest.fixture(scope="module")
def table():
    """A sound training table of 2,000 rows, label first."""
    customers = churn.load().head(2000)
    features = pd.get_dummies(customers.drop(columns=["customer_id", "churn"]), dtype=int)
    features.insert(0, "churn", customers["churn"])
    return features


def csv(table, header=False):
    return table.to_csv(header=header, index=False).encode()


def test_a_sound_file_passes(table, capsys):
    checks.training_file(csv(table), rows=2000)
    said = capsys.readouterr()
    assert said.out == (
        "✓ The file is what the container reads: label first, numbers only, no header "
        "(2,000 rows, label and 27 features)\n"
    )
    assert said.err == ""


@pytest.mark.parametrize("spelling", ["savetxt", "scaled", "filled", "few columns", "crlf"])
def test_other_spellings_of_a_sound_file_pass(table, spelling, tmp_path):
    file = tmp_path / "train.csv"
    if spelling == "savetxt":
        np.savetxt(file, table.to_numpy(dtype=float), delimiter=",", fmt="%.3e")
    elif spelling == "scaled":
        rest = table.drop(columns="churn")
        pd.concat([table["churn"], (rest - rest.mean()) / rest.std()], axis=1).to_csv(
            file, header=False, index=False
        )
    elif spelling == "filled":
        table.fillna(0).to_csv(file, header=False, index=False)
    elif spelling == "few columns":
        table.iloc[:, :9].to_csv(file, header=False, index=False)
    else:
        file.write_bytes(csv(table).replace(b"\n", b"\r\n"))
    checks.training_file(file)


def bools(table):
    changed = table.copy()
    changed[changed.columns[-1]] = changed[changed.columns[-1]].astype(bool)
    return changed


def text(table):
    return table.assign(region="east")


def target_last(table):
    return table[[*table.columns[1:], "churn"]]


def inverted(table):
    return table.assign(churn=1 - table["churn"])


def leaking(table):
    return table.assign(again=table["churn"])


def infinite(table):
    changed = table.astype({"usage_gb": float})
    changed.loc[3, "usage_gb"] = np.inf
    return changed


@pytest.mark.parametrize(
    ("spoil", "got", "hint"),
    [
        (bools, "'True' in column 27|'False' in column 27", "dtype=int"),
        (text, "'east' in column 28", "encode levels"),
        (target_last, "in row 1", "is it the last column now"),
        (inverted, "74%|73%|75%", "is 1 the customer who left"),
        (leaking, "column 28 equals it", "leakage"),
        (infinite, "'inf' in column", "divided by 0"),
    ],
)
def test_a_spoilt_file_hears_what_is_wrong(table, spoil, got, hint):
    with pytest.raises(CheckFailed, match=got) as failed:
        checks.training_file(csv(spoil(table)))
    assert hint in str(failed.value)


def test_a_header_is_named(table):
    with pytest.raises(CheckFailed, match=r"(?s)the text 'churn'.*write header=False"):
        checks.training_file(csv(table, header=True))


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "0 bytes"),
        (b"\xff\xfe\x00", "decode"),
        (b"1,2\n3,4,5,6\n", "Expected 2 fields"),
        (b"1\n0\n", "50%"),
        (b"nan,1\n1,2\n", "nan in row 1"),
    ],
)
def test_a_file_that_is_no_table_is_a_wrong_answer_and_no_crash(content, got):
    with pytest.raises(CheckFailed, match=got):
        checks.training_file(content)


def test_a_row_that_ends_too_soon_is_named(table):
    lines = csv(table).decode().splitlines()
    lines[4] = lines[4].rpartition(",")[0]
    with pytest.raises(CheckFailed, match=f"{table.shape[1]} cells in every row") as raised:
        checks.training_file("\n".join(lines).encode())
    assert "in row 5" in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckFailed, match=r"no such file"):
        checks.training_file(tmp_path / "train.csv")


def test_wrong_shares_are_named():
    shares = churn.load().isna().mean()
    checks.missing_shares(shares)
    checks.missing_shares(shares[shares > 0].to_dict())
    for wrong in (shares * 100, churn.load().isna().sum(), shares.drop("satisfaction"), 0.3, None):
        with pytest.raises(CheckFailed):
            checks.missing_shares(wrong)


def test_parts_must_be_apart_and_complete():
    ids = [f"C{number}" for number in range(100)]
    checks.parts(100, train=ids[:80], test=ids[80:])
    for parts, words in [
        ({"train": ids, "test": ids[80:]}, "20 customers in both"),
        ({"train": ids[:70], "test": ids[80:]}, "90"),
        ({"train": ids[:98], "test": ids[98:]}, "at least 5 customers in test"),
    ]:
        with pytest.raises(CheckFailed, match=words):
            checks.parts(100, **parts)
