"""Batch transform jobs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from corelab.engine.batch.jsonpath import BadPath, Path
from corelab.errors import validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record, TransitionRefused
from corelab.resources.registry import AlreadyExists
from corelab.resources.states import Kind, Status
from corelab.resources.transform.run import TransformRun
from corelab.services.sagemaker import models, preflight
from corelab.services.sagemaker.listing import listed
from corelab.services.sagemaker.tags import as_dict

_MOST_PAYLOAD_MB = 100
_DEFAULT_PAYLOAD_MB = 6


def create_transform_job(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Service spec 7."""
    model = models.find(cloud, request["ModelName"])
    filled = with_defaults(request)
    _check(filled)
    role = model.request["ExecutionRoleArn"]
    preflight.check_role(cloud, role)
    source = filled["TransformInput"]["DataSource"]["S3DataSource"]
    preflight.check_source(cloud, role, source["S3Uri"], source["S3DataType"])
    preflight.check_output_path(cloud, filled["TransformOutput"]["S3OutputPath"])
    resources = filled["TransformResources"]
    _check_quota(cloud, resources["InstanceType"], resources["InstanceCount"])
    name, at = request["TransformJobName"], cloud.now()
    record = Record(
        kind=Kind.TRANSFORM_JOB,
        region=cloud.region,
        name=name,
        arn=cloud.arn(Kind.TRANSFORM_JOB, name),
        status=Status.IN_PROGRESS,
        created=at,
        modified=at,
        request=filled,
        private={"id": uuid.uuid4().hex, "role": role, "container": models.container_of(model)},
    )
    try:
        cloud.registry.create(record, as_dict(request.get("Tags", ())))
    except AlreadyExists as error:
        raise preflight.resource_in_use("transform job", error.record.arn) from error
    cloud.runner.start(TransformRun(cloud, record))
    return {"TransformJobArn": record.arn}


def describe_transform_job(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Service spec 7; an unknown job has words of its own (Service spec 5.1)."""
    record = cloud.get(Kind.TRANSFORM_JOB, request["TransformJobName"])
    if record is None:
        raise validation_error(f"Could not find requested job with name: {request['TransformJobName']}")
    return described(record)


def described(record: Record) -> dict[str, Any]:
    """A transform job as Describe shows it."""
    return {
        **record.request,
        **record.facts,
        "TransformJobArn": record.arn,
        "TransformJobStatus": record.status,
        "CreationTime": record.created,
    }


def list_transform_jobs(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    records, token = listed(cloud, Kind.TRANSFORM_JOB, request)
    summaries = [
        {
            "TransformJobName": r.name,
            "TransformJobArn": r.arn,
            "CreationTime": r.created,
            "TransformEndTime": r.facts.get("TransformEndTime"),
            "LastModifiedTime": r.modified,
            "TransformJobStatus": r.status,
            "FailureReason": r.facts.get("FailureReason"),
        }
        for r in records
    ]
    return {"TransformJobSummaries": summaries, "NextToken": token}


def stop_transform_job(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """Objects that are not done yet leave no result."""
    record = cloud.get(Kind.TRANSFORM_JOB, request["TransformJobName"])
    if record is None:
        raise validation_error(f"Could not find job to update with name: {request['TransformJobName']}")
    try:
        cloud.registry.change(record, lambda r: r.advance(Status.STOPPING, cloud.now()))
    except TransitionRefused as error:
        newest = cloud.get(Kind.TRANSFORM_JOB, record.name) or record
        raise validation_error(
            f"The request was rejected because the transform job is in status {newest.status}."
        ) from error
    cloud.runner.stop(record.arn)


def with_defaults(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as Describe will echo it (service spec 7)."""
    filled = {k: v for k, v in request.items() if k != "Tags"}
    filled["TransformInput"] = {"CompressionType": "None", "SplitType": "None", **filled["TransformInput"]}
    filled["TransformOutput"] = {"KmsKeyId": "", "AssembleWith": "None", **filled["TransformOutput"]}
    filled["DataProcessing"] = {
        "InputFilter": "$",
        "OutputFilter": "$",
        "JoinSource": "None",
        **filled.get("DataProcessing", {}),
    }
    return filled


def _check(request: Mapping[str, Any]) -> None:
    source, output = request["TransformInput"], request["TransformOutput"]
    data_type = source["DataSource"]["S3DataSource"]["S3DataType"]
    if data_type not in ("S3Prefix", "ManifestFile"):
        raise validation_error(
            f"S3DataType {data_type} is not valid for a transform job: use S3Prefix or ManifestFile."
        )
    payload, concurrency = request.get("MaxPayloadInMB"), request.get("MaxConcurrentTransforms") or 1
    if (payload or 0) > _MOST_PAYLOAD_MB:
        raise validation_error(f"MaxPayloadInMB must be at most {_MOST_PAYLOAD_MB}, got {payload}.")
    if concurrency * (_DEFAULT_PAYLOAD_MB if payload is None else payload) > _MOST_PAYLOAD_MB:
        raise validation_error(
            f"MaxConcurrentTransforms ({concurrency}) times MaxPayloadInMB must be at most {_MOST_PAYLOAD_MB} MB."
        )
    if source["SplitType"] == "TFRecord":
        raise validation_error(
            "SplitType TFRecord is not served by the local SageMaker: use Line, RecordIO or None."
        )
    _check_processing(request["DataProcessing"], source, output)


def _check_processing(
    processing: Mapping[str, str], source: Mapping[str, Any], output: Mapping[str, Any]
) -> None:
    for name in ("InputFilter", "OutputFilter"):
        try:
            Path(processing[name])
        except BadPath as error:
            raise validation_error(f"DataProcessing.{name} is not usable: {error}") from error
    if processing["JoinSource"] != "Input":
        return
    if (source["SplitType"], output["AssembleWith"]) not in (("Line", "Line"), ("None", "None")):
        raise validation_error(
            "JoinSource Input needs SplitType and AssembleWith to be equal: Line and Line for rows, "
            f"None and None for one document. Got {source['SplitType']} and {output['AssembleWith']}."
        )
    accept = output.get("Accept")
    if accept is None or accept != source.get("ContentType"):
        raise validation_error(
            f"JoinSource Input needs ContentType and Accept to be equal, got {source.get('ContentType')} and {accept}."
        )


def _check_quota(cloud: Cloud, type_name: str, count: int) -> None:
    preflight.check_instance_type(type_name)
    used = sum(
        record.request["TransformResources"]["InstanceCount"]
        for record in cloud.registry.unfinished(Kind.TRANSFORM_JOB, cloud.region)
        if record.request["TransformResources"]["InstanceType"] == type_name
    )
    cloud.quotas.check_instances("transform", type_name, used, count)
