"""The unit of work of grading: one submission in, one result out, anywhere there is a warm parent."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from corelab.errors import CourseError
from corelab.grading.conduct import Conductor
from corelab.grading.plan import Plan
from corelab.grading.rebuild import Rebuilt, Unreadable, rebuild
from corelab.grading.result import GRADED, NEEDS_HUMAN, REJECTED, UNKNOWN, WRONG, Item, Result
from corelab.grading.runtime import Household, Parents
from corelab.grading.walls.frames import TooSlow
from corelab.grading.walls.limits import Limits
from corelab.grading.walls.occupant import Gone
from corelab.grading.walls.parent import WallsFailed

# Results of another way of grading are graded again.
RULES: Final = 1
_MOST_TRIES: Final = 2

_parents: dict[str, Parents] = {}
_turn = threading.Lock()
_planning = threading.Lock()  # the first submissions come at once and need the same plan


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that one result depends on; plain data, so that it can travel to another machine."""

    student: str
    assignment: str
    notebook_name: str
    source: str
    release: str | None
    notebook: bytes | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    course: Mapping[str, bytes] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    walls: str = "namespaces"
    seed: bytes | None = None

    @property
    def digest(self) -> str:
        """Changes with anything that could change the result."""
        summary = hashlib.sha256(
            json.dumps([RULES, self.source, self.release, self.limits.as_dict()]).encode()
        )
        for content in (self.notebook or b"", self.seed or b"", *(line.encode() for line in self.problems)):
            summary.update(hashlib.sha256(content).digest())
        for table in (self.files, self.course):
            for name in sorted(table):
                summary.update(hashlib.sha256(name.encode() + b"\0" + table[name]).digest())
        return summary.hexdigest()


def grade(job: Job) -> Result:
    """Grade one submission; whatever the student handed in, this returns a result.

    Raises:
        WallsFailed: this machine cannot build the walls.
    """
    warm = parents(job.walls)
    result = Result(job.student, job.assignment, job.notebook_name, job.digest)
    with _planning:
        plan = _plan(job.source, job.release)
    result.edition, result.remarks = plan.edition, list(job.problems)
    if job.notebook is None:
        return _rejected(result, plan, f"there is no {job.notebook_name}.ipynb to grade")
    try:
        rebuilt = rebuild(plan, job.notebook)
    except Unreadable as problem:
        return _rejected(result, plan, str(problem))
    result.submitted_edition = rebuilt.edition
    result.remarks += rebuilt.remarks
    warm.wait_until_ready()
    began = time.monotonic()
    _conduct(job, warm, plan, rebuilt, result)
    result.seconds = round(time.monotonic() - began, 3)
    return result


def parents(walls: str) -> Parents:
    """The warm parents of this process, started when first needed."""
    with _turn:
        if walls not in _parents:
            _parents[walls] = Parents(walls)
        return _parents[walls]


def close_parents() -> None:
    """End them; later grading starts new ones."""
    with _turn:
        while _parents:
            _parents.popitem()[1].close()


def reference_home(sources: Sequence[str], walls: str, limits: Limits) -> bytes:
    """The home of a cloud in which the instructor's notebooks ran one after the other, as a tar archive.

    Raises:
        CourseError: a cell of theirs fails.
    """
    household = Household(parents(walls), limits, {}, {})
    try:
        for source in sources:
            kernel = household.start("kernel")
            for cell in Plan(source).cells:
                if cell.kind == "code" and cell.role != "test":
                    answer = kernel.ask({"do": "run", "source": cell.source}, limits.cell_seconds)
                    if answer.get("failed"):
                        raise CourseError(f"the reference notebook's cell {cell.identity!r} fails: {answer}")
        return household.archive()
    finally:
        household.close()


@lru_cache(maxsize=8)
def _plan(source: str, release: str | None) -> Plan:
    return Plan(source, release)


def _conduct(job: Job, warm: Parents, plan: Plan, rebuilt: Rebuilt, result: Result) -> None:
    problem: Exception | None = None
    for _ in range(_MOST_TRIES):
        household = Household(warm, job.limits, job.files, job.course, job.seed, plan.connects)
        conductor = Conductor(plan, rebuilt, household, job.limits)
        try:
            conductor.run()
        except (Gone, TooSlow) as end:  # the judge or the cloud ended: once more, from the start
            problem = end
            continue
        finally:
            household.close()
        _take_over(conductor, result)
        return
    result.state, result.reason = NEEDS_HUMAN, f"grading did not come to its end twice: {problem}"
    result.items = [
        Item(str(cell.grade_id), cell.points, UNKNOWN, None) for cell in plan.cells if _graded(cell)
    ]


def _take_over(conductor: Conductor, result: Result) -> None:
    result.items, result.notebook = conductor.items, conductor.document.notebook
    result.remarks += conductor.remarks
    undecided = [item.name for item in result.items if item.outcome == UNKNOWN]
    result.state = NEEDS_HUMAN if undecided else GRADED
    if undecided:
        result.reason = f"a person has to decide {', '.join(undecided)}"


def _rejected(result: Result, plan: Plan, reason: str) -> Result:
    result.state, result.reason = REJECTED, reason
    result.items = [Item(str(cell.grade_id), cell.points, WRONG, 0.0) for cell in plan.cells if _graded(cell)]
    return result


def _graded(cell: Any) -> bool:
    return cell.role in ("test", "answer", "task")


__all__ = ["Job", "WallsFailed", "close_parents", "grade", "parents"]
