"""Endpoint configurations: which models serve, on what, with which share of the traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corelab.errors import validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record
from corelab.resources.states import Kind, Status
from corelab.services.sagemaker import models, preflight
from corelab.services.sagemaker.listing import listed
from corelab.services.sagemaker.tags import as_dict

_MEMORY_STEP_MB = 1024
_UNSERVED = ("DataCaptureConfig", "AsyncInferenceConfig", "ShadowProductionVariants", "ExplainerConfig")


def create_endpoint_config(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Checks the variants as the service does beyond its model (Service spec 1.3, 8.2)."""
    for member in _UNSERVED:
        if request.get(member):
            raise validation_error(
                f"{member} is not served by the local SageMaker: leave it out, or run this on AWS."
            )
    variants = [_variant(cloud, variant) for variant in request["ProductionVariants"]]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise validation_error("Variant names must be unique within an endpoint configuration.")
    if len(variants) > 1 and any("ServerlessConfig" in variant for variant in variants):
        raise validation_error("A serverless endpoint configuration can have one production variant only.")
    name, at = request["EndpointConfigName"], cloud.now()
    kept = {k: v for k, v in request.items() if k != "Tags"} | {"ProductionVariants": variants}
    arn = cloud.arn(Kind.ENDPOINT_CONFIG, name)
    record = Record(Kind.ENDPOINT_CONFIG, cloud.region, name, arn, Status.EXISTS, at, at, kept)
    models.create(cloud, record, as_dict(request.get("Tags", ())), "endpoint configuration")
    return {"EndpointConfigArn": record.arn}


def describe_endpoint_config(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Absent structures stay absent: ``DataCaptureConfig: {}`` would break SDK clients (Service spec 2.3)."""
    return described(find(cloud, request["EndpointConfigName"]))


def described(record: Record) -> dict[str, Any]:
    """A configuration as Describe shows it."""
    return {**record.request, "EndpointConfigArn": record.arn, "CreationTime": record.created}


def delete_endpoint_config(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """Endpoints made from it keep running (Service spec 8.3)."""
    cloud.registry.delete(find(cloud, request["EndpointConfigName"]))


def list_endpoint_configs(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    records, token = listed(cloud, Kind.ENDPOINT_CONFIG, request)
    summaries = [
        {"EndpointConfigName": r.name, "EndpointConfigArn": r.arn, "CreationTime": r.created} for r in records
    ]
    return {"EndpointConfigs": summaries, "NextToken": token}


def find(cloud: Cloud, name: str) -> Record:
    """The configuration. Raises AWS's answer to a name that is not there."""
    record = cloud.get(Kind.ENDPOINT_CONFIG, name)
    if record is None:
        raise validation_error(
            f'Could not find endpoint configuration "{cloud.arn(Kind.ENDPOINT_CONFIG, name)}".'
        )
    return record


def _variant(cloud: Cloud, variant: Mapping[str, Any]) -> dict[str, Any]:
    if "ModelName" not in variant:
        raise validation_error(
            f"The variant {variant['VariantName']} must name a model; inference components are not served."
        )
    models.find(cloud, variant["ModelName"])
    serverless = variant.get("ServerlessConfig")
    if serverless is not None:
        _check_serverless(variant, serverless)
        return {"InitialVariantWeight": 1.0, **variant}
    if "InstanceType" not in variant or variant.get("InitialInstanceCount", 0) < 1:
        raise validation_error(
            f"The variant {variant['VariantName']} must give either ServerlessConfig, or InstanceType and an "
            "InitialInstanceCount of at least 1."
        )
    preflight.check_instance_type(variant["InstanceType"])
    return {"InitialVariantWeight": 1.0, **variant}


def _check_serverless(variant: Mapping[str, Any], serverless: Mapping[str, Any]) -> None:
    given = [m for m in ("InstanceType", "InitialInstanceCount", "AcceleratorType") if m in variant]
    if given:
        raise validation_error(f"{', '.join(given)} cannot be given together with ServerlessConfig.")
    memory, most = serverless["MemorySizeInMB"], serverless["MaxConcurrency"]
    if memory % _MEMORY_STEP_MB:
        raise validation_error(
            f"Memory size {memory} MB is not supported: MemorySizeInMB must be one of "
            "1024, 2048, 3072, 4096, 5120, 6144."
        )
    provisioned = serverless.get("ProvisionedConcurrency")
    if provisioned is not None and provisioned > most:
        raise validation_error(
            f"ProvisionedConcurrency ({provisioned}) must be less than or equal to MaxConcurrency ({most})."
        )
