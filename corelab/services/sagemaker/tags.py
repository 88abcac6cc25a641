"""Tags of any resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from corelab.errors import AWSError, validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record

_MOST = 50


def add_tags(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Adds or overwrites; answers with all tags given (Service spec 3)."""
    record = _find(cloud, request["ResourceArn"])
    tags = as_dict(request["Tags"])
    if len(cloud.registry.tags(record.arn) | tags) > _MOST:
        raise validation_error(f"A resource can have at most {_MOST} tags.")
    return {"Tags": as_list(cloud.registry.add_tags(record.arn, tags))}


def list_tags(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """All tags in one page: a resource has at most fifty, and a page holds at least as many."""
    return {"Tags": as_list(cloud.registry.tags(_find(cloud, request["ResourceArn"]).arn))}


def delete_tags(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Deleting a tag that is not there is no error."""
    cloud.registry.delete_tags(_find(cloud, request["ResourceArn"]).arn, request["TagKeys"])
    return {}


def as_dict(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """AWS's list of Key and Value as a mapping. Raises for a key given twice or reserved by AWS."""
    found: dict[str, str] = {}
    for tag in tags:
        if tag["Key"] in found:
            raise validation_error(f"Duplicate tag keys found: {tag['Key']}. Please use each key once.")
        if tag["Key"].lower().startswith("aws:"):
            raise validation_error("aws: prefixed tag key names are not allowed for external use.")
        found[tag["Key"]] = tag["Value"]
    return found


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _find(cloud: Cloud, arn: str) -> Record:
    # Endpoints and models appear in lower case in their ARN, and people paste either form.
    record = cloud.registry.by_arn(arn) or cloud.registry.by_arn(arn.lower())
    if record is None:
        raise AWSError("ValidationException", f"Could not find the resource {arn}.")
    return record
