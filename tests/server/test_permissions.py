"""A user may do with SageMaker what the user's policies allow, and is told what they do not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import IMAGE, ROLE, Lab

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
USER = "restricted"


@pytest.fixture(scope="module")
def key(lab: Lab) -> Iterator[dict[str, str]]:
    iam = lab.client("iam")
    iam.create_user(UserName=USER)
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    yield {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    iam.delete_access_key(UserName=USER, AccessKeyId=made["AccessKeyId"])
    iam.delete_user_policy(UserName=USER, PolicyName="p")
    iam.delete_user(UserName=USER)


def allow(lab: Lab, *actions: str, resource: str = "*", **rest: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Action": list(actions) or ["iam:ListUsers"],
        "Resource": resource,
        **rest,
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    lab.client("iam").put_user_policy(UserName=USER, PolicyName="p", PolicyDocument=json.dumps(document))


def client(lab: Lab, key: dict[str, str], service: str = "sagemaker") -> Any:
    return boto3.client(service, region_name="us-east-1", endpoint_url=lab.url, **key)


def create(sagemaker: Any, name: str) -> None:
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE},
        ExecutionRoleArn=ROLE,
        Tags=[{"Key": "course", "Value": "corelab"}],
    )


@pytest.mark.parametrize(
    ("service", "operation", "request_", "action", "resource"),
    [
        ("sagemaker", "list_endpoints", {}, "sagemaker:ListEndpoints", "*"),
        ("sagemaker", "describe_model", {"ModelName": "Mm"}, "sagemaker:DescribeModel", f"{ARN}:model/Mm"),
        ("sagemaker", "list_tags", {"ResourceArn": f"{ARN}:model/m"}, "sagemaker:ListTags", f"{ARN}:model/m"),
        (
            "sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1"},
            "sagemaker:InvokeEndpoint", f"{ARN}:endpoint/e",
        ),
        (
            "application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"},
            "application-autoscaling:DescribeScalableTargets", "*",
        ),
        ("service-quotas", "list_service_quotas", {"ServiceCode": "sagemaker"}, "servicequotas:ListServiceQuotas", "*"),
    ],
)  # fmt: skip
def test_what_no_policy_allows_is_refused_in_aws_s_words(
    lab: Lab,
    key: dict[str, str],
    service: str,
    operation: str,
    request_: dict[str, Any],
    action: str,
    resource: str,
) -> None:
    allow(lab)
    with pytest.raises(ClientError) as refused:
        getattr(client(lab, key, service), operation)(**request_)
    error = refused.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"] == (
        f"User: arn:aws:iam::123456789012:user/{USER} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def test_creating_takes_the_tags_and_the_role_s_passing_too(lab: Lab, key: dict[str, str]) -> None:
    sagemaker, name = client(lab, key), lab.name("model")
    allowed: list[str] = []
    for action in ("sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"):
        allow(lab, *allowed)
        with pytest.raises(ClientError, match=f"not authorized to perform: {action}"):
            create(sagemaker, name)
        allowed.append(action)
    allow(lab, *allowed)
    create(sagemaker, name)
    lab.client("sagemaker").delete_model(ModelName=name)


def test_a_role_may_be_passed_to_the_service_that_the_policy_names_only(
    lab: Lab, key: dict[str, str]
) -> None:
    actions, condition = ("sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"), "iam:PassedToService"
    allow(lab, *actions, Condition={"StringEqualsIfExists": {condition: "lambda.amazonaws.com"}})
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        create(client(lab, key), lab.name("model"))


def test_an_endpoint_takes_leave_for_its_configuration_as_well(lab: Lab, key: dict[str, str]) -> None:
    allow(lab, "sagemaker:CreateEndpoint", resource=f"{ARN}:endpoint/*")
    with pytest.raises(ClientError, match=f"sagemaker:CreateEndpoint on resource: {ARN}:endpoint-config/c"):
        client(lab, key).create_endpoint(EndpointName="e", EndpointConfigName="c")


def test_the_journal_says_what_each_call_took(lab: Lab, key: dict[str, str]) -> None:
    allow(lab, "sagemaker:ListModels", "s3:ListBucket")
    client(lab, key).list_models()
    client(lab, key, "s3").list_objects_v2(Bucket=lab.bucket)
    caller = f"arn:aws:iam::123456789012:user/{USER}"
    wanted = {
        "ListModels": [["sagemaker:ListModels", "*"]],
        "ListObjectsV2": [["s3:ListBucket", f"arn:aws:s3:::{lab.bucket}"]],
    }
    found: dict[str, Any] = {}
    while not wanted.keys() <= found.keys():  # the journal is written a moment after the answer
        with closing(sqlite3.connect(lab.home.path / "journal.db")) as db:
            sql = "SELECT operation, detail FROM journal WHERE caller = ? AND error = ''"
            found = {
                operation: json.loads(detail)["needs"] for operation, detail in db.execute(sql, (caller,))
            }
    assert wanted.items() <= found.items()
