"""What the banks are made of: submissions as changes of the reference answers, each with the checks it must lose."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corelab.authoring import syllabus
from corelab.grading.batch import Course
from corelab.grading.result import MANUAL, RIGHT, Item, Result
from corelab.grading.unit import Job
from corelab.grading.walls.limits import Limits

ROOT = Path(__file__).parents[3]
LIMITS = Limits(cell_seconds=120, check_seconds=120)
ALL = frozenset({"*"})

Notebook = dict[str, Any]
Answers = dict[str, str]
Change = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One submission.

    Args:
        row: of the table of wrong submissions in the specification of grading; 0 for others.
        loses: names of the checks that must be lost, ``*`` for all of them. Nothing else may be.
        hint: words that the findings of the lost checks must hold.
    """

    name: str
    make: Callable[[], Notebook]
    loses: frozenset[str] = frozenset()
    hint: str = ""
    row: int = 0


class Bank:
    """The submissions to one assignment.

    Args:
        quick: names of those that the normal test run grades; ``make grade-bank`` grades all.
    """

    def __init__(self, assignment: str, quick: tuple[str, ...] = ()) -> None:
        entry = syllabus.read(ROOT)[assignment]
        self.assignment, self.quick = assignment, quick
        self._source = syllabus.read(ROOT).source(entry)
        self._release = syllabus.read(ROOT).release(entry)
        self.cases: dict[str, Case] = {}
        self._job: Job | None = None
        self.right("reference")
        self.add(Case("untouched_release", self.untouched, ALL))

    def add(self, case: Case) -> None:
        assert case.name not in self.cases, case.name
        self.cases[case.name] = case

    def wrong(self, name: str, loses: str, hint: str, *changes: Change, row: int = 0) -> None:
        self.add(Case(name, self.changed(*changes), frozenset(loses.split()), hint, row))

    def right(self, name: str, *changes: Change) -> None:
        self.add(Case(name, self.changed(*changes)))

    def reference(self) -> Answers:
        """The instructor's cells by name, all but the checks."""
        cells = json.loads(self._source.read_text("utf-8"))["cells"]
        return {cell["id"]: "".join(cell["source"]) for cell in cells if not _locked(cell)}

    def untouched(self) -> Notebook:
        return dict(json.loads(self._release.read_text("utf-8")))

    def filled(self, answers: Answers) -> Notebook:
        """The release with these texts in its cells."""
        made = self.untouched()
        for cell in made["cells"]:
            cell["source"] = answers.get(cell["id"], cell["source"])
        return made

    def changed(self, *changes: Change) -> Callable[[], Notebook]:
        """The reference with texts replaced: (cell, old, new); old must be there."""

        def make() -> Notebook:
            answers = self.reference()
            for name, old, new in changes:
                assert old in answers[name], f"{self.assignment}: {name} no longer holds {old!r}"
                answers[name] = answers[name].replace(old, new)
            return self.filled(answers)

        return make

    def job(self, case: Case, walls: str) -> Job:
        """The unit that grades the case, on the results of earlier assignments where it builds on them."""
        content = json.dumps(case.make()).encode()
        return replace(self._reference_job(walls), student=case.name, notebook=content, files={})

    def _reference_job(self, walls: str) -> Job:
        if self._job is None:
            own = Course(ROOT, walls, LIMITS).own_jobs(self.assignment)
            self._job = next(job for job, is_source in own if is_source)
        return self._job


def lost(result: Result) -> set[str]:
    """Checks that did not get full points."""
    return {
        item.name
        for item in result.items
        if item.outcome != MANUAL and item.points and (item.score != item.points or item.outcome != RIGHT)
    }


def expected(case: Case, items: list[Item]) -> set[str]:
    return (
        set(case.loses)
        if case.loses != ALL
        else {item.name for item in items if item.outcome != MANUAL and item.points}
    )


def words(result: Result, names: set[str]) -> str:
    """All that the findings of these checks say."""
    return " ".join(str(finding) for item in result.items if item.name in names for finding in item.findings)


def _locked(cell: dict[str, Any]) -> bool:
    mark = cell["metadata"].get("nbgrader", {})
    return bool(mark.get("locked"))
