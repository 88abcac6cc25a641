"""What ``corelab grade`` does: choose walls and workers, grade, say how it went."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from corelab.authoring import syllabus
from corelab.grading import overview, unit
from corelab.grading import report as class_report
from corelab.grading.batch import RESULTS, Course, Pool, grade_class
from corelab.grading.feedback import page
from corelab.grading.progress import shown
from corelab.grading.result import GRADED, MANUAL, Result
from corelab.grading.walls import choose

_LONGEST: Final = 200  # of a time or a secret


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
    walls = choose.choose(unsafe_no_sandbox)
    if unsafe_no_sandbox:
        Console(stderr=True).print("Without walls: students' code runs with your rights.", style="bold red")
    with _pool(scheduler, walls) as pool:
        course = Course(root, walls=walls)
        with shown() as tell:
            results = grade_class(course, assignments, students, workers, pool, again, tell)
    return _report(results)


@contextmanager
def _pool(scheduler: str | None, walls: str) -> Iterator[Pool | None]:
    """Where units are carried out: on a cluster, or here, where warm parents load while nbgrader does."""
    try:
        if scheduler is None:
            unit.parents(walls)
            yield None
        else:
            from corelab.grading.cluster import cluster

            with cluster(scheduler) as pool:
                yield pool
    finally:
        unit.close_parents()


def verify(root: Path, assignments: Sequence[str] = ()) -> int:
    """Grade the instructor's own notebook, which must get all points, and the release, which must get none."""
    course = Course(root, walls=choose.choose())
    out, code = Console(highlight=False), 0
    try:
        for entry in syllabus.read(course.root).select(assignments):
            for job, wanted in course.own_jobs(entry.name):
                result = unit.grade(job)
                automatic = [item for item in result.items if item.outcome != MANUAL]
                bad = [item.name for item in automatic if item.score != (item.points if wanted else 0.0)]
                text = f"{entry.name} {job.student}: {result.score:g} points"
                out.print(
                    f"ok    {text}" if not bad else f"WRONG {text}; look at {', '.join(bad)}", markup=False
                )
                code = code or int(bool(bad))
    finally:
        unit.close_parents()
    return code


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


def feedback(root: Path, assignments: Sequence[str] = ()) -> list[Path]:
    """Write each student's page and JSON into ``feedback/``, manual scores and comments included."""
    course = Course(root)
    written = []
    for result in _results(course, assignments):
        texts = page(result, course.book.marks(result))
        # By this name `nbgrader release_feedback` and `fetch_feedback` know the page.
        texts[f"{result.notebook_name}.html"] = texts.pop(f"{result.notebook_name}_checks.html")
        address = _address(course.book.submitted() / result.student / result.assignment)
        written += course.book.write_feedback(result, texts | address)
    return written


def _address(submitted: Path) -> dict[str, str]:
    """What nbgrader finds a submission's owner by; without it for one, it releases nobody's feedback."""
    found = {"timestamp.txt": "", "submission_secret.txt": secrets.token_hex()}
    for name in found:
        given = submitted / name
        # A link would lead out of what was handed in.
        if given.is_file() and not given.is_symlink() and not submitted.is_symlink():
            found[name] = given.read_bytes()[:_LONGEST].decode("utf-8", "replace")
    return found


def report(root: Path, assignments: Sequence[str] = (), formgrader: str = overview.FORMGRADER) -> list[Path]:
    """Write the class's overview, and each assignment's report as a page, CSV and JSON, in ``build/grading/report``."""
    course = Course(root)
    folder = course.root / RESULTS / "report"
    folder.mkdir(parents=True, exist_ok=True)
    names = [entry.name for entry in syllabus.read(course.root).select(assignments)]
    grouped = {name: course.results.all_of(name) for name in names}
    written = [folder / "index.html"]
    page = overview.as_page(overview.overview(course.root / "submitted", grouped, formgrader))
    written[0].write_text(page, encoding="utf-8")
    for name, results in grouped.items():
        made = class_report.report(name, results)
        texts = {
            "html": class_report.as_page(made),
            "csv": class_report.as_csv(results),
            "json": class_report.as_json(made),
        }
        for kind, text in texts.items():
            (folder / f"{name}.{kind}").write_text(text, encoding="utf-8")
            written.append(folder / f"{name}.{kind}")
    return written


def _results(course: Course, assignments: Sequence[str]) -> list[Result]:
    names = [entry.name for entry in syllabus.read(course.root).select(assignments)]
    return [result for name in names for result in course.results.all_of(name)]
