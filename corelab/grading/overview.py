"""The class at a glance: who has submitted what, how far each is, what wants a person; links lead to formgrader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from corelab.grading import report
from corelab.grading.result import MANUAL, NEEDS_HUMAN, REJECTED, UNKNOWN, Result

FORMGRADER: Final = "http://localhost:8888/formgrader"
WAITING: Final = "waiting"
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class Entry:
    """One student's submission of one assignment.

    Attributes:
        state: missing, waiting to be graded, or what grading made of it.
        flags: what a person should look at, in words.
        link: where formgrader shows it.
    """

    state: str
    score: float
    most: float
    flags: list[str]
    link: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Students by name, each with an entry for every assignment, in the course's order."""

    assignments: Mapping[str, str]  # its name, and where formgrader lists its submissions
    students: Mapping[str, list[Entry]]

    def counts(self) -> list[dict[str, int]]:
        """How many submissions each assignment has in each state."""
        columns = zip(*self.students.values(), strict=True)
        states = [[entry.state for entry in column] for column in columns]
        return [{state: column.count(state) for state in dict.fromkeys(column)} for column in states]


def overview(
    submitted: Path, graded: Mapping[str, Sequence[Result]], formgrader: str = FORMGRADER
) -> Overview:
    """What ``submitted`` holds, as ``submitted/<student>/<assignment>``, beside what was graded."""
    base = formgrader.rstrip("/")
    found = {(result.student, name): result for name, results in graded.items() for result in results}
    alike = {name: report.alike(results) for name, results in graded.items()}
    handed_in = {
        (folder.parent.name, folder.name) for folder in submitted.glob("*/*") if folder.name in graded
    }
    students = sorted({student for student, _ in handed_in | found.keys()})
    return Overview(
        {name: f"{base}/manage_submissions/{quote(name, safe='')}" for name in graded},
        {
            student: [
                _entry(
                    found.get((student, name)),
                    (student, name) in handed_in,
                    [
                        other
                        for pair in alike[name]
                        if student in pair[:2]
                        for other in pair[:2]
                        if other != student
                    ],
                    f"{base}/manage_students/{quote(student, safe='')}/{quote(name, safe='')}",
                )
                for name in graded
            ]
            for student in students
        },
    )


def _entry(result: Result | None, handed_in: bool, alike: list[str], link: str) -> Entry:
    if result is None:
        return Entry(WAITING if handed_in else MISSING, 0.0, 0.0, [], link)
    unknown = sum(item.outcome == UNKNOWN for item in result.items)
    words = sum(item.outcome == MANUAL and item.score is None for item in result.items)
    flags = [f"{unknown} could not be told"] if unknown else []
    flags += [f"{words} for a person to grade"] if words else []
    flags += [result.reason] if result.state in (REJECTED, NEEDS_HUMAN) and result.reason else []
    flags += [*result.remarks, *(f"alike: {other}" for other in alike)]
    return Entry(result.state, result.score, result.most, flags, link)


def as_page(made: Overview) -> str:
    """The page; what students wrote is escaped, and nothing is loaded or run."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("corelab.grading", "templates"), autoescape=True)
    return environment.get_template("overview.html").render(made=made)
