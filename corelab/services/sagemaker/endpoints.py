"""Endpoints: create, update blue/green, resize, delete."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from corelab.errors import AWSError, limit_exceeded, validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record, TransitionRefused
from corelab.resources.serving import plan
from corelab.resources.serving.plan import Variant
from corelab.resources.states import Kind, Status
from corelab.services.sagemaker import endpoint_configs, models, preflight
from corelab.services.sagemaker.listing import listed
from corelab.services.sagemaker.tags import as_dict

_BUSY = frozenset({Status.CREATING, Status.UPDATING, Status.ROLLING_BACK, Status.DELETING})


def create_endpoint(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answers at once; the endpoint is Creating until its models are up (Service spec 8.1)."""
    name, at = request["EndpointName"], cloud.now()
    taken = find_any_case(cloud, name)
    if taken is not None:
        raise validation_error(f'Cannot create already existing endpoint "{taken.arn}".')
    variants = _planned(cloud, request["EndpointConfigName"])
    _check_quotas(cloud, variants, None)
    record = Record(
        kind=Kind.ENDPOINT,
        region=cloud.region,
        name=name,
        arn=cloud.arn(Kind.ENDPOINT, name),
        status=Status.CREATING,
        created=at,
        modified=at,
        request={k: v for k, v in request.items() if k != "Tags"},
        facts={
            "EndpointConfigName": request["EndpointConfigName"],
            "PendingDeploymentSummary": _pending(request["EndpointConfigName"], variants, at),
        },
        private={"id": uuid.uuid4().hex, "variants": plan.to_json(variants)},
    )
    models.create(cloud, record, as_dict(request.get("Tags", ())), "endpoint")
    cloud.fleet.create(record)
    return {"EndpointArn": record.arn}


def describe_endpoint(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """ProductionVariants are absent while the endpoint is Creating (Service spec 8.1)."""
    return described(find(cloud, request["EndpointName"]))


def described(record: Record) -> dict[str, Any]:
    """An endpoint as Describe shows it."""
    return {
        **record.facts,
        "EndpointName": record.name,
        "EndpointArn": record.arn,
        "EndpointStatus": record.status,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
    }


def list_endpoints(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    records, token = listed(cloud, Kind.ENDPOINT, request)
    summaries = [
        {
            "EndpointName": r.name,
            "EndpointArn": r.arn,
            "CreationTime": r.created,
            "LastModifiedTime": r.modified,
            "EndpointStatus": r.status,
        }
        for r in records
    ]
    return {"Endpoints": summaries, "NextToken": token}


def update_endpoint(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Blue/green; Describe names the old configuration until the new one serves (Service spec 8.3)."""
    record = _changeable(cloud, request["EndpointName"])
    config = request["EndpointConfigName"]
    variants = _planned(cloud, config)
    before = plan.from_json(record.private["variants"])
    if before[0].serverless is None and variants[0].serverless is not None:
        raise validation_error(
            "An endpoint on instances cannot be updated to a serverless one: create a new endpoint for it."
        )
    if request.get("RetainAllVariantProperties"):
        variants = _retained(before, variants, request.get("ExcludeRetainedVariantProperties", ()))
    _check_quotas(cloud, variants, record)
    pending, at = _pending(config, variants, cloud.now()), cloud.now()
    record = _start_change(cloud, record, {"PendingDeploymentSummary": pending}, at)
    deployment = request.get("DeploymentConfig", {})
    blue_green = deployment.get("BlueGreenUpdatePolicy", {})
    coming = {
        "config": config,
        "variants": plan.to_json(variants),
        "id": uuid.uuid4().hex,
        "deployment": {
            **blue_green,
            **{k: v for k, v in deployment.items() if k == "AutoRollbackConfiguration"},
        },
    }
    cloud.fleet.update(record, coming)
    return {"EndpointArn": record.arn}


def update_endpoint_weights_and_capacities(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Service spec 3 and 5.1."""
    record = _changeable(cloud, request["EndpointName"])
    wanted = request["DesiredWeightsAndCapacities"]
    check_variants(record, [desired["VariantName"] for desired in wanted])
    if any(desired.get("DesiredInstanceCount", 1) < 1 for desired in wanted):
        raise validation_error("DesiredInstanceCount must be at least 1.")
    record = _start_change(cloud, record, {}, cloud.now())
    cloud.fleet.resize(record, list(wanted))
    return {"EndpointArn": record.arn}


def check_variants(record: Record, names: list[str]) -> None:
    """Raises AWS's answers to repeated and unknown variants (service spec 5.1)."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise validation_error(f'The variant name "{repeated}" was non-unique within the request.')
    known = {variant["name"] for variant in record.private["variants"]}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise validation_error(
            f'The variant name(s) "{", ".join(unknown)}" is/are not present within endpoint configuration '
            f'"{record.facts["EndpointConfigName"]}".'
        )


def delete_endpoint(cloud: Cloud, request: Mapping[str, Any]) -> None:
    """The endpoint is Deleting until its processes have ended; then there is none of that name."""
    record = find(cloud, request["EndpointName"])
    if record.status in _BUSY:
        raise _in_progress(record)
    try:
        record = cloud.registry.change(record, lambda r: r.advance(Status.DELETING, cloud.now()))
    except TransitionRefused as error:
        raise _in_progress(record) from error
    cloud.fleet.delete(record)


def find(cloud: Cloud, name: str) -> Record:
    """The endpoint. Raises AWS's answer to a name that is not there."""
    record = cloud.get(Kind.ENDPOINT, name) or find_any_case(cloud, name)
    if record is None:
        raise validation_error(f'Could not find endpoint "{cloud.arn(Kind.ENDPOINT, name)}".')
    return record


def find_any_case(cloud: Cloud, name: str) -> Record | None:
    """Endpoints are told apart by their ARN, which is in lower case."""
    return cloud.registry.by_arn(cloud.arn(Kind.ENDPOINT, name))


def _changeable(cloud: Cloud, name: str) -> Record:
    record = find(cloud, name)
    if record.status in _BUSY:
        raise _in_progress(record)
    if record.status is Status.FAILED:
        raise validation_error(f'Endpoint "{record.arn}" has failed and can only be deleted.')
    return record


def _start_change(cloud: Cloud, record: Record, facts: Mapping[str, Any], at: float) -> Record:
    try:
        return cloud.registry.change(
            record, lambda r: r.advance(Status.UPDATING, at, **{"FailureReason": None, **facts})
        )
    except TransitionRefused as error:
        raise _in_progress(record) from error


def _in_progress(record: Record) -> AWSError:
    return validation_error(f'Cannot update in-progress endpoint "{record.arn}".')


def _planned(cloud: Cloud, config_name: str) -> list[Variant]:
    config = endpoint_configs.find(cloud, config_name)
    variants = []
    for configured in config.request["ProductionVariants"]:
        model = models.find(cloud, configured["ModelName"])
        variant = plan.variant(configured, model.request, models.container_of(model))
        preflight.check_role(cloud, variant.role)
        if variant.artifact is not None:
            models.check_artifact(cloud, variant.role, variant.artifact)
        variants.append(variant)
    return variants


def _retained(before: list[Variant], after: list[Variant], excluded: Any) -> list[Variant]:
    dropped = {entry["VariantPropertyType"] for entry in excluded}
    old = {variant.name: variant for variant in before}
    return [plan.retain(variant, old.get(variant.name), dropped) for variant in after]


def _check_quotas(cloud: Cloud, variants: list[Variant], replaced: Record | None) -> None:
    """Instances by type, serverless endpoints and their concurrency (service spec 5.1)."""
    others = [
        variant
        for record in cloud.registry.find(Kind.ENDPOINT, cloud.region)
        if (replaced is None or record.name != replaced.name) and record.status is not Status.FAILED
        for variant in plan.from_json(record.private["variants"])
    ]
    for name in {variant.instance_type for variant in variants if variant.instance_type}:
        used = sum(v.count for v in others if v.instance_type == name)
        wanted = sum(v.count for v in variants if v.instance_type == name)
        cloud.quotas.check_instances("endpoint", name, used, wanted)
    wanted = sum(v.serverless.max_concurrency for v in variants if v.serverless)
    used = sum(v.serverless.max_concurrency for v in others if v.serverless)
    limit = cloud.quotas.limit("serverless", "total_concurrency")
    if wanted and used + wanted > limit:
        what = "Maximum total concurrency that can be allocated across all serverless endpoints"
        raise limit_exceeded(what, limit, used, wanted, "Invocations")
    count, most = sum(1 for v in others if v.serverless), cloud.quotas.limit("serverless", "endpoints")
    if wanted and replaced is None and count + 1 > most:
        raise limit_exceeded("Number of serverless endpoints", most, count, 1, "Endpoints")


def _pending(config: str, variants: list[Variant], at: float) -> dict[str, Any]:
    return {
        "EndpointConfigName": config,
        "ProductionVariants": [variant.described for variant in variants],
        "StartTime": at,
    }
