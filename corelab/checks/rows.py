"""The rows of a training channel, for checks that compare with what a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from corelab.checks.cloud import objects_below, read_object
from corelab.checks.outcome import CannotTell, CheckFailed
from corelab.checks.tables import as_numbers, read_table
from corelab.core.channels import FORMATS, parse_rows
from corelab.errors import BadArgument


def channel_numbers(channel: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of shape (rows, 1 + features), label in column 0; what is no number is NaN.

    Args:
        channel: one of the channels that DescribeTrainingJob lists.

    Raises:
        CheckFailed: nothing is there any more.
        CannotTell: the algorithm reads this format, this project's checks do not.
    """
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    files = objects_below(uri)
    if not files:
        raise CheckFailed(f"files below {uri}", "none", "the job's channel must stay until it is graded")
    return pd.concat([_numbers(file, channel.get("ContentType")) for file in files], ignore_index=True)


def _numbers(file: str, content_type: str | None) -> pd.DataFrame:
    body = read_object(file)
    if FORMATS.get(content_type or "") == "csv":
        return as_numbers(read_table(body))
    try:
        return parse_rows(body, content_type)
    except BadArgument as problem:
        raise CannotTell(f"{file}: {problem}") from problem
