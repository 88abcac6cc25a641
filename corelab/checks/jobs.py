"""Checks of training jobs, by what Describe, the logs and S3 say about them."""

from __future__ import annotations

import io
import re
import tarfile
from typing import Any

import numpy as np
import pandas as pd
from botocore.exceptions import ClientError

from corelab.checks.cloud import NOT_MADE, asks_cloud, client, objects_below, read_object, split_uri
from corelab.checks.outcome import CannotTell, CheckFailed, check
from corelab.checks.pages import look_at
from corelab.checks.scores import AUC_WINDOW
from corelab.checks.tables import as_numbers, judge_training_table, read_table
from corelab.core.prices import load_prices
from corelab.errors import BadArgument

JOB_NAME = re.compile(r"(?=.{1,63}\Z)[a-zA-Z0-9](-*[a-zA-Z0-9])*\Z")
IMAGE = re.compile(
    r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/sagemaker-xgboost:1\.7-1\Z"
)
CSV = {"text/csv", "csv"}
TABULAR = CSV | {"text/libsvm", "text/x-libsvm", "libsvm", "application/x-parquet", "parquet"}


@check
def job_name(name: Any, student: Any) -> str:
    """The job name is legal on AWS and holds your name."""
    if not isinstance(name, str) or not JOB_NAME.match(name):
        got = f"{name!r}, {len(name)} characters" if isinstance(name, str) else name
        raise CheckFailed(
            "letters, digits and hyphens between them, at most 63 characters",
            got,
            "no _ and no : in job names",
        )
    slug = re.sub(r"[^a-z0-9]+", "-", str(student).lower()).strip("-")
    if slug in ("", "your-name"):
        raise CheckFailed("your own name", student, "write it into the variable student")
    if slug not in name.lower():
        raise CheckFailed(
            f"{slug!r} in the job's name", name, "you will look for it among the jobs of a class"
        )
    return f"{len(name)} of 63 characters"


@check
def image(uri: Any, region: Any) -> None:
    """The image is XGBoost 1.7-1 of your region."""
    found = IMAGE.match(uri) if isinstance(uri, str) else None
    if not found:
        hint = 'image_uris.retrieve takes framework, region and version, here "1.7-1"'
        raise CheckFailed("<account>.dkr.ecr.<region>.amazonaws.com/sagemaker-xgboost:1.7-1", uri, hint)
    if found["region"] != region:
        hint = "each region has its own registry: pass the session's region"
        raise CheckFailed(f"the registry of {region}", f"the registry of {found['region']}", hint)


@check
@asks_cloud
def training_job(name: Any) -> str:
    """The training job exists and is set up for churn."""
    job = describe(name)
    specification, settings = job["AlgorithmSpecification"], job.get("HyperParameters", {})
    if specification["TrainingInputMode"] not in ("File", "FastFile"):
        raise CheckFailed("input mode File", specification["TrainingInputMode"], "see AlgorithmSpecification")
    if settings.get("objective") != "binary:logistic":
        hint = "without it the container fits a regression and logs rmse"
        raise CheckFailed('objective "binary:logistic"', settings.get("objective", "none"), hint)
    if "auc" not in settings.get("eval_metric", ""):
        raise CheckFailed(
            'eval_metric "auc"', settings.get("eval_metric", "none"), "it is what we compare jobs by"
        )
    if job["StoppingCondition"].get("MaxRuntimeInSeconds", 86_400) > 3_600:
        raise CheckFailed("at most 3600 s of run time", job["StoppingCondition"], "see StoppingCondition")
    resources = job["ResourceConfig"]
    if resources.get("InstanceCount") != 1 or resources["VolumeSizeInGB"] > 50:
        raise CheckFailed(
            "1 instance, up to 50 GB", resources, "this job is small, and you pay for what you ask"
        )
    return f"{resources['InstanceType']}, {settings.get('num_round')} rounds"


@check
@asks_cloud
def channels(name: Any, test_features: Any = None) -> str:
    """Both channels hold customers the container can read, and none of those kept for the test."""
    found = {channel["ChannelName"]: channel for channel in describe(name)["InputDataConfig"]}
    for wanted in ("train", "validation"):
        if wanted not in found:
            raise CheckFailed(
                f"a channel {wanted!r}", ", ".join(found), "the algorithm knows train and validation"
            )
        content_type = found[wanted].get("ContentType", "none")
        if content_type not in TABULAR:
            hint = 'without content_type="text/csv" the container expects libsvm'
            raise CheckFailed(f"a content type the container knows for {wanted}", content_type, hint)
    if any(found[part].get("ContentType") not in CSV for part in ("train", "validation")):
        return "not CSV, judged by the job alone"
    train, validation = (_channel_table(found[part]) for part in ("train", "validation"))
    shared = len(_rows(as_numbers(train)) & _rows(as_numbers(validation)))
    if shared > len(validation) // 100:
        hint = "validate on customers the model did not train on; is one prefix the start of the other?"
        raise CheckFailed("different customers in train and validation", f"{shared} rows in both", hint)
    _judge_held_back(train, test_features)
    return f"{len(train):,} and {len(validation):,} rows, {train.shape[1] - 1} features"


@check
@asks_cloud
def completed(name: Any) -> str:
    """The job is Completed, and its validation AUC is what these data allow."""
    job = describe(name)
    status = job["TrainingJobStatus"]
    if status != "Completed":
        got = f"{status}: {_told(job['FailureReason'])}" if job.get("FailureReason") else status
        hint = look_at("training", name, "wait for it; if it failed, read its log in CloudWatch")
        raise CheckFailed("status Completed", got, hint)
    metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
    auc, (low, high) = metrics.get("validation:auc"), AUC_WINDOW
    if auc is None or not low <= auc <= high:
        hint = "too low: is the label first? too high: does a feature hold the label?"
        raise CheckFailed(
            f"validation:auc from {low} to {high}", "none" if auc is None else f"{auc:.4f}", hint
        )
    return f"validation AUC {auc:.3f} after {job.get('TrainingTimeInSeconds', 0)} s"


@check
@asks_cloud
def job_arn(arn: Any, name: Any) -> None:
    """The ARN is your job's."""
    actual = describe(name)["TrainingJobArn"]
    if arn != actual:
        raise CheckFailed(
            f"the ARN that ends in {actual.rsplit(':', 1)[-1]}", arn, "copy it from the job's page"
        )


@check
@asks_cloud
def artifact(name: Any) -> str:
    """The job wrote a model.tar.gz with a model in it."""
    uri = describe(name).get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if not uri:
        raise CheckFailed("a model of a Completed job", "no artifact", "wait for the job to end")
    try:
        with tarfile.open(fileobj=io.BytesIO(read_object(uri)), mode="r:gz") as archive:
            names = [member.name for member in archive.getmembers() if member.isfile()]
    except tarfile.TarError as problem:
        raise CheckFailed("a tar archive", str(problem), "did the job write this object?") from None
    if not any(member.split("/")[-1].startswith("xgboost-model") for member in names):
        raise CheckFailed(
            "xgboost-model in the archive", ", ".join(names), "did the built-in algorithm train?"
        )
    return str(uri)


@check
@asks_cloud
def worst_case_cost(dollars: Any, name: Any) -> str:
    """The most that the job could have cost is right."""
    job = describe(name)
    resources = job["ResourceConfig"]
    seconds = job["StoppingCondition"]["MaxRuntimeInSeconds"]
    hourly = _hourly_price(resources["InstanceType"])
    most = seconds / 3600 * hourly * resources["InstanceCount"]
    if not isinstance(dollars, int | float) or abs(dollars - most) > 0.01 * most:
        hint = "longest run time in hours x price of an hour x number of instances"
        raise CheckFailed(f"${most:.4f} for {seconds} s of {resources['InstanceType']}", dollars, hint)
    return f"${most:.4f}"


def _told(reason: str) -> str:
    """The line of a failure reason that a person can use, not the stack around it."""
    lines = [
        line for line in reason.splitlines() if line.strip() and not line.startswith((" ", "Stack", "Trace"))
    ]
    return (lines or [reason])[-1][:300]


def _hourly_price(instance_type: str) -> float:
    try:
        return load_prices().hourly(instance_type)
    except BadArgument as problem:
        raise CannotTell(str(problem)) from problem


def describe(name: Any) -> dict[str, Any]:
    """What DescribeTrainingJob says, or CheckFailed when there is no such job."""
    try:
        answer: dict[str, Any] = client("sagemaker").describe_training_job(TrainingJobName=str(name))
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        raise CheckFailed("a training job of this name in your cloud", name, NOT_MADE) from None
    return answer


def _channel_table(channel: dict[str, Any]) -> pd.DataFrame:
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    split_uri(uri)
    files = objects_below(uri)
    if not files:
        raise CheckFailed(f"files below {uri}", "none", "the channel's S3 address is where you uploaded to")
    table = pd.concat([read_table(read_object(file)) for file in files], ignore_index=True)
    judge_training_table(table)
    return table


def _judge_held_back(train: pd.DataFrame, test_features: Any) -> None:
    """Customers are told by their features; a table of another shape is another check's business."""
    try:
        kept = np.asarray(test_features, dtype=float)
    except (TypeError, ValueError):
        return
    if kept.ndim != 2 or kept.shape[1] != train.shape[1] - 1:
        return
    # A table as it was computed and as it was written differ in their last digits.
    seen, unseen = (
        _rows(np.round(np.asarray(part, dtype=float), 6)) for part in (as_numbers(train.iloc[:, 1:]), kept)
    )
    shared = len(seen & unseen)
    if shared > len(kept) // 100:
        hint = "a model is judged on customers it never saw: train on those of part 'train' alone"
        raise CheckFailed("no test customers in the train channel", f"{shared} test customers in it", hint)


def _rows(numbers: Any) -> set[bytes]:
    """Each row as one thing to compare."""
    table = np.ascontiguousarray(np.asarray(numbers, dtype=float) + 0.0)  # -0.0 becomes 0.0
    return {row.tobytes() for row in table}
