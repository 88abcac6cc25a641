"""Models: an image, an artifact and an environment under one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corelab.errors import validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record
from corelab.resources.registry import AlreadyExists
from corelab.resources.s3_data import BadSource, S3Uri
from corelab.resources.states import Kind, Status
from corelab.services.sagemaker import preflight
from corelab.services.sagemaker.listing import listed
from corelab.services.sagemaker.tags import as_dict


def create_model(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """The artifact must be there and the role must be able to read it (Service spec 5.1)."""
    container = _container(request)
    role = request.get("ExecutionRoleArn", "")
    preflight.check_role(cloud, role)
    if "Image" not in container:
        raise validation_error(
            "The model's container must give an Image; model packages are not served here."
        )
    preflight.check_training_image(cloud, container["Image"])
    if "ModelDataUrl" in container:
        check_artifact(cloud, role, container["ModelDataUrl"])
    name, at = request["ModelName"], cloud.now()
    kept = {k: v for k, v in request.items() if k != "Tags"}
    kept.setdefault("EnableNetworkIsolation", False)
    record = Record(Kind.MODEL, cloud.region, name, cloud.arn(Kind.MODEL, name), Status.EXISTS, at, at, kept)
    create(cloud, record, as_dict(request.get("Tags", ())), "model")
    return {"ModelArn": record.arn}


def describe_model(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Absent structures stay absent (Service spec 2.3)."""
    return described(find(cloud, request["ModelName"]))


def described(record: Record) -> dict[str, Any]:
    """A model as Describe shows it."""
    return {**record.request, "ModelArn": record.arn, "CreationTime": record.created}


def delete_model(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """Endpoints that run it keep running (Service spec 8.3)."""
    cloud.registry.delete(find(cloud, request["ModelName"]))


def list_models(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    records, token = listed(cloud, Kind.MODEL, request)
    summaries = [{"ModelName": r.name, "ModelArn": r.arn, "CreationTime": r.created} for r in records]
    return {"Models": summaries, "NextToken": token}


def find(cloud: Cloud, name: str) -> Record:
    """The model. Raises AWS's answer to a name that is not there."""
    record = cloud.get(Kind.MODEL, name)
    if record is None:
        raise validation_error(f'Could not find model "{cloud.arn(Kind.MODEL, name)}".')
    return record


def container_of(record: Record) -> dict[str, Any]:
    """The one container of a model."""
    return dict(_container(record.request))


def check_artifact(cloud: Cloud, role: str, uri: str) -> None:
    """Raises AWS's "Could not access model data" unless the role can read the object (Service spec 5.1)."""
    try:
        place = S3Uri.parse(uri)
        readable = cloud.identity.allows(role, "s3:GetObject", f"arn:aws:s3:::{place.bucket}/{place.key}")
        there = cloud.objects.bucket_region(place.bucket) is not None and any(
            found.key == place.key for found in cloud.objects.list(place.bucket, place.key)
        )
    except BadSource:
        readable = there = False
    if not (readable and there):
        raise validation_error(
            f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its trust '
            'relationship policy allows the action "sts:AssumeRole" for the service principal '
            '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the object '
            f"is located in {cloud.region}. If your Model uses multiple models or uncompressed models, please ensure "
            'that the role has "s3:ListBucket" permission.'
        )


def create(cloud: Cloud, record: Record, tags: Mapping[str, str], noun: str) -> None:
    """Register it. Raises AWS's answer to a name that is taken; ``noun`` is what AWS calls the kind."""
    try:
        cloud.registry.create(record, tags)
    except AlreadyExists as error:
        raise validation_error(f'Cannot create already existing {noun} "{error.record.arn}".') from error


def _container(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if "PrimaryContainer" in request and request.get("Containers"):
        raise validation_error("Give either PrimaryContainer or Containers, not both.")
    if len(request.get("Containers", ())) > 1:
        raise validation_error(
            "Inference pipelines (several Containers) are not served by the local SageMaker."
        )
    container: Mapping[str, Any] | None = request.get("PrimaryContainer") or next(
        iter(request.get("Containers", ())), None
    )
    if container is None:
        raise validation_error("A model needs a PrimaryContainer.")
    if container.get("Mode") == "MultiModel":
        raise validation_error(
            "Multi-model endpoints are not served by the local SageMaker: use Mode SingleModel."
        )
    if "ModelDataSource" in container:
        raise validation_error(
            "ModelDataSource is not served by the local SageMaker: give ModelDataUrl of a model.tar.gz."
        )
    return container
