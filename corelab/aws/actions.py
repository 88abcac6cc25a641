"""Which IAM permissions SageMaker's operations and their scaling need. Source: Service Authorization Reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from corelab.aws.embedded import ACCOUNT

Permission = tuple[str, str]  # action, resource
PASS_ROLE = "iam:PassRole"  # noqa: S105 (an action, not a password)
_TAG = "sagemaker:AddTags"
# How a request names one of a kind; the first that it names is what the operation is about.
_KINDS = {
    "TransformJobName": "transform-job",
    "TrainingJobName": "training-job",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "ModelName": "model",
}
_SCALING = "application-autoscaling"


def needed(service: str, region: str, operation: str, request: Mapping[str, Any]) -> list[Permission]:
    """What a request to one of our own services needs, its own action first.

    Args:
        service: ``sagemaker``, ``sagemaker-runtime``, ``application-autoscaling`` or ``service-quotas``.
        request: its parameters, valid by the service's model.
    """
    if service == "service-quotas":
        return [(f"servicequotas:{operation}", "*")]
    if service == _SCALING:
        return [(f"{_SCALING}:{operation}", _scaling_resource(region, operation))]
    return list(_sagemaker(region, operation, request))


def _sagemaker(region: str, operation: str, request: Mapping[str, Any]) -> Iterator[Permission]:
    action, resource = f"sagemaker:{operation}", _resource(region, operation, request)
    yield action, resource
    if operation in ("CreateEndpoint", "UpdateEndpoint"):
        yield action, _arn(region, "endpoint-config", request["EndpointConfigName"])
    if operation.startswith("Create"):
        if request.get("Tags"):
            yield _TAG, resource
        for role in sorted(_roles(request)):
            yield PASS_ROLE, role


def _resource(region: str, operation: str, request: Mapping[str, Any]) -> str:
    if "ResourceArn" in request:  # AddTags, ListTags, DeleteTags
        return str(request["ResourceArn"])
    if operation.startswith("List") and not operation.endswith("ForHyperParameterTuningJob"):
        return "*"
    return next((_arn(region, kind, request[name]) for name, kind in _KINDS.items() if name in request), "*")


def _roles(request: Mapping[str, Any]) -> set[str]:
    """The roles that SageMaker is to take on for this request, those of a tuning job's training jobs included."""
    definitions = [request.get("TrainingJobDefinition") or {}, *(request.get("TrainingJobDefinitions") or [])]
    found = [request.get("RoleArn"), request.get("ExecutionRoleArn")]
    return {str(role) for role in (*found, *(each.get("RoleArn") for each in definitions)) if role}


def _arn(region: str, kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def _scaling_resource(region: str, operation: str) -> str:
    return (
        "*"
        if operation.startswith("Describe")
        else f"arn:aws:{_SCALING}:{region}:{ACCOUNT}:scalable-target/*"
    )
