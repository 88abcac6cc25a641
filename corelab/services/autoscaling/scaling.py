"""Scalable targets and their policies. Source: the Application Auto Scaling API; Service spec 3."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from corelab.errors import AWSError, validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record
from corelab.resources.registry import AlreadyExists
from corelab.resources.states import Kind, Status
from corelab.services.sagemaker import endpoints

_RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_METRIC = "SageMakerVariantInvocationsPerInstance"


def register_scalable_target(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds a variant's instance count; registering it again changes the bounds."""
    _check_served(request)
    endpoint, variant = _resource(request["ResourceId"])
    record = endpoints.find(cloud, endpoint)
    endpoints.check_variants(record, [variant])
    if next(v for v in record.private["variants"] if v["name"] == variant)["serverless"]:
        raise validation_error("A serverless variant has no instances to scale: it scales by itself.")
    kept = _stored(cloud, Kind.SCALABLE_TARGET, request["ResourceId"])
    bounds = {
        **(kept.facts if kept else {}),
        **{k: request[k] for k in ("MinCapacity", "MaxCapacity") if k in request},
    }
    if len(bounds) < 2:
        raise validation_error("MinCapacity and MaxCapacity are required to register a new scalable target.")
    if not 1 <= bounds["MinCapacity"] <= bounds["MaxCapacity"]:
        raise validation_error("MinCapacity must be at least 1 and at most MaxCapacity.")
    target = _put(cloud, Kind.SCALABLE_TARGET, request["ResourceId"], dict(request), bounds)
    return {"ScalableTargetARN": target.arn}


def describe_scalable_targets(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """All targets in one page."""
    wanted = request.get("ResourceIds")
    records = (
        r for r in cloud.registry.find(Kind.SCALABLE_TARGET, cloud.region) if not wanted or r.name in wanted
    )
    return {"ScalableTargets": [_described_target(record) for record in records]}


def deregister_scalable_target(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Its policies go with it."""
    target = _find(cloud, Kind.SCALABLE_TARGET, request["ResourceId"], "scalable target")
    for policy in _policies(cloud, target.name):
        cloud.registry.delete(policy)
    cloud.registry.delete(target)
    return {}


def put_scaling_policy(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Target tracking on invocations per instance and minute, which is what AWS recommends for endpoints."""
    _check_served(request)
    _find(cloud, Kind.SCALABLE_TARGET, request["ResourceId"], "scalable target")
    config = request.get("TargetTrackingScalingPolicyConfiguration")
    metric = (config or {}).get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if request.get("PolicyType", "TargetTrackingScaling") != "TargetTrackingScaling" or metric != _METRIC:
        raise validation_error(
            f"The local SageMaker scales by TargetTrackingScaling on the predefined metric {_METRIC} only."
        )
    name = f"{request['ResourceId']}/{request['PolicyName']}"
    policy = _put(cloud, Kind.SCALING_POLICY, name, dict(request), {"configuration": config})
    return {"PolicyARN": policy.arn, "Alarms": []}


def describe_scaling_policies(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """All policies in one page."""
    wanted = request.get("ResourceId")
    return {
        "ScalingPolicies": [
            {
                "PolicyARN": record.arn,
                "PolicyName": record.request["PolicyName"],
                "ServiceNamespace": "sagemaker",
                "ResourceId": record.request["ResourceId"],
                "ScalableDimension": _DIMENSION,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": record.facts["configuration"],
                "CreationTime": record.created,
            }
            for record in cloud.registry.find(Kind.SCALING_POLICY, cloud.region)
            if not wanted or record.request["ResourceId"] == wanted
        ]
    }


def delete_scaling_policy(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """The variant keeps the instances it has."""
    name = f"{request['ResourceId']}/{request['PolicyName']}"
    cloud.registry.delete(_find(cloud, Kind.SCALING_POLICY, name, "scaling policy"))
    return {}


def _check_served(request: Mapping[str, Any]) -> None:
    if request["ServiceNamespace"] != "sagemaker" or request["ScalableDimension"] != _DIMENSION:
        raise validation_error(
            f"The local SageMaker scales the namespace sagemaker in the dimension {_DIMENSION} only."
        )


def _resource(text: str) -> tuple[str, str]:
    match = _RESOURCE.fullmatch(text)
    if match is None:
        raise validation_error(f"ResourceId must look like endpoint/NAME/variant/VARIANT, got {text!r}.")
    return match[1], match[2]


def _put(cloud: Cloud, kind: Kind, name: str, request: dict[str, Any], facts: dict[str, Any]) -> Record:
    at = cloud.now()
    arn = f"arn:aws:application-autoscaling:{cloud.region}:{cloud.account}:{kind}/{uuid.uuid4().hex}"
    record = Record(kind, cloud.region, name, arn, Status.EXISTS, at, at, request, facts)
    try:
        return cloud.registry.create(record)
    except AlreadyExists as error:
        return cloud.registry.change(error.record, lambda r: r.note(at, facts))


def _stored(cloud: Cloud, kind: Kind, name: str) -> Record | None:
    return cloud.get(kind, name)


def _find(cloud: Cloud, kind: Kind, name: str, noun: str) -> Record:
    record = _stored(cloud, kind, name)
    if record is None:
        raise AWSError("ObjectNotFoundException", f"No {noun} found for service namespace: sagemaker, {name}")
    return record


def _policies(cloud: Cloud, resource: str) -> Iterator[Record]:
    for record in cloud.registry.find(Kind.SCALING_POLICY, cloud.region):
        if record.request["ResourceId"] == resource:
            yield record


def _described_target(record: Record) -> dict[str, Any]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": record.name,
        "ScalableDimension": _DIMENSION,
        "MinCapacity": record.facts["MinCapacity"],
        "MaxCapacity": record.facts["MaxCapacity"],
        "RoleARN": record.request.get(
            "RoleARN",
            f"arn:aws:iam::{record.arn.split(':')[4]}:role/aws-service-role/sagemaker.application-autoscaling."
            "amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        ),
        "CreationTime": record.created,
        "ScalableTargetARN": record.arn,
    }
