"""What the account may use at once. Source: the Service Quotas API. AWS's quota codes are not known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corelab.engine.instances import instance_types
from corelab.errors import AWSError
from corelab.resources.cloud import Cloud

_SERVICE = "sagemaker"
_MOST = 100


def list_service_quotas(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """SageMaker's instances, a page of at most a hundred at a time."""
    if request["ServiceCode"] != _SERVICE:
        raise AWSError("NoSuchResourceException", f"The service {request['ServiceCode']} has no quotas here.")
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise AWSError(
            "InvalidPaginationTokenException", f"{token!r} is not a token this operation gave out."
        )
    names = cloud.quotas.instances(instance_types())
    begin, end = int(token), int(token) + request.get("MaxResults", _MOST)
    page = [_quota(cloud, name, value) for name, value in names[begin:end]]
    return {"Quotas": page, **({"NextToken": str(end)} if end < len(names) else {})}


def _quota(cloud: Cloud, name: str, value: int) -> dict[str, Any]:
    return {
        "ServiceCode": _SERVICE,
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": f"arn:aws:servicequotas:{cloud.region}:{cloud.account}:{_SERVICE}/{name.replace(' ', '-')}",
        "QuotaName": name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
