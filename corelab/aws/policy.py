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


@dataclass(frozen=True, slots=True)
class Rule:
    """One value of an element and its Not twin: any of these patterns, or none of them."""

    patterns: re.Pattern[str] | None  # None: it depends on variables, so the texts are compiled when asked
    texts: tuple[str, ...]
    wanted: bool

    def covers(self, value: str, context: Context) -> bool:
        patterns = self.patterns or _any_of(tuple(_with_variables(text, context) for text in self.texts))
        return (patterns.fullmatch(value) is not None) is self.wanted


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, compiled once; policies such as AmazonSageMakerFullAccess have dozens."""

    denies: bool
    action: Rule | None
    resource: Rule | None  # a trust policy has no Resource at all
    principals: frozenset[str] | None
    names_others: bool  # NotPrincipal
    conditions: Mapping[str, Any]

    def applies(self, question: Question) -> bool:
        return (
            self.action is not None
            and self.action.covers(question.action, question.context)
            and (self.resource is None or self.resource.covers(question.resource, question.context))
            and holds(self.conditions, question.context)
        )

    def names(self, principals: frozenset[str]) -> bool:
        """Whether the statement speaks of anyone who goes by one of these names."""
        return self.principals is not None and bool(self.principals & principals) is not self.names_others


def decide(documents: Iterable[str], question: Question, *, by_principal: bool = False) -> Decision:
    """What policies say together: a denial beats any permission.

    Args:
        documents: policy documents as JSON; one that is not JSON says nothing.
        question: what is asked.
        by_principal: the policies are attached to a resource and name whom they speak of.
    """
    decision = Decision.IMPLICIT_DENY
    for document in documents:
        for statement in statements(document):
            if by_principal and not statement.names(question.principals):
                continue
            if not statement.applies(question):
                continue
            if statement.denies:
                return Decision.EXPLICIT_DENY
            decision = Decision.ALLOWED
    return decision


@lru_cache(maxsize=256)
def statements(document: str) -> tuple[Statement, ...]:
    """The statements of a policy document."""
    try:
        content = json.loads(document).get("Statement", [])
    except (ValueError, AttributeError):
        return ()
    return tuple(_statement(written) for written in as_list(content) if isinstance(written, dict))


def as_list(value: Any) -> Sequence[Any]:
    """IAM writes one value with or without brackets."""
    return value if isinstance(value, list) else [value]


def _statement(written: Mapping[str, Any]) -> Statement:
    others = "NotPrincipal" in written
    principal = written.get("NotPrincipal" if others else "Principal")
    return Statement(
        denies=written.get("Effect") == "Deny",
        action=_rule(written, "Action", ignore_case=True),
        resource=_rule(written, "Resource"),
        principals=_listed(principal) if principal is not None else None,
        names_others=others,
        conditions=written.get("Condition") or {},
    )


def _rule(written: Mapping[str, Any], element: str, *, ignore_case: bool = False) -> Rule | None:
    for name, wanted in ((element, True), (f"Not{element}", False)):
        if name in written:
            texts = tuple(str(text) for text in as_list(written[name]))
            varies = any("${" in text for text in texts)
            return Rule(None if varies else _any_of(texts, ignore_case=ignore_case), texts, wanted)
    return None


@lru_cache(maxsize=1024)
def _any_of(texts: tuple[str, ...], *, ignore_case: bool = False) -> re.Pattern[str]:
    """IAM's wildcards as one regular expression: ``*`` for any text, ``?`` for one character."""
    parts = ("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text) for text in texts)
    return re.compile("|".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _with_variables(text: str, context: Context) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: "".join(as_list(context.get(found[1], "${?}"))[:1]), text)


def _listed(principal: Any) -> frozenset[str]:
    """The names in a Principal element; ``*`` stands for everybody, with or without a type."""
    if not isinstance(principal, dict):
        return frozenset(str(name) for name in as_list(principal))
    return frozenset(str(name) for names in principal.values() for name in as_list(names))
