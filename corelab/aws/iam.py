"""IAM: moto's, with AWS's managed policies read one by one, policy simulation, and a journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from moto.core.responses import ActionResult
from moto.iam import models as iam_models
from moto.iam import utils as iam_utils
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import NoSuchEntity
from moto.iam.models import AWSManagedPolicy, IAMBackend, iam_backends
from moto.iam.responses import IamResponse

from corelab.aws.authorize import Gate
from corelab.aws.embedded import ACCOUNT, PARTITION
from corelab.aws.identity import LEARNER_ROLE, Principals
from corelab.aws.policy import Decision, Question, decide
from corelab.aws.replay import Occasion, Replayed
from corelab.store.blobs import BlobFolder
from corelab.store.journal import Journal

MANAGED = "arn:aws:iam::aws:policy/"
_SUBJECTS = {
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
    "InstanceProfileName": "profile",
    "PolicyArn": "policy",
}
_REMOVALS = frozenset(["DeleteRole", "DeleteUser", "DeleteGroup", "DeleteInstanceProfile", "DeletePolicy"])


class IamAnswers(IamResponse):
    """IAM's operations, those of the policy simulator included."""

    principals: ClassVar[Principals]

    def simulate_principal_policy(self) -> ActionResult:
        """Source: IAM API reference, SimulatePrincipalPolicy."""
        principal = self._get_param("PolicySourceArn")
        if self.principals.names(principal) and not self._known(principal):
            raise NoSuchEntity(f"The entity {principal} does not exist.")
        context = self._context()
        extra = self._get_param("PolicyInputList", [])

        def judge(action: str, resource: str) -> Decision:
            decision = self.principals.judge(principal, action, resource, context)
            if decision is Decision.IMPLICIT_DENY and extra:
                return decide(extra, Question(action, resource, context))
            return decision

        return self._simulated(judge)

    def simulate_custom_policy(self) -> ActionResult:
        """Source: IAM API reference, SimulateCustomPolicy."""
        documents, context = self._get_param("PolicyInputList", []), self._context()
        return self._simulated(
            lambda action, resource: decide(documents, Question(action, resource, context))
        )

    def _known(self, principal: str) -> bool:
        iam = self.backend
        arns = {user.arn for user in iam.users.values()} | {group.arn for group in iam.groups.values()}
        return principal in arns or self.principals.role_exists(principal)

    def _context(self) -> dict[str, str | list[str]]:
        entries = self._get_param("ContextEntries", [])
        return {entry["ContextKeyName"]: list(entry["ContextKeyValues"]) for entry in entries}

    def _simulated(self, judge: Any) -> ActionResult:
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": judge(action, resource).value,
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action in self._get_param("ActionNames", [])
            for resource in self._get_param("ResourceArns", []) or ["*"]
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})


class Iam(Replayed):
    """The IAM service; the course's role is there from the start."""

    def __init__(self, journal: Journal, blobs: BlobFolder, principals: Principals, gate: Gate) -> None:
        IamAnswers.principals = principals
        occasion = Occasion()
        iam_models.utcnow = occasion.utcnow  # type: ignore[attr-defined]
        iam_models.random = occasion.random  # type: ignore[attr-defined]
        iam_utils.random = occasion.random  # type: ignore[attr-defined]
        super().__init__("iam", IamAnswers, occasion, iam_backends.clear, journal, blobs, gate)

    @property
    def backend(self) -> IAMBackend:
        return iam_backends[ACCOUNT][PARTITION]

    def prepare(self, operation: str, parameters: Mapping[str, Any]) -> None:
        if operation == "ListPolicies" and parameters.get("Scope") != "Local":
            self._load(json.loads(aws_managed_policies_data))
        for value in parameters.values():
            if isinstance(value, str) and value.startswith(MANAGED):
                self._load(managed_policy(value))

    def subject(self, operation: str, parameters: Mapping[str, Any]) -> str:
        # A policy is named by name and path when it is made, and by ARN ever after.
        if operation == "CreatePolicy":
            path = parameters.get("Path", "/")
            return f"policy:arn:aws:iam::{ACCOUNT}:policy{path}{parameters['PolicyName']}"
        return next(
            (f"{kind}:{parameters[name]}" for name, kind in _SUBJECTS.items() if name in parameters), ""
        )

    def settles(self, operation: str) -> str:
        return "removes" if operation in _REMOVALS else "adds"

    def has_learner(self) -> bool:
        return any(role.name == LEARNER_ROLE for role in self.backend.roles.values())

    def _load(self, policies: Mapping[str, Any]) -> None:
        known = self.backend.managed_policies
        for name, data in policies.items():
            policy = AWSManagedPolicy.from_data(name, ACCOUNT, PARTITION, data)
            known.setdefault(policy.arn, policy)


def managed_policy(arn: str) -> dict[str, Any]:
    """One of AWS's own policies out of moto's text of them all; empty when there is none of that name."""
    name = arn.rpartition("/")[2]
    # The text is moto's own, one policy after another; reading all of it takes 40 ms and 30 MB.
    start = aws_managed_policies_data.find(f'\n "{name}":')
    if start < 0:
        return {}
    begin = aws_managed_policies_data.index("{", start)
    data, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, begin)
    return {name: data} if f"{MANAGED[:-1]}{data['Path']}{name}" == arn else {}
