"""Service Quotas tells the limits that the local SageMaker enforces."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Lab


def test_every_page_holds_other_quotas_and_the_enforced_limits(lab: Lab) -> None:
    pages = (
        lab.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    )
    quotas = [(quota["QuotaName"], quota["Value"]) for page in pages for quota in page["Quotas"]]
    values = dict(quotas)
    assert len(quotas) == len(values) > 100
    assert values["ml.m5.large for training job usage"] == 8
    assert values["ml.p3.2xlarge for training job usage"] == 0
    assert values["ml.t3.medium for endpoint usage"] == 4


def test_other_services_have_none_here(lab: Lab) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        lab.client("service-quotas").list_service_quotas(ServiceCode="ec2")
