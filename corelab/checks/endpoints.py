"""Checks of models, endpoint configurations and endpoints, by what Describe says about them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from corelab.checks.cloud import NOT_MADE, asks_cloud, client, read_object
from corelab.checks.jobs import IMAGE
from corelab.checks.outcome import CheckFailed, check
from corelab.checks.pages import look_at
from corelab.checks.plans import member

MEMORY_SIZES = range(1024, 6145, 1024)
ABSENT = {"ValidationException", "ResourceNotFound"}


@check
@asks_cloud
def serving_model(name: Any) -> str:
    """The model joins your image and your artifact."""
    container = described("model", name)["PrimaryContainer"]
    if not IMAGE.match(container.get("Image", "")):
        hint = "the image that trained the model serves it: take it from the job"
        raise CheckFailed("the image of XGBoost 1.7-1", container.get("Image"), hint)
    uri = container.get("ModelDataUrl", "")
    if not uri.endswith("model.tar.gz"):
        hint = "not the folder and not the output path: the job's model artifact"
        raise CheckFailed("an address that ends in model.tar.gz", uri, hint)
    try:
        with tarfile.open(fileobj=io.BytesIO(read_object(uri)), mode="r:gz") as archive:
            names = archive.getnames()
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise CheckFailed("an archive with a model", str(problem), "did a training job write it?") from None
    if not any(name.split("/")[-1].startswith("xgboost-model") for name in names):
        raise CheckFailed("xgboost-model in the archive", ", ".join(names), "did a training job write it?")
    return str(uri.rsplit("/", 3)[1])


@check
def planned_serverless(plan: Any) -> str:
    """The serverless settings are ones that AWS takes and this lesson can use."""
    return _judge_serverless(
        {
            "MemorySizeInMB": member(plan, "memory_size_in_mb"),
            "MaxConcurrency": member(plan, "max_concurrency"),
            "ProvisionedConcurrency": member(plan, "provisioned_concurrency"),
        }
    )


@check
@asks_cloud
def serverless_config(name: Any, model_name: Any) -> str:
    """The endpoint configuration is serverless and serves your model."""
    variants = described("endpoint_config", name)["ProductionVariants"]
    variant = variants[0]
    if "ServerlessConfig" not in variant:
        hint = "an instance type bills around the clock: give the variant a serverless_config in its place"
        raise CheckFailed("a ServerlessConfig", variant.get("InstanceType", "none"), hint)
    if variant.get("ModelName") != model_name:
        raise CheckFailed(f"the model {model_name}", variant.get("ModelName"), "give your model's name")
    return _judge_serverless(variant["ServerlessConfig"])


@check
@asks_cloud
def deployed(name: Any, statuses: Any) -> str:
    """The endpoint went from Creating to InService, and you saw it."""
    endpoint = described("endpoint", name)
    if endpoint["EndpointStatus"] != "InService":
        got = f"{endpoint['EndpointStatus']} {endpoint.get('FailureReason', '')}".strip()
        hint = look_at("endpoints", name, "wait for it; if it failed, read FailureReason and the log")
        raise CheckFailed("status InService", got, hint)
    seen = list(statuses) if isinstance(statuses, Sequence) and not isinstance(statuses, str) else []
    if seen[:1] != ["Creating"] or seen[-1:] != ["InService"]:
        hint = "note the status after create, then each time that refresh shows another one"
        raise CheckFailed("a list from 'Creating' to 'InService'", statuses, hint)
    return " to ".join(map(str, seen))


@check
@asks_cloud
def deployment_time(seconds: Any, name: Any) -> str:
    """The time of the deployment is what the endpoint says."""
    endpoint = described("endpoint", name)
    actual = (endpoint["LastModifiedTime"] - endpoint["CreationTime"]).total_seconds()
    if not isinstance(seconds, int | float) or abs(seconds - actual) > 0.05 + actual / 20:
        hint = "subtract creation_time from last_modified_time after a refresh; total_seconds() of that"
        raise CheckFailed(f"{actual:.2f} s", seconds, hint)
    return f"{actual:.2f} s"


@check
@asks_cloud
def failed_endpoint(name: Any, reason: Any) -> str:
    """The endpoint Failed, and the reason you found is the one it gives."""
    endpoint = described("endpoint", name)
    actual = endpoint.get("FailureReason", "")
    if endpoint["EndpointStatus"] != "Failed" or not actual:
        raise CheckFailed("status Failed", endpoint["EndpointStatus"], "this one is meant to fail")
    if not isinstance(reason, str) or reason.strip() != actual.strip():
        raise CheckFailed(
            "the FailureReason of the endpoint", reason, "refresh() it, then look at failure_reason"
        )
    return f"{len(actual)} characters"


@check
@asks_cloud
def updated(name: Any, config_before: Any) -> str:
    """The endpoint serves from another configuration than it was made with."""
    endpoint = described("endpoint", name)
    config = endpoint["EndpointConfigName"]
    if endpoint["EndpointStatus"] != "InService":
        raise CheckFailed("status InService", endpoint["EndpointStatus"], "wait until the update is through")
    if config == config_before:
        hint = "Describe names the old configuration until the new one serves: did the update fail?"
        raise CheckFailed("a new EndpointConfigName", config, hint)
    before, now = (_serverless(described("endpoint_config", each)) for each in (config_before, config))
    if before == now:
        raise CheckFailed(
            "settings that differ", now, "change memory or concurrency in the new configuration"
        )
    return f"{before.get('MaxConcurrency')} to {now.get('MaxConcurrency')} at once"


@check
@asks_cloud
def nothing_left(run: Any) -> str:
    """Nothing of this run can cost money any more."""
    if not isinstance(run, str) or len(run) < 8:
        raise CheckFailed("the name of this run", run, "run the cell that makes it")
    sagemaker = client("sagemaker")
    for kind, listing, key in (
        ("endpoint", sagemaker.list_endpoints, "Endpoints"),
        ("endpoint configuration", sagemaker.list_endpoint_configs, "EndpointConfigs"),
        ("model", sagemaker.list_models, "Models"),
    ):
        left = [
            next(v for k, v in entry.items() if k.endswith("Name"))
            for entry in listing(NameContains=run)[key]
        ]
        if left:
            raise CheckFailed(f"no {kind} of this run", ", ".join(left), "delete() it, endpoints first")
    group = f"/aws/sagemaker/Endpoints/{run}"
    if not client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        raise CheckFailed("the log of an endpoint that served", "none", "there was nothing to clean up yet")
    return "its log stays"


def described(kind: str, name: Any) -> dict[str, Any]:
    """What Describe says of a ``model``, ``endpoint_config`` or ``endpoint``; CheckFailed when there is none."""
    parameter = "".join(word.capitalize() for word in kind.split("_")) + "Name"
    try:
        answer: dict[str, Any] = getattr(client("sagemaker"), f"describe_{kind}")(**{parameter: str(name)})
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in ABSENT:
            raise
        raise CheckFailed(
            f"one {kind.replace('_', ' ')} of this name in your cloud", name, NOT_MADE
        ) from None
    return answer


def _serverless(config: Mapping[str, Any]) -> dict[str, Any]:
    return dict(config["ProductionVariants"][0].get("ServerlessConfig", {}))


def _judge_serverless(given: Mapping[str, Any]) -> str:
    memory, most = given.get("MemorySizeInMB"), given.get("MaxConcurrency")
    if memory not in MEMORY_SIZES:
        raise CheckFailed(
            "1024, 2048, 3072, 4096, 5120 or 6144 MB", memory, "memory comes in whole gigabytes"
        )
    if not isinstance(most, int) or not 1 <= most <= 4:
        hint = "AWS allows 200; stay small here, so that you see what happens at the limit"
        raise CheckFailed("a max_concurrency from 1 to 4", most, hint)
    warm = given.get("ProvisionedConcurrency") or 0
    if warm > most:
        raise CheckFailed(f"at most {most} provisioned", warm, "more cannot be used than may run at once")
    return f"{memory} MB, {most} at once" + (f", {warm} kept warm" if warm else "")
