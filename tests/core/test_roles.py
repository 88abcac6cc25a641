"""An identity that is no role is helped to one, and never to the wrong one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from sagemaker_core.helper.session_helper import Session

from corelab.connection import events
from corelab.core import roles
from corelab.errors import AccountError, BadArgument


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def iam(aws_account: str) -> Iterator[Any]:
    """IAM of an empty AWS in which the caller is a user; the SDK's fixed STS address leads there too."""
    urlopen(Request(f"{aws_account}/moto-api/reset", method="POST")).close()
    events.stay_on(aws_account)
    iam = boto3.client("iam")
    iam.create_role(RoleName="ForLambda", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    yield iam
    events.uninstall()


def session() -> Session:
    return Session(boto_session=boto3.Session(region_name="eu-west-1"))


def test_a_user_is_given_the_only_role_that_trusts_sagemaker_and_told_so(
    iam: Any, caplog: pytest.LogCaptureFixture
) -> None:
    arn = iam.create_role(RoleName="Lab", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))["Role"][
        "Arn"
    ]
    with caplog.at_level(logging.WARNING, "corelab"):
        assert roles.execution_role(session()) == arn
    assert "not a role" in caplog.text
    assert arn in caplog.text


def test_between_two_roles_nobody_chooses_for_the_learner(iam: Any) -> None:
    for name in ("LabA", "LabB"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))
    with pytest.raises(AccountError, match=r"role/LabA, arn.*role/LabB.*Pass one"):
        roles.execution_role(session())


def test_without_any_role_the_learner_is_told_what_to_pass(iam: Any) -> None:
    with pytest.raises(AccountError, match=r"No role here trusts SageMaker.*role='arn"):
        roles.execution_role(session())


@pytest.mark.parametrize(
    "role", ["LabRole", "", "arn:aws:iam::123456789012:user/ada", "arn:aws:iam::1:role/x", None]
)
def test_a_role_that_is_no_arn_is_refused(role: Any) -> None:
    with pytest.raises(BadArgument, match="role must be an ARN"):
        roles.checked(role)


def test_a_role_with_a_path_is_taken() -> None:
    arn = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-20240101T000000"
    assert roles.checked(arn) == arn
