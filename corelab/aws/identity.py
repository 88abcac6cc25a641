"""Who a key belongs to, and what its owner may do, from moto's IAM and our sessions.

access key ─▶ Caller(arn) ─▶ role or user ─▶ its policies ─▶ decide()
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Group, IAMBackend, Role, User

from corelab.aws.conditions import Context
from corelab.aws.embedded import ACCOUNT
from corelab.aws.policy import Decision, Question, decide
from corelab.store.contract import Caller
from corelab.store.journal import Journal

if TYPE_CHECKING:
    from corelab.store.contract import Identity

LEARNER_KEY = "AKIALOCALSAGEMAKER00"
LEARNER_ROLE = "LabRole"
LEARNER_SESSION = "student"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ASSUME = "sts:AssumeRole"
_ASSUMED = f"arn:aws:sts::{ACCOUNT}:assumed-role/"
_USER = f"arn:aws:iam::{ACCOUNT}:user/"


class Principals:
    """The identities of the account.

    Args:
        journal: where temporary sessions are kept.
        iam: gives moto's backend, which is made anew when its journal had to be replayed.
        bucket_policy: gives a bucket's policy document, None when it has none.
    """

    def __init__(
        self, journal: Journal, iam: Callable[[], IAMBackend], bucket_policy: Callable[[str], str | None]
    ) -> None:
        self._journal = journal
        self._iam = iam
        self._bucket_policy = bucket_policy

    def caller(self, access_key: str | None) -> Caller | None:
        if access_key is None:
            return None
        if access_key == LEARNER_KEY:  # most requests; needs no look at the disk
            return Caller(ACCOUNT, f"{_ASSUMED}{LEARNER_ROLE}/{LEARNER_SESSION}", access_key)
        session = self._journal.session(access_key)
        if session is not None:
            alive = session.expires > time.time()
            return Caller(ACCOUNT, session.principal, access_key) if alive else None
        for user in list(self._iam().users.values()):
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active":
                    return Caller(ACCOUNT, user.arn, access_key)
        return None

    def user_id(self, caller: Caller) -> str:
        """The unique id GetCallerIdentity gives."""
        session = self._journal.session(caller.access_key)
        if session is not None:
            return session.user_id
        owner = self._owner(caller.arn)
        if isinstance(owner, Role):
            return f"{owner.id}:{caller.arn.rpartition('/')[2]}"
        return owner.id if owner is not None else ACCOUNT

    def role(self, role_arn: str) -> Role | None:
        """moto's role of exactly this ARN."""
        try:
            return self._iam().get_role_by_arn(role_arn)
        except NotFoundException:
            return None

    def role_exists(self, role_arn: str) -> bool:
        return self.role(role_arn) is not None

    def can_assume(self, role_arn: str, service: str = "sagemaker.amazonaws.com") -> bool:
        return self.trusts(role_arn, frozenset({service, "*"}))

    def trusts(self, role_arn: str, principals: frozenset[str], context: Context | None = None) -> bool:
        """Whether a role's trust policy lets any of these names assume it."""
        role = self.role(role_arn)
        if role is None:
            return False
        question = Question(ASSUME, role_arn, context or {}, principals)
        decision = decide([role.assume_role_policy_document], question, by_principal=True)
        return decision is Decision.ALLOWED

    def allows(self, principal_arn: str, action: str, resource: str, context: Context | None = None) -> bool:
        return self.judge(principal_arn, action, resource, context) is Decision.ALLOWED

    def judge(
        self, principal_arn: str, action: str, resource: str, context: Context | None = None
    ) -> Decision:
        """Identity policies, permissions boundary and, for S3, the bucket's policy, taken together."""
        if principal_arn == ROOT:
            return Decision.ALLOWED
        owner = self._owner(principal_arn)
        question = Question(
            action,
            resource,
            {**_context(principal_arn, owner), **(context or {})},
            self.names(principal_arn),
        )
        by_identity = decide(self._documents(owner), question)
        by_resource = decide(self._resource_documents(resource), question, by_principal=True)
        boundary = self._boundary(owner)
        if boundary is not None and by_identity is Decision.ALLOWED:
            by_identity = decide([boundary], question)
        # Within one account either side may allow, and either side may forbid.
        outcomes = {by_identity, by_resource}
        for decision in (Decision.EXPLICIT_DENY, Decision.ALLOWED):
            if decision in outcomes:
                return decision
        return Decision.IMPLICIT_DENY

    def judge_anonymous(self, action: str, resource: str) -> Decision:
        """What a bucket's policy says of a caller without a name."""
        question = Question(action, resource, {}, frozenset({"*"}))
        return decide(self._resource_documents(resource), question, by_principal=True)

    def names(self, principal_arn: str) -> frozenset[str]:
        """All names a principal goes by in a resource's or role's policy."""
        owner = self._owner(principal_arn)
        own = {owner.arn} if isinstance(owner, Role | User) else set()
        return frozenset({principal_arn, ROOT, ACCOUNT, "*"} | own)

    def _owner(self, principal_arn: str) -> Role | User | None:
        iam = self._iam()
        if principal_arn.startswith(_ASSUMED):
            name = principal_arn.removeprefix(_ASSUMED).partition("/")[0]
            return next((role for role in list(iam.roles.values()) if role.name == name), None)
        if principal_arn.startswith(_USER):
            return next((user for user in list(iam.users.values()) if user.arn == principal_arn), None)
        return self.role(principal_arn)

    def _documents(self, owner: Role | User | None) -> list[str]:
        if owner is None:
            return []
        holders: list[Role | User | Group] = [owner]
        if isinstance(owner, User):
            holders += [group for group in self._iam().groups.values() if owner in group.users]
        documents: list[str] = []
        for holder in holders:
            documents += holder.policies.values()
            documents += [_default_document(policy) for policy in list(holder.managed_policies.values())]
        return documents

    def _boundary(self, owner: Role | User | None) -> str | None:
        arn = getattr(owner, "permissions_boundary_arn", None)
        policy = self._iam().managed_policies.get(arn) if arn else None
        return _default_document(policy) if policy is not None else None

    def _resource_documents(self, resource: str) -> list[str]:
        service, _, rest = resource.partition(":::")
        if service != "arn:aws:s3":
            return []
        policy = self._bucket_policy(rest.partition("/")[0])
        return [policy] if policy is not None else []


def _default_document(policy: object) -> str:
    versions = getattr(policy, "versions", [])
    return next((version.document for version in versions if version.is_default), "")


def _context(principal_arn: str, owner: Role | User | None) -> Context:
    arn = owner.arn if isinstance(owner, Role) else principal_arn
    context = {"aws:PrincipalArn": arn, "aws:PrincipalAccount": ACCOUNT, "aws:SecureTransport": "false"}
    if isinstance(owner, User):
        context["aws:username"] = owner.name
    return context


if TYPE_CHECKING:

    def _proof(principals: Principals) -> Identity:
        return principals
