"""Checks of the debugging labs: what broken files and jobs are, by what the cloud itself holds of them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from corelab.checks.cloud import asks_cloud, client, objects_below, read_object
from corelab.checks.jobs import describe
from corelab.checks.logs import GROUP, messages_of
from corelab.checks.outcome import CheckFailed, check
from corelab.checks.tables import FLAGS, as_numbers, judge_training_table, read_table
from corelab.core.failures import explain

# Where the SDKs of this course keep what the imports lab asks for.
HOMES: Final = {
    "TrainingJob": {"sagemaker_core.resources", "sagemaker_core.main.resources"},
    "Channel": {"sagemaker_core.shapes", "sagemaker_core.main.shapes"},
    "retrieve": {"sagemaker.image_uris"},
}
MISTAKES: Final = ("header", "label last", "words", "ids")


@check
def imports(lines: Any) -> str:
    """Every import names the module that has it."""
    if not isinstance(lines, Sequence) or isinstance(lines, str) or len(lines) != len(HOMES):
        raise CheckFailed(f"a list of {len(HOMES)} import lines", lines, "one text for each broken line")
    for name, line in zip(HOMES, lines, strict=True):
        module, found = _imported(line)
        if found != [name]:
            hint = f"one line, one name, no star: from <module> import {name}"
            raise CheckFailed(f"an import of {name}", line, hint)
        if module not in HOMES[name]:
            hint = "resources are what exists in the cloud, shapes are values; images belong to the older SDK"
            raise CheckFailed(f"the module that {name} lives in", line, hint)
    return ", ".join(HOMES)


@check
@asks_cloud
def first_lines(lines: Any, place: Any) -> str:
    """These are the first lines of the files in S3."""
    texts = _files_below(place)
    for name, text in texts.items():
        wanted = text.splitlines()[0]
        given = lines.get(name) if isinstance(lines, Mapping) else None
        if not isinstance(given, str) or given.strip() != wanted.strip():
            hint = "get_object(...)['Body'].read().decode(), then splitlines()"
            raise CheckFailed(f"the first line of {name}, {len(wanted)} characters", given, hint)
    return ", ".join(texts)


@check
@asks_cloud
def diagnosis(named: Any, place: Any) -> str:
    """Each file's mistake is named."""
    for name, text in _files_below(place).items():
        given = named.get(name) if isinstance(named, Mapping) else None
        if given not in MISTAKES:
            raise CheckFailed(f"one of {', '.join(MISTAKES)} for {name}", given, "use these very words")
        if given != mistake_of(read_table(text.encode())):
            hint = "look at its first two lines, and count: label, four features"
            raise CheckFailed(f"the mistake that {name} has", given, hint)
    return "four of four"


@check
@asks_cloud
def failed_training(name: Any, line: Any) -> str:
    """The job failed, and this line of its log says why."""
    job = describe(name)
    if job["TrainingJobStatus"] != "Failed":
        raise CheckFailed("a job that Failed", f"{name}: {job['TrainingJobStatus']}", "one of the four did")
    said = [*log_of(name), *job.get("FailureReason", "").splitlines()]
    text = line.strip() if isinstance(line, str) else ""
    known = explain([text]) if text else None
    if not any(text and text in message for message in said):
        raise CheckFailed("a line of the job's log, or of its FailureReason", line, "copy it as it stands")
    if known is None or not known.known:
        raise CheckFailed(
            "the line that names the cause", text, "not the stack around it: what must be what?"
        )
    return known.meaning


@check
@asks_cloud
def mended_training(name: Any, broken: Any) -> str:
    """The same customers train once their file is mended."""
    job = describe(name)
    if job["TrainingJobStatus"] != "Completed":
        raise CheckFailed("status Completed", f"{name}: {job['TrainingJobStatus']}", "read its log as before")
    table, before = _training_table(job), _training_table(describe(broken))
    judge_training_table(table)
    if len(table) != len(before):
        hint = "mend the file, and leave nobody out"
        raise CheckFailed(f"{len(before)} customers, as in the broken file", f"{len(table)}", hint)
    return f"{len(table)} customers"


@check
@asks_cloud
def moments(named: Any, jobs: Mapping[str, str]) -> str:
    """You know which mistake stops a job when."""
    truth = {label: moment_of(name) for label, name in jobs.items()}
    if "failed" not in truth.values():
        raise CheckFailed("jobs that were tried", "none of them ran", "run the cell that starts the four")
    for label, moment in truth.items():
        given = named.get(label) if isinstance(named, Mapping) else None
        if given != moment:
            hint = '"refused" when there is no job afterwards, "failed" when there is one: which printed a status?'
            raise CheckFailed(f"what became of {label!r}", given, hint)
    return ", ".join(f"{label} {moment}" for label, moment in truth.items())


@check
@asks_cloud
def allowed_training(name: Any, denied: Any) -> str:
    """With the right it lacked, the same role trains."""
    before, job = describe(denied), describe(name)
    reason = before.get("FailureReason", "")
    if before["TrainingJobStatus"] != "Failed" or not ("403" in reason or "AccessDenied" in reason):
        hint = "run the four jobs first: the weak role's one must be denied its data"
        raise CheckFailed("a first job that was denied its data", before["TrainingJobStatus"], hint)
    if job["RoleArn"] != before["RoleArn"]:
        raise CheckFailed(f"the role {before['RoleArn']}", job["RoleArn"], "mend the role, not the job")
    if job["TrainingJobStatus"] != "Completed":
        hint = "which action reads an object, and on which resource? the ARN of a bucket is not that of its objects"
        raise CheckFailed("status Completed", job.get("FailureReason", job["TrainingJobStatus"])[:200], hint)
    return str(job["RoleArn"]).rsplit("/", 1)[-1]


def mistake_of(table: pd.DataFrame) -> str:
    """Which of the four mistakes a table of text cells has."""
    numbers = as_numbers(table)
    if numbers.iloc[0].isna().all():
        return "header"
    if table.isin(FLAGS).any().any():
        return "words"
    if numbers.isna().any().any():
        return "ids"
    return "none" if numbers[0].isin([0, 1]).all() else "label last"


def moment_of(name: str) -> str:
    """What became of a request: no such job, or the status it ended with."""
    try:
        status = str(describe(name)["TrainingJobStatus"])
    except CheckFailed:
        return "refused"
    return status.lower()


def log_of(name: Any) -> list[str]:
    """Every line that a training job wrote."""
    logs = client("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    return [message for stream in streams for message in messages_of(logs, stream["logStreamName"])]


def _imported(line: Any) -> tuple[str, list[str]]:
    try:
        [statement] = ast.parse(line).body
    except (SyntaxError, TypeError, ValueError):
        return "", []
    if not isinstance(statement, ast.ImportFrom):
        return "", []
    return statement.module or "", [alias.name for alias in statement.names]


def _files_below(place: Any) -> dict[str, str]:
    found = {uri.rsplit("/", 1)[-1]: uri for uri in objects_below(f"{str(place).rstrip('/')}/")}
    if not found:
        raise CheckFailed(f"files below {place}", "none", "run the cell that uploads them")
    return {name: read_object(uri).decode("utf-8", "replace") for name, uri in found.items()}


def _training_table(job: Mapping[str, Any]) -> pd.DataFrame:
    channel = next(c for c in job["InputDataConfig"] if c["ChannelName"] == "train")
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    files = objects_below(uri)
    if not files:
        raise CheckFailed(f"the job's data at {uri}", "nothing there any more", "run the lab again")
    return pd.concat([read_table(read_object(file)) for file in files], ignore_index=True)
