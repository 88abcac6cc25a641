"""Why a job or an endpoint failed: found by its name, read from its log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from corelab.account.cloud import Account, refused
from corelab.core.failures import Explanation, explain
from corelab.errors import BadArgument

_STREAMS, _LINES = 5, 10_000
# What AWS answers about names it does not know, by kind (Service spec 5.1).
_UNKNOWN = ("ValidationException", "ResourceNotFound")


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to one resource; without ``explanation`` there is no failure to explain."""

    kind: str
    name: str
    status: str
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class _Kind:
    words: str
    operation: str
    stem: str
    group: str
    prefix: str


_KINDS = (
    _Kind("training job", "describe_training_job", "TrainingJob", "/aws/sagemaker/TrainingJobs", "{}/"),
    _Kind("transform job", "describe_transform_job", "TransformJob", "/aws/sagemaker/TransformJobs", "{}/"),
    _Kind("endpoint", "describe_endpoint", "Endpoint", "/aws/sagemaker/Endpoints/{}", ""),
    _Kind("tuning job", "describe_hyper_parameter_tuning_job", "HyperParameterTuningJob", "", ""),
)


def explain_by_name(account: Account, name: str) -> Story:
    """Of a tuning job that failed, its first failed training job is explained.

    Raises:
        BadArgument: there is nothing of this name.
        AccountError: a call was not allowed.
    """
    from botocore.exceptions import ClientError

    for kind in _KINDS:
        try:
            described = getattr(account.sagemaker, kind.operation)(**{f"{kind.stem}Name": name})
        except ClientError as error:
            if error.response["Error"]["Code"] not in _UNKNOWN:
                raise refused(error) from error
            continue
        return _story(account, kind, name, described)
    raise BadArgument(
        f"There is no job and no endpoint named {name!r} in {account.region} ({account.target})."
    )


def _story(account: Account, kind: _Kind, name: str, described: dict[str, Any]) -> Story:
    status, reason = described[f"{kind.stem}Status"], described.get("FailureReason")
    if not kind.group:
        child = _failed_child(account, name)
        if child is not None:
            return explain_by_name(account, child)
    if reason is None:
        return Story(kind.words, name, status, None)
    lines = list(_log(account, kind, name)) if kind.group else []
    return Story(kind.words, name, status, explain(lines, reason))


def _failed_child(account: Account, tuning_job: str) -> str | None:
    answer = account.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuning_job, StatusEquals="Failed", SortBy="CreationTime", MaxResults=1
    )
    return next((str(child["TrainingJobName"]) for child in answer["TrainingJobSummaries"]), None)


def _log(account: Account, kind: _Kind, name: str) -> Iterator[str]:
    """The log's last lines; none when the job ended before it wrote any."""
    from botocore.exceptions import ClientError

    group, prefix = kind.group.format(name), kind.prefix.format(name)
    asked = {"logStreamNamePrefix": prefix} if prefix else {}
    try:
        streams = account.logs.describe_log_streams(logGroupName=group, limit=_STREAMS, **asked)["logStreams"]
        for stream in streams:
            answer = account.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=False, limit=_LINES
            )
            yield from (event["message"] for event in answer["events"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise refused(error) from error
