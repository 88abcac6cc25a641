"""STS and IAM through the wire (checks 82 to 94)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.aws.checks.register import check
from tests.aws.checks.test_s3_buckets import refused
from tests.aws.conftest import Server

LAB_ROLE = "arn:aws:iam::123456789012:role/LabRole"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def allow(action: str, resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def role(iam: Any) -> str:
    name = f"role-{uuid.uuid4().hex[:12]}"
    iam.create_role(RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=TRUST)
    return name


@check(82)
def test_the_learner_is_the_lab_role(sts: Any, iam: Any) -> None:
    caller = sts.get_caller_identity()
    assert caller["Account"] == "123456789012"
    assert caller["Arn"] == "arn:aws:sts::123456789012:assumed-role/LabRole/student"
    assert caller["UserId"] == iam.get_role(RoleName="LabRole")["Role"]["RoleId"] + ":student"


@check(83)
def test_a_role_is_made_with_its_path(iam: Any, role: str) -> None:
    found = iam.get_role(RoleName=role)["Role"]
    assert found["Arn"] == f"arn:aws:iam::123456789012:role/service-role/{role}"
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST)


@check(84)
def test_a_role_s_name_is_taken_once(iam: Any, role: str) -> None:
    with refused("EntityAlreadyExists", 409):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)


@check(85)
def test_a_missing_role_is_named_so(iam: Any) -> None:
    with refused("NoSuchEntity", 404):
        iam.get_role(RoleName="nobody")


@check(86)
def test_aws_s_own_policy_can_be_attached(iam: Any, role: str) -> None:
    iam.attach_role_policy(RoleName=role, PolicyArn=FULL_ACCESS)
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert attached == [{"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": FULL_ACCESS}]
    with refused("NoSuchEntity", 404):
        iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")


@check(87)
def test_aws_s_own_policy_can_be_read(iam: Any) -> None:
    policy = iam.get_policy(PolicyArn=FULL_ACCESS)["Policy"]
    version = iam.get_policy_version(PolicyArn=FULL_ACCESS, VersionId=policy["DefaultVersionId"])
    statements = version["PolicyVersion"]["Document"]["Statement"]
    assert any("sagemaker:*" in statement.get("Action", []) for statement in statements)
    names = [page["PolicyName"] for page in iam.list_policies(Scope="AWS", MaxItems=1000)["Policies"]]
    assert "AdministratorAccess" in names


@check(88)
def test_policies_are_made_attached_written_inline_and_detached(iam: Any, role: str) -> None:
    document = allow("s3:GetObject")
    arn = iam.create_policy(PolicyName=f"p-{role}", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    iam.put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=document)
    assert iam.get_role_policy(RoleName=role, PolicyName="inline")["PolicyDocument"] == json.loads(document)
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    iam.delete_policy(PolicyArn=arn)


@check(89)
def test_roles_are_listed_in_pages(iam: Any, role: str) -> None:
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1}))
    names = [entry["RoleName"] for page in pages for entry in page["Roles"]]
    assert {"LabRole", role} <= set(names)
    assert len(pages) == len(names)


@check(90)
def test_the_policy_simulator_answers_for_a_role(iam: Any, role: str) -> None:
    iam.put_role_policy(
        RoleName=role, PolicyName="read", PolicyDocument=allow("s3:Get*", "arn:aws:s3:::data/*")
    )
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::123456789012:role/service-role/{role}",
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::data/x", "arn:aws:s3:::other/x"],
    )
    decisions = [
        (result["EvalActionName"], result["EvalResourceName"][13:], result["EvalDecision"])
        for result in answer["EvaluationResults"]
    ]
    assert decisions == [
        ("s3:GetObject", "data/x", "allowed"),
        ("s3:GetObject", "other/x", "implicitDeny"),
        ("s3:PutObject", "data/x", "implicitDeny"),
        ("s3:PutObject", "other/x", "implicitDeny"),
    ]
    with refused("NoSuchEntity", 404):
        iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/nobody", ActionNames=["s3:GetObject"]
        )


@check(91)
def test_a_role_with_a_policy_is_not_deleted(iam: Any, role: str) -> None:
    iam.attach_role_policy(RoleName=role, PolicyArn=FULL_ACCESS)
    with refused("DeleteConflict", 409):
        iam.delete_role(RoleName=role)
    iam.detach_role_policy(RoleName=role, PolicyArn=FULL_ACCESS)
    iam.delete_role(RoleName=role)
    with refused("NoSuchEntity"):
        iam.get_role(RoleName=role)


@check(92, 93)
def test_an_assumed_role_is_known_by_its_name_and_may_what_its_policies_say(
    server: Server, iam: Any, sts: Any, s3: Any, bucket: str, role: str
) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"shared")
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="other")["Credentials"]
    temporary = {
        "key": keys["AccessKeyId"],
        "secret": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    assumed = f"arn:aws:sts::123456789012:assumed-role/{role}/other"
    assert server.client("sts", **temporary).get_caller_identity()["Arn"] == assumed
    other = server.client("s3", **temporary)
    with refused("AccessDenied", 403) as caught:
        other.get_object(Bucket=bucket, Key="k")
    assert f"User: {assumed} is not authorized to perform: s3:GetObject" in str(caught.value)
    iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=allow("s3:GetObject"))
    assert other.get_object(Bucket=bucket, Key="k")["Body"].read() == b"shared"


@check(94)
def test_a_session_token_is_the_same_person_in_any_region(server: Server, sts: Any) -> None:
    keys = sts.get_session_token()["Credentials"]
    europe = server.client(
        "sts",
        "eu-west-1",
        key=keys["AccessKeyId"],
        secret=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert europe.get_caller_identity()["Arn"] == sts.get_caller_identity()["Arn"]
