"""Checks of tuning jobs, by what Describe says about them and their training jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from corelab.checks.cloud import NOT_MADE, asks_cloud, client
from corelab.checks.jobs import describe
from corelab.checks.logs import lines_of
from corelab.checks.outcome import CheckFailed, check
from corelab.checks.pages import look_at
from corelab.checks.scores import AUC_WINDOW
from corelab.checks.tuning_plans import JOBS, LONGEST, PARALLEL, judge_ranges

TUNING_NAME = re.compile(r"(?=.{1,32}\Z)[a-zA-Z0-9](-*[a-zA-Z0-9])*\Z")
UNKNOWN = ("ValidationException", "ResourceNotFound")


@check
def tuning_name(name: Any, student: Any) -> str:
    """The tuning job's name is legal on AWS and holds your name."""
    if not isinstance(name, str) or not TUNING_NAME.match(name):
        got = f"{name!r}, {len(name)} characters" if isinstance(name, str) else name
        hint = "training jobs may have 63 characters, tuning jobs only 32: shorten the timestamp"
        raise CheckFailed("letters, digits and single hyphens, at most 32", got, hint)
    slug = re.sub(r"[^a-z0-9]+", "-", str(student).lower()).strip("-")
    if slug in ("", "your-name"):
        raise CheckFailed("your own name", student, "write it into the variable student")
    if not any(part in name.lower() for part in slug.split("-")):
        raise CheckFailed(
            f"some of {slug!r} in the name", name, "you will look for it among the jobs of a class"
        )
    return f"{len(name)} of 32 characters"


@check
@asks_cloud
def logged_metrics(names: Any, job: Any) -> str:
    """These are the metrics that the baseline's log holds."""
    describe(job)
    logged = _metrics_of_log(str(job))
    try:
        given = {str(name).replace("-", ":", 1) for name in names}
    except TypeError:
        raise CheckFailed("a set of metric names", names, "collect the names your expression finds") from None
    if given != logged:
        hint = "each line of a round ends in name:value pairs, parted by #011"
        raise CheckFailed(", ".join(sorted(logged)), ", ".join(sorted(given)) or "none", hint)
    return ", ".join(sorted(logged))


@check
@asks_cloud
def final_metric(value: Any, job: Any, metric: str = "validation:auc") -> None:
    """The baseline's metric is what its job reports."""
    actual = metric_of(job, metric)
    if not isinstance(value, int | float) or abs(value - actual) > 1e-4:
        hint = "final_metric_data_list of the job: take validation, not train"
        raise CheckFailed(f"{actual:.4f}, the {metric} of {job}", value, hint)


@check
@asks_cloud
def tuning_job(name: Any) -> str:
    """The tuning job exists, and its search is sound."""
    job = describe_tuning(name)
    config = job["HyperParameterTuningJobConfig"]
    objective = config.get("HyperParameterTuningJobObjective", {})
    if objective.get("MetricName") != "validation:auc" or objective.get("Type") != "Maximize":
        hint = "auc is better when larger, and the train part flatters deep trees"
        raise CheckFailed("Maximize validation:auc", objective, hint)
    limits = config["ResourceLimits"]
    jobs, parallel = limits.get("MaxNumberOfTrainingJobs", 0), limits["MaxParallelTrainingJobs"]
    _within("training jobs in all", jobs, *JOBS, "every one of them is paid for")
    _within("jobs at once", parallel, *PARALLEL, "jobs that start together cannot learn from each other")
    if parallel >= jobs:
        raise CheckFailed(
            "fewer jobs at once than in all", limits, "nothing to learn from when all start together"
        )
    longest = job["TrainingJobDefinition"]["StoppingCondition"].get("MaxRuntimeInSeconds", 86_400)
    _within(
        "seconds for one job", longest, *LONGEST, "a job that hangs costs that much, times the number of jobs"
    )
    judge_ranges(config.get("ParameterRanges", {}))
    return f"{config['Strategy']}, {jobs} jobs, {parallel} at once"


@check
@asks_cloud
def tuning_template(name: Any, baseline: Any) -> None:
    """The template trains on the baseline's image and data."""
    job, first = describe_tuning(name)["TrainingJobDefinition"], describe(baseline)
    image, known = (part["AlgorithmSpecification"].get("TrainingImage") for part in (job, first))
    if image != known:
        raise CheckFailed(str(known), image, "another image is another experiment: take the baseline's")
    ours, theirs = _addresses(job), _addresses(first)
    if ours != theirs:
        hint = "AUCs compare only on the same rows: reuse the baseline's channels as they are"
        raise CheckFailed(f"channels {theirs}", ours, hint)
    if job.get("StaticHyperParameters", {}).get("objective") != "binary:logistic":
        hint = "without it every job fits a regression"
        raise CheckFailed('static objective "binary:logistic"', job.get("StaticHyperParameters"), hint)


@check
@asks_cloud
def tuned(name: Any) -> str:
    """The tuning job is Completed and found a sound model."""
    job = describe_tuning(name)
    status, counters = job["HyperParameterTuningJobStatus"], job["TrainingJobStatusCounters"]
    wanted = job["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxNumberOfTrainingJobs", 0)
    if status != "Completed":
        why = job.get("FailureReason", "no reason given")
        got = f"{status}, {counters.get('Completed', 0)} of {wanted} jobs; {why}"
        hint = look_at("tuning", name, "wait for it; a stopped search is no finished one")
        raise CheckFailed("status Completed", got, hint)
    best, (low, high) = best_of(job), AUC_WINDOW
    auc = float(best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
    if not low <= auc <= high:
        raise CheckFailed(
            f"a best AUC from {low} to {high}", f"{auc:.4f}", "do the ranges hold sensible values?"
        )
    return f"best AUC {auc:.4f} of {len(finished_trials(name))} scored jobs"


@check
@asks_cloud
def best_job(job: Any, name: Any) -> str:
    """This is the best training job of the tuning job."""
    best = best_of(describe_tuning(name))["TrainingJobName"]
    if job != best:
        raise CheckFailed(
            f"a name that ends in {best[-8:]}", job, "the tuning job's best_training_job knows it"
        )
    return str(best)


@check
@asks_cloud
def stopped_tuning(name: Any) -> str:
    """The long tuning job was stopped."""
    job = describe_tuning(name)
    status = job["HyperParameterTuningJobStatus"]
    if status not in ("Stopped", "Stopping"):
        hint = "boto3's sagemaker client has stop_hyper_parameter_tuning_job"
        raise CheckFailed("status Stopped", status, hint)
    return f"{job['TrainingJobStatusCounters'].get('Stopped', 0)} of its jobs were stopped"


def describe_tuning(name: Any) -> dict[str, Any]:
    """What DescribeHyperParameterTuningJob says, or CheckFailed when there is no such job."""
    try:
        answer: dict[str, Any] = client("sagemaker").describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=str(name)
        )
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in UNKNOWN:
            raise
        raise CheckFailed("a tuning job of this name in your cloud", name, NOT_MADE) from None
    return answer


def trials_of(name: Any) -> list[dict[str, Any]]:
    """Summaries of all training jobs of a tuning job."""
    describe_tuning(name)
    pages = client("sagemaker").get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    found = pages.paginate(HyperParameterTuningJobName=str(name))
    return [summary for page in found for summary in page["TrainingJobSummaries"]]


def finished_trials(name: Any) -> list[dict[str, Any]]:
    """Those of them that reported the objective."""
    scored = [trial for trial in trials_of(name) if "FinalHyperParameterTuningJobObjectiveMetric" in trial]
    if not scored:
        raise CheckFailed("training jobs with a score", "none yet", "wait for the tuning job")
    return scored


def best_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The best training job's summary, or CheckFailed while there is none."""
    best = job.get("BestTrainingJob", {})
    if "FinalHyperParameterTuningJobObjectiveMetric" not in best:
        raise CheckFailed("a tuning job with a scored training job", "none yet", "wait for the tuning job")
    return dict(best)


def metric_of(job: Any, metric: str) -> float:
    """The last value of a metric of a finished training job."""
    values = {entry["MetricName"]: entry["Value"] for entry in describe(job).get("FinalMetricDataList", [])}
    if metric not in values:
        raise CheckFailed(f"a job that reported {metric}", ", ".join(values) or "none", "is it Completed?")
    return float(values[metric])


def _metrics_of_log(job: str) -> set[str]:
    text = "\n".join(lines_of(job))
    return {f"{part}:{name}" for part, name in re.findall(r"#011(train|validation)-([\w@-]+):", text)}


def _within(what: str, value: int, low: int, high: int, hint: str) -> None:
    if not low <= value <= high:
        raise CheckFailed(f"{low} to {high} {what}", value, hint)


def _addresses(job: Mapping[str, Any]) -> dict[str, str]:
    return {
        channel["ChannelName"]: channel["DataSource"].get("S3DataSource", {}).get("S3Uri", "")
        for channel in job.get("InputDataConfig", [])
    }
