"""The least that an identity must be allowed for the course: read off the journal of a run, and narrowed.

journal ──needs──▶ (action, resource) ──narrowed──▶ iam-policy.json ──moved──▶ your account, region and role
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from corelab.home import Home
from corelab.resources.journal import Journal

Document = dict[str, Any]
_PASS = "iam:PassRole"  # noqa: S105 (an action, not a password)
# What a single resource is taken for: all of its kind. Roles and buckets stay themselves.
_GENERAL = (
    (re.compile(r"(arn:aws:(?:sagemaker|application-autoscaling):[^/]*/).*"), r"\1*"),
    (re.compile(r"(arn:aws:logs:.*:log-group:/aws/sagemaker/).*"), r"\1*"),
    (re.compile(r"(arn:aws:s3:::[^/*]+/).*"), r"\1*"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a policy is for; the shipped ones are for the local cloud's account."""

    account: str = "123456789012"
    region: str = "us-east-1"
    role: str = "CoreLab"


def policy(needs: Iterable[tuple[str, str]]) -> Document:
    """A policy that allows what a run needed, and only that.

    Args:
        needs: (action, resource), as the journal of a run has them.
    """
    actions: dict[tuple[bool, str], set[str]] = defaultdict(set)
    for action, resource in needs:
        actions[action == _PASS, _narrowed(resource)].add(action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement(passes, resource, actions[passes, resource]) for passes, resource in sorted(actions)
        ],
    }


def from_home(home: Home) -> Document:
    """What the calls to a home's local cloud needed so far."""
    journal = Journal(home.path / "journal.db")
    try:
        return policy(journal.needs())
    finally:
        journal.close()


def shipped(name: str, place: Place | None = None) -> Document:
    """``iam-policy``, what the course's calls need, or ``iam-jobs-policy``, what jobs need of the role they act in."""
    text = resources.files("corelab.account").joinpath(f"{name}.json").read_text("utf-8")
    home, there = Place(), place or Place()
    for old, new in ((home.account, there.account), (home.region, there.region)):
        text = text.replace(old, new)
    found: Document = json.loads(text.replace(f"role/{home.role}", f"role/{there.role}"))
    return found


def without(document: Document, action: str) -> Document:
    """The same policy with one action less."""
    kept = [
        {**statement, "Action": [each for each in statement["Action"] if each != action]}
        for statement in document["Statement"]
    ]
    return {**document, "Statement": [statement for statement in kept if statement["Action"]]}


def actions(document: Document) -> list[str]:
    """Every action it allows."""
    return sorted({action for statement in document["Statement"] for action in statement["Action"]})


def _statement(passes: bool, resource: str, actions: Iterable[str]) -> Document:
    statement: Document = {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}
    if passes:
        statement["Condition"] = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return statement


def _narrowed(resource: str) -> str:
    for pattern, general in _GENERAL:
        resource = pattern.sub(general, resource)
    # AWS has no resource for listing buckets.
    return "*" if resource == "arn:aws:s3:::*" else resource
