"""Hyperparameter tuning jobs."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from corelab.engine.xgb.metrics import METRIC_DEFINITIONS
from corelab.errors import AWSError, validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record, TransitionRefused
from corelab.resources.registry import AlreadyExists
from corelab.resources.states import Kind, Status
from corelab.resources.training.launch import with_defaults
from corelab.resources.tuning.children import (
    algorithm_of,
    children_of,
    parent_of,
    plan_of,
    training_request,
)
from corelab.resources.tuning.run import TuningRun
from corelab.services.sagemaker import preflight, training
from corelab.services.sagemaker.listing import listed, place, token
from corelab.services.sagemaker.tags import as_dict
from corelab.tuning import progress
from corelab.tuning.autotune import resolve
from corelab.tuning.child import Child
from corelab.tuning.plan import Definition, TuningPlan, TuningQuotas
from corelab.tuning.rules import plan_tuning
from corelab.tuning.summaries import select, summarize
from corelab.tuning.warm_start import overall_best, parent_names, priors


def create_hyper_parameter_tuning_job(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Checks everything, data and roles included, then starts searching (Service spec 6)."""
    quotas, seed = _quotas(cloud), secrets.randbits(31)
    running = len(cloud.registry.unfinished(Kind.TUNING_JOB, cloud.region))
    parents = {
        name: parent_of(cloud.registry, record, quotas)
        for name in parent_names(request)
        if (record := cloud.get(Kind.TUNING_JOB, name)) is not None
    }
    plan = plan_tuning(request, seed, algorithm_of, parents, quotas, running)
    for definition in plan.definitions:
        _check_definition(cloud, definition, plan.max_parallel)
    name, at = request["HyperParameterTuningJobName"], cloud.now()
    record = Record(
        kind=Kind.TUNING_JOB,
        region=cloud.region,
        name=name,
        arn=cloud.arn(Kind.TUNING_JOB, name),
        status=Status.IN_PROGRESS,
        created=at,
        modified=at,
        request=_described_request(request),
        private={"id": uuid.uuid4().hex, "seed": seed, "resolved": resolve(request, algorithm_of)},
    )
    try:
        cloud.registry.create(record, as_dict(request.get("Tags", ())))
    except AlreadyExists as error:
        raise preflight.resource_in_use("hyperparameter tuning job", error.record.arn) from error
    cloud.runner.start(TuningRun(cloud, record, plan, priors(plan, parents)))
    return {"HyperParameterTuningJobArn": record.arn}


def describe_hyper_parameter_tuning_job(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Counters, best job and consumed time are read off the children (Service spec 6.3)."""
    record = find(cloud, request["HyperParameterTuningJobName"])
    return described_with(cloud, record, *family(cloud, record))


def family(cloud: Cloud, record: Record) -> tuple[TuningPlan, list[Child]]:
    """A tuning job's plan and its children, in launch order."""
    plan = plan_of(record, _quotas(cloud))
    return plan, children_of(cloud.registry, record, plan)


def described_with(cloud: Cloud, record: Record, plan: TuningPlan, children: list[Child]) -> dict[str, Any]:
    """A tuning job as Describe shows it."""
    best = progress.best_child(children, plan.maximize)
    ended = record.facts.get("HyperParameterTuningEndTime")
    criteria = "TuningJobCompletionCriteria" in record.request["HyperParameterTuningJobConfig"]
    return {
        **described(record),
        **_counters(children),
        "BestTrainingJob": None if best is None else summarize(plan, best),
        "OverallBestTrainingJob": _overall_best(cloud, record, plan, children),
        "TuningJobCompletionDetails": progress.completion_details(plan, children) if criteria else None,
        "ConsumedResources": {
            "RuntimeInSeconds": progress.consumed_seconds(record.created, ended or cloud.now())
        },
    }


def described(record: Record) -> dict[str, Any]:
    """A tuning job as Describe shows it, without what its children tell."""
    return {
        **record.request,
        **record.facts,
        "HyperParameterTuningJobArn": record.arn,
        "HyperParameterTuningJobStatus": record.status,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
    }


def list_hyper_parameter_tuning_jobs(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """By name, ascending, unless asked otherwise (Service spec 3)."""
    records, following = listed(cloud, Kind.TUNING_JOB, request, "Name", "Ascending")
    quotas, summaries = _quotas(cloud), []
    for record in records:
        plan = plan_of(record, quotas)
        config = record.request["HyperParameterTuningJobConfig"]
        summaries.append(
            {
                "HyperParameterTuningJobName": record.name,
                "HyperParameterTuningJobArn": record.arn,
                "HyperParameterTuningJobStatus": record.status,
                "Strategy": config["Strategy"],
                "CreationTime": record.created,
                "LastModifiedTime": record.modified,
                "HyperParameterTuningEndTime": record.facts.get("HyperParameterTuningEndTime"),
                "ResourceLimits": config["ResourceLimits"],
                **_counters(children_of(cloud.registry, record, plan)),
            }
        )
    return {"HyperParameterTuningJobSummaries": summaries, "NextToken": following}


def list_training_jobs_for_hyper_parameter_tuning_job(
    cloud: Cloud, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Sorting by the objective leaves out jobs without one (Service spec 3)."""
    record = find(cloud, request["HyperParameterTuningJobName"])
    plan, children = family(cloud, record)
    chosen = select(
        children,
        request.get("StatusEquals"),
        request.get("SortBy", "Name"),
        request.get("SortOrder", "Ascending") == "Descending",
    )
    start = _start(request.get("NextToken"))
    size = request.get("MaxResults", 10)
    page, more = chosen[start : start + size], len(chosen) > start + size
    return {
        "TrainingJobSummaries": [summarize(plan, child) for child in page],
        "NextToken": token((start + size, "")) if more else None,
    }


def stop_hyper_parameter_tuning_job(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """Running children are stopped, results so far are kept (Service spec 6.3)."""
    record = find(cloud, request["HyperParameterTuningJobName"])
    try:
        cloud.registry.change(record, lambda r: r.advance(Status.STOPPING, cloud.now()))
    except TransitionRefused as error:
        status = find(cloud, record.name).status
        raise validation_error(
            f"The request was rejected because the hyperparameter tuning job is in status {status}."
        ) from error
    cloud.runner.stop(record.arn)


def delete_hyper_parameter_tuning_job(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """Deleting what is not there is no error; the training jobs stay (Service spec 3)."""
    record = cloud.get(Kind.TUNING_JOB, request["HyperParameterTuningJobName"])
    if record is None:
        return
    if not record.finished:
        raise AWSError(
            "ResourceInUse",
            f"The hyperparameter tuning job {record.arn} is in status {record.status}. Stop it and wait.",
        )
    cloud.registry.delete(record)


def find(cloud: Cloud, name: str) -> Record:
    """The tuning job. Raises ResourceNotFound, as AWS does for this kind (service spec 5.1)."""
    record = cloud.get(Kind.TUNING_JOB, name)
    if record is None:
        raise AWSError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {name}.")
    return record


def _check_definition(cloud: Cloud, definition: Definition, parallel: int) -> None:
    sample = training_request("child", definition, {})
    training.refuse_unserved(sample)
    training.check_limits(sample)
    preflight.check_role(cloud, sample["RoleArn"])
    preflight.check_training_image(cloud, sample["AlgorithmSpecification"].get("TrainingImage", ""))
    preflight.check_channels(cloud, sample["RoleArn"], sample.get("InputDataConfig", ()))
    preflight.check_output_path(cloud, sample["OutputDataConfig"]["S3OutputPath"])
    resources = sample["ResourceConfig"]
    preflight.check_training_quota(cloud, resources["InstanceType"], parallel * resources["InstanceCount"])


def _described_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Definitions with the algorithm's metrics filled in, and the objective's own (Service spec 6.1)."""
    kept = {k: v for k, v in request.items() if k != "Tags"}
    config = kept["HyperParameterTuningJobConfig"]
    if "TrainingJobDefinition" in kept:
        metric = config.get("HyperParameterTuningJobObjective", {}).get("MetricName")
        kept["TrainingJobDefinition"] = _filled(kept["TrainingJobDefinition"], metric)
    else:
        kept["TrainingJobDefinitions"] = [
            _filled(entry, entry["TuningObjective"]["MetricName"]) for entry in kept["TrainingJobDefinitions"]
        ]
    return kept


def _filled(definition: Mapping[str, Any], metric: str) -> dict[str, Any]:
    filled = with_defaults(definition)
    regexes = [d["Regex"] for d in METRIC_DEFINITIONS if d["Name"] == metric]
    objective = [{"Name": "ObjectiveMetric", "Regex": regex} for regex in regexes[:1]]
    filled["AlgorithmSpecification"]["MetricDefinitions"] += objective
    return filled


def _counters(children: list[Child]) -> dict[str, Any]:
    return {
        "TrainingJobStatusCounters": progress.status_counters(children),
        "ObjectiveStatusCounters": progress.objective_counters(children),
    }


def _overall_best(
    cloud: Cloud, record: Record, plan: TuningPlan, children: list[Child]
) -> dict[str, Any] | None:
    names = parent_names(record.request)
    if not names:
        return None
    parents = [cloud.get(Kind.TUNING_JOB, name) for name in names]
    known = [parent_of(cloud.registry, parent, _quotas(cloud)) for parent in parents if parent is not None]
    found = overall_best(plan, children, known)
    return None if found is None else summarize(*found)


def _quotas(cloud: Cloud) -> TuningQuotas:
    names = ("parallel_training_jobs", "training_jobs", "training_jobs_random", "tuning_jobs")
    return TuningQuotas(**{name: cloud.quotas.limit("tuning", name) for name in names})


def _start(text: str | None) -> int:
    value = 0 if text is None else place(text)[0]
    if not isinstance(value, int) or value < 0:
        raise validation_error("The NextToken is not valid: pass on the token of the page before.")
    return value
