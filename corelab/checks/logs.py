"""Checks of what a learner read from a job's log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from corelab.checks.cloud import asks_cloud, client
from corelab.checks.outcome import CheckFailed, check

GROUP = "/aws/sagemaker/TrainingJobs"
METRIC = re.compile(r"#011validation-auc:([0-9.]+)")


@check
@asks_cloud
def curve(values: Any, name: Any) -> str:
    """The learning curve is what the job's log says."""
    logged = validation_auc_of_log(name)
    try:
        given = [float(value) for value in values]
    except (TypeError, ValueError):
        raise CheckFailed("a list of numbers, one a round", values, "float() of each match") from None
    if len(given) != len(logged):
        hint = "the log has one line a round; GetLogEvents answers a page at a time"
        raise CheckFailed(f"{len(logged)} values", f"{len(given)} values", hint)
    differing = [
        number for number, pair in enumerate(zip(given, logged, strict=True)) if abs(pair[0] - pair[1]) > 1e-6
    ]
    if differing:
        number = differing[0]
        raise CheckFailed(
            f"{logged[number]} in round {number}", f"{given[number]}", "take validation-auc, not train"
        )
    return f"{len(logged)} rounds"


def validation_auc_of_log(name: str) -> list[float]:
    """The validation AUC of every round, from the job's log stream."""
    return [float(found[1]) for found in map(METRIC.search, lines_of(name)) if found]


def messages_of(logs: Any, stream: str, group: str = GROUP) -> Iterator[str]:
    """Every message of a log stream, oldest first."""
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        yield from (event["message"] for event in page["events"])
        # At the end the same token comes back.
        if token.get("nextToken") == page["nextForwardToken"]:
            return
        token = {"nextToken": page["nextForwardToken"]}


def lines_of(name: Any, group: str = GROUP) -> list[str]:
    """Every line of a job's log, stream by stream."""
    logs = client("logs")
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    return [message for stream in streams for message in messages_of(logs, stream["logStreamName"], group)]


def is_line(text: Any, lines: list[str]) -> bool:
    """Whether a learner's text is one of these lines, or enough of one to know it by."""
    return isinstance(text, str) and len(text.strip()) >= 10 and any(text.strip() in line for line in lines)
