"""Checks of models and transform jobs, by what Describe, the logs and S3 say about them."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pandas as pd
from botocore.exceptions import ClientError

from corelab.checks.cloud import NOT_MADE, asks_cloud, client, objects_below, read_object, split_uri
from corelab.checks.jobs import describe
from corelab.checks.logs import is_line, lines_of
from corelab.checks.outcome import CheckFailed, check
from corelab.checks.pages import look_at
from corelab.checks.plans import member
from corelab.checks.rows import channel_numbers
from corelab.checks.tables import as_numbers, read_table, unreadable

GROUP: Final = "/aws/sagemaker/TransformJobs"
CSV: Final = ("text/csv", "csv")
# Between two months of the same company columns move by a few hundredths of their spread.
MOST_DRIFT: Final = 0.5
# How the container and the service say that a row has a column too many.
REASON: Final = re.compile(r"(?<![.\d])400\b|feature|column", re.IGNORECASE)


@check
@asks_cloud
def source_job(name: Any) -> str:
    """The model comes from a finished training job of yours."""
    job = describe(name)
    if job["TrainingJobStatus"] not in ("Completed", "Stopped") or "ModelArtifacts" not in job:
        raise CheckFailed(
            "a job that wrote a model", job["TrainingJobStatus"], "take one of the candidates above"
        )
    return str(name)


@check
@asks_cloud
def model(name: Any) -> str:
    """The model joins an artifact of yours with the image that trained it."""
    container = container_of(name)
    job = trained_by(container.get("ModelDataUrl", ""))
    trained_with, serves_with = job["AlgorithmSpecification"].get("TrainingImage"), container.get("Image")
    if trained_with != serves_with:
        hint = "an artifact is read by what wrote it: take the training job's image"
        raise CheckFailed(str(trained_with), serves_with, hint)
    return str(job["TrainingJobName"])


@check
@asks_cloud
def inference_file(uri: Any, model_name: Any, rows: int) -> str:
    """The file in S3 holds what the model expects: its columns, in its order, and nothing else."""
    split_uri(uri)
    files = objects_below(uri)
    if not files:
        raise CheckFailed(f"a file at {uri}", "nothing there", "session.upload_data returns its address")
    table = pd.concat([read_table(read_object(file)) for file in files], ignore_index=True)
    trained = _training_features(model_name)
    numbers, words = as_numbers(table), unreadable(table)
    if words.any().any():
        row, column = map(int, np.argwhere(words.to_numpy())[0])
        hint = "no header, no ids, and get_dummies with dtype=int: inference refuses text"
        raise CheckFailed("numbers or empty cells", f"{table.iat[row, column]!r} in row {row + 1}", hint)
    if table.shape[1] != trained.shape[1]:
        more = (
            "is the label or an id among them?"
            if table.shape[1] > trained.shape[1]
            else "is a level missing?"
        )
        raise CheckFailed(f"{trained.shape[1]} columns, as in training", f"{table.shape[1]}", more)
    if len(table) != rows:
        raise CheckFailed(f"{rows:,} rows", f"{len(table):,}", "each customer once")
    _judge_drift(numbers, trained)
    return f"{len(table):,} rows, {table.shape[1]} columns"


@check
def planned_transform(source: Any, output: Any, resources: Any) -> str:
    """The parts of the transform job fit together."""
    if member(source, "content_type") not in CSV:
        raise CheckFailed('content_type="text/csv"', member(source, "content_type"), "what do the rows hold?")
    if member(source, "split_type") != "Line":
        hint = "unsplit, the whole file is one request, and it must be smaller than the payload limit"
        raise CheckFailed('split_type="Line"', member(source, "split_type"), hint)
    if member(output, "assemble_with") != "Line":
        hint = "without it results are written one after the other, with nothing between"
        raise CheckFailed('assemble_with="Line"', member(output, "assemble_with"), hint)
    split_uri(member(output, "s3_output_path"))
    count = member(resources, "instance_count")
    if count != 1:
        raise CheckFailed(
            "1 instance", count, "one file is never divided among instances: the others would idle"
        )
    return f"{member(resources, 'instance_type')}"


@check
@asks_cloud
def transform_job(name: Any, model_name: Any) -> str:
    """The transform job asks your model about your file."""
    job = describe_transform(name)
    if job["ModelName"] != model_name:
        raise CheckFailed(
            f"the model {model_name}", job["ModelName"], "see model_name of TransformJob.create"
        )
    source, resources = job["TransformInput"], job["TransformResources"]
    if source.get("ContentType") not in CSV or source.get("SplitType") != "Line":
        raise CheckFailed("text/csv, split by line", source, "see TransformInput")
    if resources["InstanceCount"] > 2:
        raise CheckFailed("1 or 2 instances", resources, "one file is never divided among instances")
    return f"{resources['InstanceCount']} x {resources['InstanceType']}"


@check
@asks_cloud
def transformed(name: Any) -> str:
    """The transform job is Completed."""
    job = describe_transform(name)
    status = job["TransformJobStatus"]
    if status != "Completed":
        got = f"{status}: {job['FailureReason']}" if job.get("FailureReason") else status
        hint = look_at("transform", name, "wait for it; if it failed, read its log in CloudWatch")
        raise CheckFailed("status Completed", got, hint)
    return f"{seconds_of(job):.1f} s"


@check
@asks_cloud
def failed_transform(line: Any, name: Any) -> None:
    """The broken transform job failed, and this line of its log says why."""
    job = describe_transform(name)
    if job["TransformJobStatus"] != "Failed":
        raise CheckFailed("status Failed", job["TransformJobStatus"], "was the broken file sent?")
    lines = lines_of(name, GROUP)
    if not is_line(line, lines):
        hint = f"the group {GROUP}, the streams that start with the broken job's name"
        raise CheckFailed(f"one of the {len(lines)} lines of the broken job's log", line, hint)
    if not REASON.search(line):
        raise CheckFailed(
            "the line with the status or the columns", line, "which line tells this failure apart?"
        )


@check
@asks_cloud
def transform_output(uri: Any, name: Any) -> str:
    """This is where the job wrote its results."""
    split_uri(uri)
    outputs = outputs_of(describe_transform(name))
    if uri not in outputs:
        hint = "the output path of the job, then the input's name below its prefix, then .out"
        raise CheckFailed(", ".join(outputs), uri, hint)
    return str(uri).rsplit("/", 1)[-1]


@check
@asks_cloud
def transform_log(line: Any, name: Any) -> str:
    """The line stands in the transform job's log."""
    lines = lines_of(name, GROUP)
    if not is_line(line, lines):
        hint = f"the group {GROUP}, a stream that starts with the job's name"
        raise CheckFailed(f"one of the {len(lines)} lines of the job's log", line, hint)
    return f"one of {len(lines)} lines"


def describe_transform(name: Any) -> dict[str, Any]:
    """What DescribeTransformJob says, or CheckFailed when there is no such job."""
    try:
        answer: dict[str, Any] = client("sagemaker").describe_transform_job(TransformJobName=str(name))
    except ClientError as problem:
        raise _unless_unknown(problem, "a transform job", name) from None
    return answer


def container_of(name: Any) -> dict[str, Any]:
    """Image, artifact and environment of a model, or CheckFailed when there is no such model."""
    try:
        answer = client("sagemaker").describe_model(ModelName=str(name))
    except ClientError as problem:
        raise _unless_unknown(problem, "a model", name) from None
    return dict(answer.get("PrimaryContainer") or next(iter(answer.get("Containers", ())), {}))


def trained_by(uri: str) -> dict[str, Any]:
    """What Describe says of the training job that wrote an artifact."""
    if not uri.endswith("/model.tar.gz"):
        hint = "the job knows its own: model_artifacts.s3_model_artifacts, and not the output path"
        raise CheckFailed("an address that ends in model.tar.gz", uri, hint)
    parts = uri.split("/")
    job = describe(parts[-3] if len(parts) > 5 else "")
    if job.get("ModelArtifacts", {}).get("S3ModelArtifacts") != uri:
        raise CheckFailed("the artifact of a training job of yours", uri, "was the file copied or renamed?")
    return job


def outputs_of(job: dict[str, Any]) -> list[str]:
    """Addresses of the objects that a finished transform job wrote, by its own input and output paths."""
    prefix = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    target = job["TransformOutput"]["S3OutputPath"].rstrip("/")
    names = (
        uri.rsplit("/", 1)[-1] if uri == prefix else uri.removeprefix(prefix).lstrip("/")
        for uri in objects_below(prefix)
    )
    there = set(objects_below(f"{target}/"))
    found = [f"{target}/{name}.out" for name in names if f"{target}/{name}.out" in there]
    if not found:
        raise CheckFailed(f"results below {target}", "none", "is the job Completed?")
    return found


def seconds_of(job: dict[str, Any]) -> float:
    """How long the job's machines worked, or CheckFailed while they still do."""
    if "TransformEndTime" not in job or "TransformStartTime" not in job:
        raise CheckFailed("a job that ended", job["TransformJobStatus"], "wait for it")
    return float((job["TransformEndTime"] - job["TransformStartTime"]).total_seconds())


def _training_features(model_name: Any) -> pd.DataFrame:
    job = trained_by(container_of(model_name).get("ModelDataUrl", ""))
    channel = next(c for c in job["InputDataConfig"] if c["ChannelName"] == "train")
    numbers = channel_numbers(channel).iloc[:, 1:]
    return numbers.set_axis(range(numbers.shape[1]), axis="columns")


def _judge_drift(now: pd.DataFrame, trained: pd.DataFrame) -> None:
    spread = trained.std().replace(0, np.nan).fillna(1)
    drift = ((now.mean() - trained.mean()) / spread).abs()
    missing = (now.isna().mean() - trained.isna().mean()).abs()
    for column in trained.columns:
        if drift[column] > MOST_DRIFT or missing[column] > 0.15 or np.isnan(drift[column]):
            got = f"mean {now[column].mean():.3g}, {now[column].isna().mean():.0%} missing"
            wanted = f"mean {trained[column].mean():.3g}, {trained[column].isna().mean():.0%} missing"
            hint = "same order of columns, same filling, same scale as in training?"
            raise CheckFailed(f"column {column} as in training, {wanted}", got, hint)


def _unless_unknown(problem: Exception, what: str, name: Any) -> Exception:
    code = problem.response["Error"]["Code"] if isinstance(problem, ClientError) else ""
    if code not in ("ValidationException", "ResourceNotFound"):
        return problem
    return CheckFailed(f"{what} of this name in your cloud", name, NOT_MADE)
