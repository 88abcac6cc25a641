"""What ``corelab grade`` does: choose walls and workers, grade, say how it went."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from corelab.grading.batch import Course, grade_class
from corelab.grading.progress import shown
from corelab.grading.result import GRADED, Result
from corelab.grading.walls import choose


def grade(
    root: Path,
    assignments: Sequence[str] = (),
    students: Sequence[str] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    again: bool = False,
    unsafe_no_sandbox: bool = False,
) -> int:
    """The exit code: 0 when every submission was graded to the end, 1 when a person has to look."""
    course = Course(root, walls=choose.choose(unsafe_no_sandbox))
    if unsafe_no_sandbox:
        Console(stderr=True).print("Without walls: students' code runs with your rights.", style="bold red")
    with shown() as tell:
        if scheduler is None:
            results = grade_class(course, assignments, students, workers, again=again, tell=tell)
        else:
            from corelab.grading.cluster import cluster

            with cluster(scheduler) as pool:
                results = grade_class(course, assignments, students, pool=pool, again=again, tell=tell)
    return _report(results)


def in_container(root: Path, arguments: Sequence[str]) -> int:
    """The same command inside the project's Linux container."""
    from corelab.grading.container import run

    return run(root, [argument for argument in arguments if argument != "--container"])


def _report(results: Sequence[Result]) -> int:
    out = Console(file=sys.stdout, highlight=False)
    counts = Counter(result.state for result in results)
    out.print(
        ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "nothing was handed in"
    )
    for result in results:
        if result.state != GRADED:
            out.print(f"  {result.assignment} {result.student}: {result.reason}", markup=False)
    return 0 if set(counts) <= {GRADED} else 1
