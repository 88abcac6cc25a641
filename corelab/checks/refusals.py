"""Checks of requests that the service refuses, and of what came of them once mended.

A refused request leaves nothing behind that could be looked up. So the check takes the mended resource, spoils it in
the same way, asks the cloud once more, and compares what the learner quotes with what the cloud says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from corelab.checks.cloud import asks_cloud, client
from corelab.checks.outcome import CannotTell, CheckFailed, check
from corelab.checks.transform import container_of, describe_transform, trained_by
from corelab.checks.tuning import describe_tuning

SHORTEST: Final = 20
ADDRESS: Final = re.compile(r"s3://[^\s\"']*?(?=[.,]?(?:[\s\"']|$))")
JOB_PARTS: Final = ("ModelName", "TransformInput", "TransformOutput", "TransformResources")


@check
@asks_cloud
def refused_search(text: Any, mended: Any, **wrong: Any) -> str:
    """You quote why the service refused the search, and it took the mended one."""
    job = describe_tuning(mended)
    config = job["HyperParameterTuningJobConfig"]
    for part, value in wrong.items():
        if config.get(part) == value:
            raise CheckFailed(f"a mended {part}", value, "change what the service complained about")
    definition = job["TrainingJobDefinition"]
    definition["AlgorithmSpecification"].pop("MetricDefinitions", None)
    definition.get("StaticHyperParameters", {}).pop("_tuning_objective_metric", None)
    sagemaker, name = client("sagemaker"), f"x-{str(mended)[-30:].lstrip('-')}"
    said = _refusal(
        lambda: sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig=config | wrong,
            TrainingJobDefinition=definition,
        ),
        lambda: sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
    )
    return _quoted(text, said)


@check
@asks_cloud
def refused_model(text: Any, mended: Any) -> str:
    """You quote why the service refused the model, and it took the mended one."""
    container = container_of(mended)
    trained_by(container.get("ModelDataUrl", ""))
    folder = container["ModelDataUrl"].removesuffix("model.tar.gz")
    sagemaker, name = client("sagemaker"), f"x-{str(mended)[-61:].lstrip('-')}"
    role = sagemaker.describe_model(ModelName=str(mended))["ExecutionRoleArn"]
    said = _refusal(
        lambda: sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": container["Image"], "ModelDataUrl": folder},
            ExecutionRoleArn=role,
        ),
        lambda: sagemaker.delete_model(ModelName=name),
    )
    return _quoted(text, said)


@check
@asks_cloud
def refused_transform(text: Any, mended: Any) -> str:
    """You quote why the service refused the transform job, and the mended one is Completed."""
    job = describe_transform(mended)
    if job["TransformJobStatus"] != "Completed":
        raise CheckFailed("status Completed", job["TransformJobStatus"], "wait for the mended job")
    request: dict[str, Any] = {part: job[part] for part in JOB_PARTS}
    request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] += ".absent/"
    sagemaker, name = client("sagemaker"), f"x-{str(mended)[-61:].lstrip('-')}"
    said = _refusal(
        lambda: sagemaker.create_transform_job(TransformJobName=name, **request),
        lambda: sagemaker.stop_transform_job(TransformJobName=name),
    )
    return _quoted(text, said)


def _refusal(ask: Callable[[], Mapping[str, Any]], undo: Callable[[], Any]) -> str:
    """The message with which the service refuses."""
    try:
        ask()
    except ClientError as refused:
        return str(refused.response["Error"]["Message"])
    undo()
    raise CannotTell(
        "the cloud accepted the broken request this time, so there is no refusal to compare with"
    )


def _quoted(text: Any, said: str) -> str:
    """What a learner quotes must stand in the message, whichever S3 address it speaks of."""
    given, message = _plain(text) if isinstance(text, str) else "", _plain(said)
    if len(given) < SHORTEST or (given not in message and message not in given):
        hint = "run the broken cell, find the sentence that names the reason, and copy it word for word"
        raise CheckFailed("a sentence of the service's own answer", text, hint)
    return f"{len(given)} characters of it"


def _plain(text: str) -> str:
    """One spacing, one address, no quotation marks or dots at the ends."""
    return ADDRESS.sub("s3://", " ".join(text.split())).strip(" .\"'…")
