"""IAM policy documents: does this statement speak of that request, and what do all of them say together.

moto's own classes know neither conditions nor ``?`` and case, and read a condition that fails as a denial;
AmazonSageMakerFullAccess is full of conditions. Source of the rules: IAM user guide, policy evaluation logic.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from corelab.aws.conditions import Context, holds

Statement = Mapping[str, Any]


class Decision(Enum):
    """The three outcomes, in IAM's own words."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True, slots=True)
class Question:
    """May this action be done to that resource? ``principals`` are all names the caller goes by."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principals: frozenset[str] = frozenset()


def decide(documents: Iterable[str], question: Question, *, by_principal: bool = False) -> Decision:
    """What policies say together: a denial beats any permission.

    Args:
        documents: policy documents as JSON; one that is not JSON says nothing.
        question: what is asked.
        by_principal: the policies are attached to a resource and name whom they speak of.
    """
    decision = Decision.IMPLICIT_DENY
    for statement in statements(documents):
        if by_principal and not _names(statement, question.principals):
            continue
        if not _applies(statement, question):
            continue
        if statement.get("Effect") == "Deny":
            return Decision.EXPLICIT_DENY
        decision = Decision.ALLOWED
    return decision


def statements(documents: Iterable[str]) -> list[Statement]:
    """All statements of policy documents."""
    found: list[Statement] = []
    for document in documents:
        try:
            content = json.loads(document).get("Statement", [])
        except (ValueError, AttributeError):
            continue
        found += [statement for statement in as_list(content) if isinstance(statement, dict)]
    return found


def as_list(value: Any) -> Sequence[Any]:
    """IAM writes one value with or without brackets."""
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=4096)
def pattern(text: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """IAM's wildcards as a regular expression: ``*`` for any text, ``?`` for one character."""
    parts = [".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text]
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _applies(statement: Statement, question: Question) -> bool:
    return (
        _matches(statement, "Action", question.action, question.context, ignore_case=True)
        and _matches(statement, "Resource", question.resource, question.context)
        and holds(statement.get("Condition") or {}, question.context)
    )


def _matches(
    statement: Statement, element: str, value: str, context: Context, *, ignore_case: bool = False
) -> bool:
    """Whether the element, or its Not twin, covers the value; a trust policy has no Resource at all."""
    for name, wanted in ((element, True), (f"Not{element}", False)):
        if name in statement:
            texts = (_with_variables(str(text), context) for text in as_list(statement[name]))
            return any(pattern(text, ignore_case=ignore_case).fullmatch(value) for text in texts) is wanted
    return element == "Resource"


def _with_variables(text: str, context: Context) -> str:
    if "${" not in text:
        return text
    return re.sub(r"\$\{([^}]+)\}", lambda found: "".join(as_list(context.get(found[1], "${?}"))[:1]), text)


def _names(statement: Statement, principals: frozenset[str]) -> bool:
    for element, wanted in (("Principal", True), ("NotPrincipal", False)):
        if element in statement:
            return bool(_listed(statement[element]) & principals) is wanted
    return False


def _listed(principal: Any) -> frozenset[str]:
    """The names in a Principal element; ``*`` stands for everybody, with or without a type."""
    if not isinstance(principal, dict):
        return frozenset(str(name) for name in as_list(principal))
    return frozenset(str(name) for names in principal.values() for name in as_list(names))
