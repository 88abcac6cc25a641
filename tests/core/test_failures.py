"""The first real error line is found, and known failures come with their cure."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from corelab.core import failures
from corelab.core.failures import explain

TABLE = tomllib.loads((Path(failures.__file__).parent / "failures.toml").read_text("utf-8"))["failure"]
TRACEBACK = """framework error:
Traceback (most recent call last):
  File "corelab/engine/xgb/train.py", line 78, in run
    raise UserError(f"Missing required channel: {name}")
sagemaker_algorithm_toolkit.exceptions.UserError: Extraneous hyperparameter found: max_depht
Extraneous hyperparameter found: max_depht"""


def test_a_traceback_s_own_source_is_not_what_happened() -> None:
    told = explain(["[2026-11-23:00:08:44:INFO] No GPUs detected", *TRACEBACK.splitlines()], None)
    assert told is not None
    assert told.line.endswith("UserError: Extraneous hyperparameter found: max_depht")
    assert told.known


def test_a_log_event_of_many_lines_is_read_line_by_line() -> None:
    told = explain([TRACEBACK], "AlgorithmError: framework error: ")
    assert told is not None
    assert "\n" not in told.line


def test_the_reason_is_read_when_the_log_is_empty() -> None:
    told = explain(
        [], "ClientError: Data download failed:failed to download data. 403 Forbidden (403): Forbidden"
    )
    assert told is not None
    assert "s3:GetObject" in told.cure


def test_an_unknown_failure_shows_its_first_error_line() -> None:
    lines = [
        "[0]#011train-error:0.1",
        "[x:ERROR] Reporting training FAILURE",
        "KeyError: 'surprise'",
        "later",
    ]
    told = explain(lines, "AlgorithmError: , exit code: 1")
    assert told is not None
    assert (told.line, told.known) == ("KeyError: 'surprise'", False)


def test_a_log_without_errors_explains_nothing() -> None:
    assert explain(["[0]#011train-error:0.10000#011validation-error:0.2", "Training job completed"]) is None


@pytest.mark.parametrize("row", TABLE, ids=[row["pattern"][:30] for row in TABLE])
def test_every_known_failure_has_a_meaning_and_a_cure(row: dict[str, str]) -> None:
    re.compile(row["pattern"])
    assert row["meaning"].endswith(".")
    assert row["cure"].endswith((".", "`."))


@pytest.mark.parametrize(
    "line", ["[3]#011train-auc:0.9", "[2026-11-23:00:00:00:INFO] Train matrix has 400 rows"]
)
def test_ordinary_lines_are_no_failure(line: str) -> None:
    assert not any(re.search(row["pattern"], line) for row in TABLE)
