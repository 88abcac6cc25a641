"""What the course cost: from the local server's ledger, or on AWS from what Describe says of tagged resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from corelab.account.cloud import Account, refused
from corelab.connection import launch
from corelab.core.prices import endpoint_cost, serverless_cost, training_cost
from corelab.errors import BadArgument, ServerError
from corelab.home import Home

_DAY = 86400


@dataclass(frozen=True, slots=True)
class Charge:
    """One resource's part of the bill; ``usd`` is None when no price is known."""

    kind: str
    name: str
    what: str
    seconds: float
    usd: float | None
    runs: bool


def local_bill(home: Home) -> list[Charge]:
    """The bill of a home, deleted resources included.

    Raises:
        ServerError: when the server cannot be started or draws up no bill.
    """
    server = launch.ensure(home)
    page = launch.get_json(server.url, "/_corelab/bill", timeout=60)
    if page is None:
        raise ServerError(f"{server.url}/_corelab/bill does not answer. Read {home.log}.")
    return [
        Charge(
            line["kind"],
            line["name"],
            line["what"],
            line["billed_seconds"],
            line["usd"],
            line["ended"] is None,
        )
        for line in page["lines"]
    ]


def aws_bill(account: Account, now: datetime | None = None) -> list[Charge]:
    """Estimates for what the account still knows of and the course tagged: AWS forgets deleted endpoints.

    Raises:
        AccountError: a call was not allowed.
    """
    from botocore.exceptions import ClientError

    moment = now or datetime.now(UTC)
    try:
        return [*_training(account, moment), *_transforms(account, moment), *_endpoints(account, moment)]
    except ClientError as error:
        raise refused(error) from error


def _training(account: Account, now: datetime) -> Iterator[Charge]:
    filters = [{"Name": f"Tags.{k}", "Operator": "Equals", "Value": v} for k, v in account.tags.items()]
    tagged = {"Filters": filters}
    for found in account.pages("search", "Results", Resource="TrainingJob", SearchExpression=tagged):
        job = found["TrainingJob"]
        resources = job["ResourceConfig"]
        seconds = job.get("BillableTimeInSeconds") or _elapsed(job, "Training", now)
        kind, count, volume = (
            resources["InstanceType"],
            resources["InstanceCount"],
            resources["VolumeSizeInGB"],
        )
        yield _charge(
            "training-job",
            job["TrainingJobName"],
            f"{count} x {kind}",
            seconds,
            partial(training_cost, kind, seconds, count, volume),
            job["TrainingJobStatus"] in ("InProgress", "Stopping"),
        )


def _transforms(account: Account, now: datetime) -> Iterator[Charge]:
    for summary in account.pages("list_transform_jobs", "TransformJobSummaries"):
        if not account.owned(summary["TransformJobArn"]):
            continue
        job = account.sagemaker.describe_transform_job(TransformJobName=summary["TransformJobName"])
        seconds = _elapsed(job, "Transform", now)
        kind, count = job["TransformResources"]["InstanceType"], job["TransformResources"]["InstanceCount"]
        yield _charge(
            "transform-job",
            job["TransformJobName"],
            f"{count} x {kind}",
            seconds,
            partial(training_cost, kind, seconds, count),
            job["TransformJobStatus"] in ("InProgress", "Stopping"),
        )


def _elapsed(job: dict[str, Any], stem: str, now: datetime) -> float:
    """Seconds from a job's start to its end, or to now while it runs."""
    began = job.get(f"{stem}StartTime")
    return max((job.get(f"{stem}EndTime", now) - began).total_seconds(), 0.0) if began else 0.0


def _endpoints(account: Account, now: datetime) -> Iterator[Charge]:
    for summary in account.pages("list_endpoints", "Endpoints"):
        if not account.owned(summary["EndpointArn"]):
            continue
        name = summary["EndpointName"]
        endpoint = account.sagemaker.describe_endpoint(EndpointName=name)
        config = account.sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        for variant in config["ProductionVariants"]:
            yield _variant(account, endpoint, variant, now)


def _variant(account: Account, endpoint: dict[str, Any], variant: dict[str, Any], now: datetime) -> Charge:
    name, runs = endpoint["EndpointName"], endpoint["EndpointStatus"] != "Failed"
    if "ServerlessConfig" in variant:
        memory = variant["ServerlessConfig"]["MemorySizeInMB"]
        busy = _busy_seconds(account, name, variant["VariantName"], endpoint["CreationTime"], now)
        what = f"serverless, {memory} MB"
        return _charge("endpoint", name, what, busy, partial(serverless_cost, memory, busy), runs)
    kind, count = variant["InstanceType"], variant["InitialInstanceCount"]
    seconds = (now - endpoint["CreationTime"]).total_seconds() if runs else 0.0
    return _charge(
        "endpoint", name, f"{count} x {kind}", seconds, partial(endpoint_cost, kind, seconds, count), runs
    )


def _busy_seconds(account: Account, endpoint: str, variant: str, since: datetime, now: datetime) -> float:
    answer = account.cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=since,
        EndTime=now,
        Period=_DAY,
        Statistics=["Sum"],
    )
    return sum(float(point["Sum"]) for point in answer["Datapoints"]) / 1e6


def _charge(kind: str, name: str, what: str, seconds: float, cost: Callable[[], float], runs: bool) -> Charge:
    try:
        return Charge(kind, name, what, seconds, cost(), runs)
    except BadArgument:  # a type without a price line
        return Charge(kind, name, what, seconds, None, runs)
