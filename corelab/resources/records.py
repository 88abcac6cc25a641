"""What the server knows of one resource: what was asked for, and what has happened since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from corelab.resources.states import TRANSITIONS, Kind, Status, may_follow


class TransitionRefused(Exception):
    """A finished record was to change, or a status to follow one it cannot follow."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resource at one moment; a change makes a new record.

    Args:
        request: the members given to Create, with the service's defaults filled in.
        facts: what has happened since, under the names Describe uses; times are epoch seconds.
        private: what the server needs and no answer shows.
        version: counts the changes, so that a watcher can tell what it has seen.
    """

    kind: Kind
    region: str
    name: str
    arn: str
    status: Status
    created: float
    modified: float
    request: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1

    @property
    def finished(self) -> bool:
        """Whether nothing can follow any more."""
        return not TRANSITIONS[self.kind][self.status]

    def advance(self, to: Status, at: float, **facts: Any) -> Record:
        """The record in its next status. Raises TransitionRefused when it cannot follow this one."""
        if to != self.status and not may_follow(self.kind, self.status, to):
            raise TransitionRefused(f"{self.kind} {self.name} cannot go from {self.status} to {to}")
        return self.note(at, facts, status=to)

    def note(self, at: float, facts: Mapping[str, Any], status: Status | None = None) -> Record:
        """The record with further facts; a fact of None is dropped. A finished record refuses."""
        if self.finished:
            raise TransitionRefused(f"{self.kind} {self.name} is {self.status}: it does not change any more")
        merged = {k: v for k, v in {**self.facts, **facts}.items() if v is not None}
        return replace(
            self, status=status or self.status, modified=at, facts=merged, version=self.version + 1
        )


def arn(kind: Kind, region: str, account: str, name: str) -> str:
    """The resource's ARN; names of what serves appear in lower case there (Service spec 3)."""
    if kind in (Kind.MODEL, Kind.ENDPOINT_CONFIG, Kind.ENDPOINT):
        name = name.lower()
    return f"arn:aws:sagemaker:{region}:{account}:{kind}/{name}"
