"""Checks of the closing chapter: a session utility, names, tags, the experiment table and the bill."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
import pandas as pd

from corelab.checks.cloud import ROLE, asks_cloud, client, read_object, split_uri
from corelab.checks.jobs import IMAGE
from corelab.checks.outcome import CheckFailed, check
from corelab.checks.plans import member
from corelab.core.prices import load_prices, training_cost
from corelab.errors import BadArgument

RESOURCE = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:([a-z-]+)/")
TAGGED_KINDS = ("training-job", "model", "transform-job", "endpoint-config", "endpoint")
ASSIGNMENT_ONE = {"course": "corelab", "assignment": "a1_training_job"}


@check
@asks_cloud
def session_ready(session: Any, student: Any) -> str:
    """The session knows who, where and which run, and its folder is in S3."""
    slug = re.sub(r"[^a-z0-9]+", "-", str(student).lower()).strip("-")
    name = str(session.training_job_name)
    if slug in ("", "your-name") or not name.startswith(slug[:20]):
        raise CheckFailed("your name at the start of the job's name", name, "give it as project_name")
    region = boto3.session.Session().region_name
    if session.region != region or not ROLE.match(str(session.role)):
        raise CheckFailed(
            f"a role, and {region}", f"{session.role}, {session.region}", "leave both to the class"
        )
    base = str(session.base_s3_uri)
    if not base.endswith(f"/{session.timestamp}/"):
        raise CheckFailed("a folder that ends in the run's timestamp", base, "make it a CoreLabSession")
    bucket, key = split_uri(base)
    listed = client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    if not listed.get("KeyCount"):
        raise CheckFailed(f"an object at {base}", "nothing there", "create_run_folder=True")
    return base


@check
def made_by_hand(values: Any, session: Any) -> str:
    """What you made by hand is what the session has."""
    if not isinstance(values, Mapping):
        raise CheckFailed("a dict", type(values).__name__, 'by_hand = {"region": ..., ...}')
    wanted = {name: getattr(session, name) for name in HAND_MADE} | {"image": session.retrieve_image("1.7-1")}
    for name, value in wanted.items():
        if values.get(name) != value:
            raise CheckFailed(f"{name}: {value}", values.get(name), "compare character by character")
    if not IMAGE.match(str(values["image"])):
        raise CheckFailed("the image of XGBoost 1.7-1", values["image"], "image_uris.retrieve")
    return f"{len(wanted)} values"


HAND_MADE = (
    "region",
    "role",
    "base_s3_uri",
    "jobs_output_s3_uri",
    "transform_output_s3_uri",
    "training_job_name",
    "model_name",
    "serverless_endpoint_name",
)


@check
def reused(first: Any, second: Any, name: Any) -> str:
    """Asking twice gives one model."""
    if (
        not isinstance(first, str)
        or not RESOURCE.match(first)
        or not first.endswith(f"model/{str(name).lower()}")
    ):
        raise CheckFailed(
            f"the ARN of the model {name}", first, "return ModelArn, or model_arn of the object"
        )
    if first != second:
        raise CheckFailed(
            "the same ARN both times", f"{first} and {second}", "describe first, create if absent"
        )
    return first.rsplit(":", 1)[-1]


@check
def run_tags(tags: Any, session: Any) -> str:
    """The tags say which course, project and run."""
    found = {str(member(tag, "key")): str(member(tag, "value")) for tag in tags} if tags else {}
    wanted = {"course": "corelab", "project": str(session.project_name), "run": str(session.timestamp)}
    for key, value in wanted.items():
        if found.get(key) != value:
            raise CheckFailed(
                f"{key} = {value}", found.get(key, "no such tag"), "a list of Tag(key=..., value=...)"
            )
    return ", ".join(sorted(found))


@check
@asks_cloud
def run_note(uri: Any, session: Any) -> str:
    """The note lies with the run, and says something."""
    if not str(uri).startswith(str(session.base_s3_uri)):
        raise CheckFailed(f"an address below {session.base_s3_uri}", uri, "the run's own folder")
    try:
        text = read_object(str(uri)).decode("utf-8", "replace")
    except client("s3").exceptions.ClientError as problem:
        raise CheckFailed(f"an object at {uri}", str(problem), "put_object writes it") from None
    if len(text.split()) < 5:
        raise CheckFailed("a sentence", text, "what did you try, and why?")
    return f"{len(text.split())} words"


@check
@asks_cloud
def tagged(arns: Any, run: Any) -> str:
    """All five kinds of resource carry the run's tag."""
    given = [str(arn) for arn in arns] if isinstance(arns, Sequence) else []
    kinds = {found[1]: arn for arn in given if (found := RESOURCE.match(arn))}
    for kind in TAGGED_KINDS:
        if kind not in kinds:
            raise CheckFailed(
                f"the ARN of a {kind}", ", ".join(kinds) or "none", "each object knows its own ARN"
            )
        tags = {
            tag["Key"]: tag["Value"] for tag in client("sagemaker").list_tags(ResourceArn=kinds[kind])["Tags"]
        }
        if tags.get("run") != str(run):
            hint = "give tags= when you create it; add_tags of the boto3 client does it later"
            raise CheckFailed(f"run = {run} on the {kind}", tags or "no tags", hint)
    return ", ".join(TAGGED_KINDS)


@check
@asks_cloud
def experiments(table: Any) -> str:
    """The table lists every Completed training job of assignment 1 with its AUC."""
    frame = pd.DataFrame(table)
    for column in ("name", "auc", "seconds"):
        if column not in frame.columns:
            raise CheckFailed(
                f"a column {column!r}", list(frame.columns), "name the columns name, auc, seconds"
            )
    actual = {job["TrainingJobName"]: job for job in completed_jobs(ASSIGNMENT_ONE)}
    if set(frame["name"]) != set(actual):
        hint = "Search answers a page at a time; filter by both tags and by the status Completed"
        raise CheckFailed(f"{len(actual)} jobs", f"{frame['name'].nunique()} jobs", hint)
    for name, auc, seconds in zip(frame["name"], frame["auc"], frame["seconds"], strict=True):
        job = actual[name]
        metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
        logged = metrics.get("validation:auc")
        if logged is not None and not abs(float(auc) - logged) < 1e-4:
            raise CheckFailed(f"{logged} for {name}", auc, "validation:auc of FinalMetricDataList")
        billed = job["BillableTimeInSeconds"]
        if not abs(float(seconds) - billed) < 0.5:
            raise CheckFailed(f"{billed} s for {name}", seconds, "BillableTimeInSeconds")
    return f"{len(frame)} jobs"


@check
@asks_cloud
def training_bill(dollars: Any) -> str:
    """The bill of these jobs is right."""
    rates = load_prices()
    try:
        actual = sum(_cost(job, rates) for job in completed_jobs(ASSIGNMENT_ONE))
    except BadArgument as problem:
        raise CheckFailed("jobs on machines with a price", str(problem), "use ml.m5.large") from None
    if not isinstance(dollars, int | float) or abs(dollars - actual) > 0.05 * actual + 1e-9:
        hint = "for each job: billable seconds / 3600 x price of an hour x number of instances"
        raise CheckFailed(f"${actual:.6f}", dollars, hint)
    return f"${actual:.6f}"


@check
@asks_cloud
def no_endpoint(session: Any) -> str:
    """No endpoint of yours is left."""
    prefix = str(session.serverless_endpoint_name)
    left = [e["EndpointName"] for e in client("sagemaker").list_endpoints(NameContains=prefix)["Endpoints"]]
    if left:
        raise CheckFailed(
            "none", ", ".join(left), "delete() it; forgotten endpoints are the classic of cloud bills"
        )
    return "nothing is billed while nobody works"


def completed_jobs(tags: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Completed training jobs with these tags, all pages."""
    filters = [{"Name": f"Tags.{key}", "Operator": "Equals", "Value": value} for key, value in tags.items()]
    filters.append({"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Completed"})
    pages = (
        client("sagemaker")
        .get_paginator("search")
        .paginate(Resource="TrainingJob", SearchExpression={"Filters": filters})
    )
    for page in pages:
        yield from (result["TrainingJob"] for result in page["Results"])


def _cost(job: Mapping[str, Any], rates: Any) -> float:
    resources = job["ResourceConfig"]
    count = resources.get("InstanceCount", 1)
    return training_cost(resources["InstanceType"], job["BillableTimeInSeconds"], count, prices=rates)
