"""Which execution role a job should have: the identity's own, else the one role that SageMaker may assume."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from corelab.errors import AccountError, BadArgument

_LOG = logging.getLogger(__name__)
_ROLE_ARN = re.compile(r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")  # the model's RoleArn


def checked(role: str) -> str:
    """The ARN itself.

    Raises:
        BadArgument: when it is not a role's ARN.
    """
    if not isinstance(role, str) or not _ROLE_ARN.fullmatch(role):
        raise BadArgument(
            f"role must be an ARN such as 'arn:aws:iam::123456789012:role/LabRole', not {role!r}."
        )
    return role


def execution_role(core_session: Any) -> str:
    """The role's ARN for jobs started by this session.

    A user's or the root's identity is no role (``get_execution_role`` raises then). If one role of the
    account, and only one, trusts SageMaker, it is taken and a warning says so.

    Raises:
        AccountError: when there is none, or a choice to be made.
    """
    from sagemaker_core.helper.session_helper import get_execution_role

    try:
        return str(get_execution_role(core_session))
    except ValueError as not_a_role:
        trusting = _trusting_sagemaker(core_session, not_a_role)
        if len(trusting) == 1:
            _LOG.warning(
                "%s Using %s, the only role here that SageMaker may assume.", not_a_role, trusting[0]
            )
            return trusting[0]
        found = (
            f"Roles that would do: {', '.join(trusting)}." if trusting else "No role here trusts SageMaker."
        )
        raise AccountError(
            f"{not_a_role} {found} Pass one: CoreLabSession(..., role='arn:...')."
        ) from not_a_role


def _trusting_sagemaker(core_session: Any, reason: ValueError) -> list[str]:
    from botocore.exceptions import ClientError

    pages = core_session.boto_session.client("iam").get_paginator("list_roles").paginate()
    try:
        roles = [role for page in pages for role in page["Roles"]]
    except ClientError as denied:
        raise AccountError(
            f"{reason} Its roles cannot be listed either: {denied}. Pass role='arn:...'."
        ) from denied
    return sorted(role["Arn"] for role in roles if trusts_sagemaker(role["AssumeRolePolicyDocument"]))


def trusts_sagemaker(policy: Mapping[str, Any] | str) -> bool:
    """Whether a role's trust policy, as GetRole gives it, lets SageMaker assume the role."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    return any(
        statement.get("Effect") == "Allow" and "sagemaker.amazonaws.com" in _services(statement)
        for statement in _as_list(document.get("Statement"))
    )


def _services(statement: Mapping[str, Any]) -> Iterator[Any]:
    principal = statement.get("Principal")
    return iter(_as_list(principal.get("Service")) if isinstance(principal, Mapping) else [])


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
