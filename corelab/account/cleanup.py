"""Finds and removes what costs money or lies about: running jobs, endpoints, their configurations, models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from corelab.account.cloud import Account, refused


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing to stop or delete; ``operation`` is the client's method, ``member`` what it calls the name."""

    kind: str
    name: str
    status: str
    operation: str
    member: str

    @property
    def verb(self) -> str:
        return "stop" if self.operation.startswith("stop") else "delete"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind is listed and removed."""

    words: str
    listing: str
    entries: str
    stem: str
    operation: str
    status: str | None = None
    only: str | None = None


# In the order of removal: an endpoint goes before what it was made of.
KINDS = (
    _Kind(
        "tuning job",
        "list_hyper_parameter_tuning_jobs",
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJob",
        "stop_hyper_parameter_tuning_job",
        "HyperParameterTuningJobStatus",
        "InProgress",
    ),
    _Kind(
        "training job",
        "list_training_jobs",
        "TrainingJobSummaries",
        "TrainingJob",
        "stop_training_job",
        "TrainingJobStatus",
        "InProgress",
    ),
    _Kind(
        "transform job",
        "list_transform_jobs",
        "TransformJobSummaries",
        "TransformJob",
        "stop_transform_job",
        "TransformJobStatus",
        "InProgress",
    ),
    _Kind("endpoint", "list_endpoints", "Endpoints", "Endpoint", "delete_endpoint", "EndpointStatus"),
    _Kind(
        "endpoint configuration",
        "list_endpoint_configs",
        "EndpointConfigs",
        "EndpointConfig",
        "delete_endpoint_config",
    ),
    _Kind("model", "list_models", "Models", "Model", "delete_model"),
)


def leftovers(account: Account) -> Iterator[Leftover]:
    """What would be removed, in the order of removal; nothing is changed.

    Raises:
        AccountError: a List call was not allowed.
    """
    from botocore.exceptions import ClientError

    try:
        for kind in KINDS:
            asked = {"StatusEquals": kind.only} if kind.only else {}
            for entry in account.pages(kind.listing, kind.entries, **asked):
                if account.owned(entry[f"{kind.stem}Arn"]):
                    status = entry[kind.status] if kind.status else ""
                    member = f"{kind.stem}Name"
                    yield Leftover(kind.words, entry[member], status, kind.operation, member)
    except ClientError as error:
        raise refused(error) from error


def remove(account: Account, leftover: Leftover) -> str | None:
    """Stop or delete it; gives AWS's words when that was refused, for the others should still go."""
    from botocore.exceptions import ClientError

    try:
        getattr(account.sagemaker, leftover.operation)(**{leftover.member: leftover.name})
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return None
