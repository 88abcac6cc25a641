"""IAM's evaluation logic, rule by rule, and over AWS's own SageMaker policy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corelab.aws.conditions import holds
from corelab.aws.iam import managed_policy
from corelab.aws.policy import Decision, Question, decide

ALLOWED, IMPLICIT, EXPLICIT = Decision.ALLOWED, Decision.IMPLICIT_DENY, Decision.EXPLICIT_DENY


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any = "s3:GetObject", resource: Any = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def ask(
    *statements: dict[str, Any], action: str = "s3:GetObject", resource: str = "arn:aws:s3:::b/k"
) -> Decision:
    return decide([document(*statements)], Question(action, resource))


def test_what_nobody_allows_is_denied() -> None:
    assert ask(allow("s3:PutObject")) is IMPLICIT
    assert decide([], Question("s3:GetObject", "*")) is IMPLICIT


def test_a_denial_beats_every_permission() -> None:
    assert ask(allow("*"), {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}) is EXPLICIT
    assert ask(allow("*"), {"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}) is ALLOWED


@pytest.mark.parametrize("action", ["s3:*", "S3:getobject", "s3:Get?bject", ["ec2:*", "s3:Get*"], "*"])
def test_actions_match_with_wildcards_whatever_their_case(action: Any) -> None:
    assert ask(allow(action)) is ALLOWED


@pytest.mark.parametrize(
    ("resource", "decision"),
    [
        ("arn:aws:s3:::b/*", ALLOWED),
        ("arn:aws:s3:::B/*", IMPLICIT),
        ("arn:aws:s3:::?/k", ALLOWED),
        ("arn:aws:s3:::b", IMPLICIT),
        ("arn.aws.s3...b.k", IMPLICIT),
        (["arn:aws:s3:::a/*", "arn:aws:s3:::b/k"], ALLOWED),
    ],
)
def test_resources_match_to_the_letter(resource: Any, decision: Decision) -> None:
    assert ask(allow(resource=resource)) is decision


def test_the_not_elements_turn_the_match_around() -> None:
    assert ask({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}) is ALLOWED
    assert ask({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}) is IMPLICIT
    assert ask({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}) is IMPLICIT


def test_one_statement_needs_no_brackets_and_a_broken_document_says_nothing() -> None:
    single = json.dumps({"Statement": allow()})
    assert decide(["not json", "[]", single], Question("s3:GetObject", "*")) is ALLOWED


def test_a_condition_that_fails_is_no_denial() -> None:
    passed = allow(
        "iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    )
    question = Question("iam:PassRole", "*", {"iam:PassedToService": "lambda.amazonaws.com"})
    assert decide([document(passed)], question) is IMPLICIT
    question = Question("iam:PassRole", "*", {"iam:PassedToService": "sagemaker.amazonaws.com"})
    assert decide([document(passed)], question) is ALLOWED


def test_variables_stand_for_the_caller_s_own_values() -> None:
    home = document(allow(resource="arn:aws:s3:::home/${aws:username}/*"))
    for name, decision in (("kim", ALLOWED), ("lee", IMPLICIT)):
        question = Question("s3:GetObject", "arn:aws:s3:::home/kim/x", {"aws:username": name})
        assert decide([home], question) is decision


@pytest.mark.parametrize(
    ("principal", "decision"),
    [
        ("*", ALLOWED),
        ({"AWS": "*"}, ALLOWED),
        ({"AWS": ["x", "arn:me"]}, ALLOWED),
        ({"Service": "sagemaker.amazonaws.com"}, IMPLICIT),
        (None, IMPLICIT),
    ],
)
def test_a_resource_s_policy_speaks_of_those_it_names(principal: Any, decision: Decision) -> None:
    statement = allow() if principal is None else allow(Principal=principal)
    question = Question("s3:GetObject", "arn:aws:s3:::b/k", {}, frozenset({"arn:me", "*"}))
    assert decide([document(statement)], question, by_principal=True) is decision


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "outcome"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "a", None, False),
        ("StringNotEquals", "a", None, True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringLike", "a*[c]?", "ab[c]d", True),
        ("StringNotLike", "a*", "b", True),
        ("ArnLike", "arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", True),
        ("NumericLessThan", "10", "9.5", True),
        ("NumericGreaterThanEquals", "10", "ten", False),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", True),
        ("Bool", "true", "True", True),
        ("Bool", False, "true", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("NotIpAddress", "10.0.0.0/8", "192.168.0.1", True),
        ("Null", "true", None, True),
        ("Null", "false", "x", True),
        ("ForAnyValue:StringEquals", ["a"], ["x", "a"], True),
        ("ForAllValues:StringEquals", ["a"], ["x", "a"], False),
        ("ForAllValues:StringEquals", ["a"], None, True),
        ("NoSuchOperator", "a", "a", False),
    ],
)
def test_conditions_hold_as_iam_says(operator: str, wanted: Any, value: Any, outcome: bool) -> None:
    context = {} if value is None else {"AWS:Key": value}
    assert holds({operator: {"aws:key": wanted}}, context) is outcome


def test_sagemaker_full_access_reaches_sagemaker_buckets_only() -> None:
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    full = json.dumps(managed_policy(arn)["AmazonSageMakerFullAccess"]["Document"])
    for bucket, decision in (("sagemaker-us-east-1-1", ALLOWED), ("private", IMPLICIT)):
        assert decide([full], Question("s3:GetObject", f"arn:aws:s3:::{bucket}/k")) is decision
    assert decide([full], Question("sagemaker:CreateTrainingJob", "*")) is ALLOWED
    assert decide([full], Question("iam:CreateRole", "*")) is IMPLICIT


def test_a_managed_policy_is_found_by_its_whole_arn() -> None:
    assert managed_policy("arn:aws:iam::aws:policy/NoSuch") == {}
    assert managed_policy("arn:aws:iam::aws:policy/wrong-path/AmazonSageMakerFullAccess") == {}
