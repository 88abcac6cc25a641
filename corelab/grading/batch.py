"""A whole class: finds what was handed in, grades what is new, records what was graded, in any number of runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from corelab.authoring import syllabus
from corelab.errors import CourseError
from corelab.grading import intake
from corelab.grading.gradebook import Book
from corelab.grading.result import Result
from corelab.grading.results import Results
from corelab.grading.seeds import Seeds
from corelab.grading.unit import Job, grade
from corelab.grading.walls.limits import Limits

RESULTS = "build/grading"


class Pool(Protocol):
    """Carries out units of work somewhere; a thread pool and a Dask client both fit."""

    def submit(self, function: Callable[[Job], Result], job: Job, /) -> Future[Result]: ...


@dataclass(slots=True)
class Progress:
    """How far a run is; ``tell`` in ``grade_class`` gets it after every submission."""

    total: int
    done: int = 0
    skipped: int = 0
    last: Result | None = None


@dataclass(slots=True)
class Course:
    """What a run needs of the course folder.

    Args:
        root: holds course/, source/, release/, submitted/ and nbgrader_config.py.
    """

    root: Path
    walls: str = "namespaces"
    limits: Limits = field(default_factory=Limits)
    db_url: str | None = None
    book: Book = field(init=False)
    results: Results = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.root.resolve()
        self.book = Book(self.root, self.db_url)
        self.results = Results(self.root / RESULTS / "results")

    def jobs(self, assignment: str, only: Sequence[str] = ()) -> Iterator[tuple[Job, str | None]]:
        """A job and a timestamp for each submission of an assignment."""
        course = syllabus.read(self.root)
        entry = course[assignment]
        for student in intake.students(self.book.submitted(), assignment):
            if only and student not in only:
                continue
            taken = intake.read(self.book.submitted(), student, assignment, entry.notebook, self.limits)
            yield self._job(course, entry, taken), taken.timestamp

    def _job(self, course: syllabus.Syllabus, entry: syllabus.Assignment, taken: intake.Submission) -> Job:
        source, release = course.source(entry), course.release(entry)
        if not source.exists():
            raise CourseError(f"{source} does not exist yet; run: corelab build")
        return Job(
            student=taken.student,
            assignment=entry.name,
            notebook_name=entry.notebook,
            source=source.read_text(encoding="utf-8"),
            release=release.read_text(encoding="utf-8") if release.exists() else None,
            notebook=taken.notebook,
            files=taken.files,
            course=_beside(source),
            problems=tuple(taken.problems),
            limits=self.limits,
            walls=self.walls,
            seed=Seeds(self.root / RESULTS / "seeds", self.walls, self.limits).before(course, entry),
        )

    def own_jobs(self, assignment: str) -> Iterator[tuple[Job, bool]]:
        """The source and the release as if handed in, and whether they must get all points or none."""
        course = syllabus.read(self.root)
        entry = course[assignment]
        for name, path in (("source", course.source(entry)), ("release", course.release(entry))):
            taken = intake.Submission(name, assignment, path.parent, path.read_bytes())
            yield self._job(course, entry, taken), name == "source"

    def prepare(self, assignment: str) -> None:
        course = syllabus.read(self.root)
        entry = course[assignment]
        self.book.prepare(assignment, entry.notebook, course.source(entry))


def grade_class(
    course: Course,
    assignments: Sequence[str] = (),
    students: Sequence[str] = (),
    workers: int | None = None,
    pool: Pool | None = None,
    again: bool = False,
    tell: Callable[[Progress], None] = lambda _: None,
) -> list[Result]:
    """Grade what was handed in; what an earlier run graded and nothing changed since is taken from it.

    Warm parents stay for whatever is graded next; ``unit.close_parents`` ends them.

    Args:
        assignments: names, all by default. students: likewise.
        workers: submissions at once; by default three a processor, since they often wait, if memory allows.
        pool: where to carry them out in place of threads here.
        again: grade even what has a result already.

    Raises:
        CourseError: an assignment does not exist or is not built.
        WallsFailed: this machine cannot build the walls.
    """
    names = assignments or [entry.name for entry in syllabus.read(course.root).assignments]
    own = ThreadPoolExecutor(workers or usual_workers(course.limits)) if pool is None else None
    graded: list[Result] = []
    try:
        for name in names:
            graded += _grade_assignment(course, name, students, own or pool, again, tell)  # type: ignore[arg-type]
    finally:
        if own is not None:
            own.shutdown(wait=True, cancel_futures=True)
    return graded


def usual_workers(limits: Limits) -> int:
    """Three a processor, as long as each finds half of the memory it may use: few need more."""
    roomy: int = psutil.virtual_memory().available // (limits.memory_bytes // 2)
    return max(1, min(3 * (os.cpu_count() or 1), roomy))


def _grade_assignment(
    course: Course,
    assignment: str,
    students: Sequence[str],
    pool: Pool,
    again: bool,
    tell: Callable[[Progress], None],
) -> list[Result]:
    jobs = list(course.jobs(assignment, students))
    if not jobs:
        return []
    progress, graded = Progress(len(jobs)), []
    waiting: dict[Future[Result], str | None] = {}
    known = {job.student: None if again else course.results.load(assignment, job.student) for job, _ in jobs}
    done = {job.student for job, _ in jobs if (kept := known[job.student]) and kept[0].digest == job.digest}
    course.prepare(assignment)
    for job, timestamp in jobs:
        kept = known[job.student]
        if kept is not None and job.student in done:
            progress.skipped += 1
            graded.append(_record(course, kept[0], timestamp, kept[1], progress, tell))
        else:
            waiting[pool.submit(grade, job)] = timestamp
    for future in as_completed(waiting):
        result = future.result()
        course.results.save(result)
        graded.append(_record(course, result, waiting[future], False, progress, tell))
    return sorted(graded, key=lambda result: result.student)


def _record(
    course: Course,
    result: Result,
    timestamp: str | None,
    recorded: bool,
    progress: Progress,
    tell: Callable[[Progress], None],
) -> Result:
    if not recorded:
        course.book.record(result, timestamp)
        course.results.save(result, recorded=True)
    progress.done += 1
    progress.last = result
    tell(progress)
    return result


def _beside(source: Path) -> dict[str, bytes]:
    """The assignment's own files, which checks may read."""
    files = (path for path in source.parent.rglob("*") if path.is_file() and path.suffix != ".ipynb")
    return {path.relative_to(source.parent).as_posix(): path.read_bytes() for path in files}
