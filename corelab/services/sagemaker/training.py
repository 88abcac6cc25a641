"""Training jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from corelab.errors import AWSError, validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record, TransitionRefused
from corelab.resources.registry import AlreadyExists
from corelab.resources.states import Kind, Status
from corelab.resources.training.launch import CHECKPOINTS, DAY_SECONDS, launch
from corelab.resources.training.run import TrainingRun
from corelab.resources.training.timeline import entered
from corelab.services.sagemaker import preflight
from corelab.services.sagemaker.listing import listed
from corelab.services.sagemaker.tags import as_dict

_LONGEST = 28 * DAY_SECONDS


def create_training_job(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Checks everything AWS checks before it answers, then starts the job. Source: Service spec 4 and 5."""
    refuse_unserved(request)
    check_limits(request)
    preflight.check_role(cloud, request["RoleArn"])
    preflight.check_training_image(cloud, request["AlgorithmSpecification"].get("TrainingImage", ""))
    preflight.check_channels(cloud, request["RoleArn"], request.get("InputDataConfig", ()))
    preflight.check_output_path(cloud, request["OutputDataConfig"]["S3OutputPath"])
    resources = request["ResourceConfig"]
    preflight.check_training_quota(cloud, resources["InstanceType"], resources["InstanceCount"])
    try:
        record = launch(cloud, request, as_dict(request.get("Tags", ())))
    except AlreadyExists as error:
        raise preflight.resource_in_use("training job", error.record.arn) from error
    cloud.runner.start(TrainingRun(cloud, record))
    return {"TrainingJobArn": record.arn}


def describe_training_job(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Service spec 4.2."""
    return described(_find(cloud, request["TrainingJobName"]))


def described(record: Record) -> dict[str, Any]:
    """A training job as Describe shows it."""
    return {
        **record.request,
        **record.facts,
        "TrainingJobArn": record.arn,
        "TrainingJobStatus": record.status,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "ProfilingStatus": "Disabled"
        if record.request.get("ProfilerConfig", {}).get("DisableProfiler")
        else "Enabled",
    }


def list_training_jobs(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise (Service spec 3)."""
    records, token = listed(cloud, Kind.TRAINING_JOB, request)
    return {"TrainingJobSummaries": [_summary(record) for record in records], "NextToken": token}


def stop_training_job(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """SIGTERM, 120 s, SIGKILL; the model is still uploaded (Service spec 4.3)."""
    record, at = _find(cloud, request["TrainingJobName"]), cloud.now()

    def stopping(newest: Record) -> Record:
        if newest.status is Status.STOPPING:
            return newest
        return newest.advance(Status.STOPPING, at, **entered(newest.facts, "Stopping", at))

    try:
        cloud.registry.change(record, stopping)
    except TransitionRefused as error:
        status = _find(cloud, record.name).status
        raise validation_error(
            f"The request was rejected because the training job is in status {status}."
        ) from error
    cloud.runner.stop(record.arn)


def delete_training_job(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """Only a finished job goes; its name is free again afterwards (Service spec 3, Fact 36)."""
    record = _find(cloud, request["TrainingJobName"])
    if not record.finished:
        raise AWSError(
            "ResourceInUse",
            f"The training job {record.arn} is in status {record.status}. Stop it and wait until it has ended.",
        )
    cloud.registry.delete(record)


def update_training_job(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Profiler and remote-debug settings of a running job; nothing of the training itself can be changed."""
    record, at = _find(cloud, request["TrainingJobName"]), cloud.now()
    changes = {k: v for k, v in request.items() if k in ("ProfilerConfig", "RemoteDebugConfig")}
    if "ResourceConfig" in request:
        raise validation_error(
            "ResourceConfig can be updated for a warm pool only, and the local SageMaker keeps none."
        )
    try:
        record = cloud.registry.change(record, lambda newest: newest.note(at, changes))
    except TransitionRefused as error:
        raise validation_error(
            f"The request was rejected because the training job is in status {record.status}."
        ) from error
    return {"TrainingJobArn": record.arn}


def _find(cloud: Cloud, name: str) -> Record:
    record = cloud.get(Kind.TRAINING_JOB, name)
    if record is None:
        raise validation_error("Requested resource not found.")
    return record


def _summary(record: Record) -> dict[str, Any]:
    return {
        "TrainingJobName": record.name,
        "TrainingJobArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "TrainingEndTime": record.facts.get("TrainingEndTime"),
        "TrainingJobStatus": record.status,
        "SecondaryStatus": record.facts.get("SecondaryStatus"),
    }


def refuse_unserved(request: Mapping[str, Any]) -> None:
    """Raises for other people's code, saying what is served."""
    algorithm = request["AlgorithmSpecification"]
    if "AlgorithmName" in algorithm:
        raise validation_error(
            "AlgorithmName names a Marketplace algorithm, which the local SageMaker does not run: "
            "give TrainingImage, as image_uris.retrieve('xgboost', region, '1.7-1') returns it."
        )
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if algorithm.get(member):
            raise validation_error(
                f"{member} would run code of your own, which the local SageMaker does not do: "
                "it runs the built-in XGBoost algorithm. Leave it out, or run this job on AWS."
            )
    script = {"sagemaker_program", "sagemaker_submit_directory"} & set(request.get("HyperParameters", {}))
    if script or "SAGEMAKER_PROGRAM" in request.get("Environment", {}):
        raise validation_error(
            "Script mode (sagemaker_program) is not served by the local SageMaker: it runs the built-in XGBoost "
            "algorithm with hyperparameters only. Leave the script out, or run this job on AWS."
        )


def check_limits(request: Mapping[str, Any]) -> None:
    """Raises for what SageMaker refuses beyond its service model (service spec 1.3)."""
    resources, stopping = request["ResourceConfig"], request.get("StoppingCondition", {})
    if "InstanceGroups" in resources or "InstanceType" not in resources:
        raise validation_error(
            "ResourceConfig must give InstanceType and InstanceCount; InstanceGroups are not served."
        )
    if resources.get("InstanceCount", 0) < 1:
        raise validation_error("ResourceConfig.InstanceCount must be at least 1.")
    if resources.get("VolumeSizeInGB", 0) < 1:
        raise validation_error("ResourceConfig.VolumeSizeInGB must be at least 1.")
    runtime = stopping.get("MaxRuntimeInSeconds", DAY_SECONDS)
    if runtime > _LONGEST:
        raise validation_error(f"MaxRuntimeInSeconds must be at most {_LONGEST} (28 days), got {runtime}.")
    _check_spot(request, stopping, runtime)
    local = PurePosixPath(request.get("CheckpointConfig", {}).get("LocalPath", CHECKPOINTS))
    if not local.is_relative_to("/opt/ml") or ".." in local.parts or len(local.parts) < 4:
        raise validation_error(
            f"CheckpointConfig.LocalPath must lie below /opt/ml, such as {CHECKPOINTS}; got {local}."
        )


def _check_spot(request: Mapping[str, Any], stopping: Mapping[str, Any], runtime: int) -> None:
    waiting = stopping.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if waiting is not None:
            raise validation_error(
                "MaxWaitTimeInSeconds above 0 is not supported when EnableManagedSpotTraining is false."
            )
    elif waiting is None or waiting < runtime:
        raise validation_error(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds."
        )
