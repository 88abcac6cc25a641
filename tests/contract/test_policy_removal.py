"""The shipped policy is enough for every kind of call, and each of its actions is needed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from corelab.account.policy import actions, policy, shipped, without
from corelab.connection import launch
from corelab.home import Home
from tests.contract import two_clouds
from tests.contract.recorder import Request, send

CALLS = json.loads(Path(__file__).with_name("calls.json").read_text("utf-8"))
ACTIONS = actions(shipped("iam-policy"))
# The answers of a service that was reached differ; only that they are no refusal matters here.
REFUSED = re.compile(rb"AccessDenied|is not authorized to perform")


class User:
    """Somebody who may do what ``allow`` last said, and sends recorded requests."""

    def __init__(self, url: str) -> None:
        self._iam, self._netloc = two_clouds.client("iam", url), urlsplit(url).netloc
        self._iam.create_user(UserName="contract")
        self._key = self._iam.create_access_key(UserName="contract")["AccessKey"]["AccessKeyId"]

    def allow(self, document: dict[str, Any]) -> None:
        self._iam.put_user_policy(UserName="contract", PolicyName="p", PolicyDocument=json.dumps(document))

    def ask(self, call: dict[str, Any]) -> bytes:
        """The answer's body, or its status for an answer to HEAD that has none."""
        headers = call["headers"] | {"authorization": self._signed(call["headers"]["authorization"])}
        request = Request(call["method"], call["path"], headers, base64.b64decode(call["body"]))
        status, _, _, body = send(self._netloc, request)
        return body or (b"AccessDenied" if status == 403 else b"")

    def _signed(self, authorization: str) -> str:
        return re.sub(r"Credential=[^/]*", f"Credential={self._key}", authorization)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """In a cloud of its own: some calls make roles, and other tests count those."""
    home = Home(tmp_path_factory.mktemp("removal") / "home")
    yield User(launch.ensure(home).url)
    launch.stop(home)


def test_the_policy_is_enough_for_every_kind_of_call_of_the_course(user: User) -> None:
    user.allow(shipped("iam-policy"))
    assert len(CALLS) > 30
    for call in CALLS:
        assert not REFUSED.search(user.ask(call)), call


@pytest.mark.parametrize("action", ACTIONS)
def test_without_any_one_action_a_call_is_refused_and_told_why(user: User, action: str) -> None:
    user.allow(without(shipped("iam-policy"), action))
    refusals = [answer for answer in map(user.ask, CALLS) if REFUSED.search(answer)]
    assert refusals
    told = [answer for answer in refusals if answer != b"AccessDenied"]
    # A refused HEAD has no body on AWS either; another request that needs the action says its name.
    assert any(f"is not authorized to perform: {action} on resource".encode() in answer for answer in told)


def test_the_policy_allows_no_more_than_single_kinds_of_resources() -> None:
    for statement in shipped("iam-policy")["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        wide = [action for action in statement["Action"] if statement["Resource"] == "*"]
        assert all(re.search(r":(List|Search|Describe|Get)", action) for action in wide), wide
        if "iam:PassRole" in statement["Action"]:
            assert statement["Condition"] == {
                "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
            }


def test_resources_are_widened_to_their_kind_and_no_further() -> None:
    needs = {
        ("sagemaker:CreateModel", "arn:aws:sagemaker:us-east-1:123456789012:model/a"),
        ("sagemaker:DeleteModel", "arn:aws:sagemaker:us-east-1:123456789012:model/b"),
        ("s3:GetObject", "arn:aws:s3:::bucket/a/b"),
        ("s3:ListBucket", "arn:aws:s3:::bucket"),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::*"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/CoreLab"),
        (
            "logs:GetLogEvents",
            "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/TrainingJobs:log-stream:a",
        ),
    }
    allowed = {statement["Resource"]: statement["Action"] for statement in policy(needs)["Statement"]}
    assert allowed == {
        "*": ["s3:ListAllMyBuckets"],
        "arn:aws:iam::123456789012:role/CoreLab": ["iam:PassRole"],
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/*": ["logs:GetLogEvents"],
        "arn:aws:s3:::bucket": ["s3:ListBucket"],
        "arn:aws:s3:::bucket/*": ["s3:GetObject"],
        "arn:aws:sagemaker:us-east-1:123456789012:model/*": [
            "sagemaker:CreateModel",
            "sagemaker:DeleteModel",
        ],
    }
