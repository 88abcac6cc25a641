"""What grading found out about one submission, as plain data that JSON can hold."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final

GRADED: Final = "graded"
NEEDS_HUMAN: Final = "needs human"
REJECTED: Final = "rejected"

RIGHT: Final = "right"
WRONG: Final = "wrong"
UNKNOWN: Final = "could not tell"
MANUAL: Final = "manual"


@dataclass(slots=True)
class Item:
    """One graded cell.

    Attributes:
        score: points, None when a person has to decide.
        findings: what its checks said; see judge.Finding.
        evidence: short values of the student's names that the checks read.
    """

    name: str
    points: float
    outcome: str
    score: float | None
    findings: list[dict[str, Any]] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """One submission's notebook, graded.

    Attributes:
        state: graded, needs human, or rejected.
        reason: one line, empty when all is well.
        remarks: for the instructor, neutral; never shown as an accusation.
        notebook: the executed notebook as JSON, None when the file was no notebook.
        digest: of everything the result depends on, so that nothing is graded twice.
    """

    student: str
    assignment: str
    notebook_name: str
    digest: str
    state: str = GRADED
    reason: str = ""
    remarks: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    edition: str = ""
    submitted_edition: str = ""
    seconds: float = 0.0
    notebook: dict[str, Any] | None = None

    @property
    def score(self) -> float:
        """Points of the items that were decided."""
        return sum(item.score or 0.0 for item in self.items)

    @property
    def most(self) -> float:
        return sum(item.points for item in self.items)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, which shares the notebook with this result: a copy of it would be half of what grading writes."""
        return _members(self) | {"items": [_members(item) for item in self.items]}

    @classmethod
    def of(cls, table: dict[str, Any]) -> Result:
        items = [Item(**item) for item in table["items"]]
        return cls(**{**table, "items": items})


def _members(thing: Result | Item) -> dict[str, Any]:
    return {member.name: getattr(thing, member.name) for member in fields(thing)}
