"""Makes the students' notebooks through nbgrader's own generate_assignment: ``source/`` to ``release/``."""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from corelab.authoring import pages, settings, syllabus
from corelab.errors import CourseError


def release(root: Path, names: Sequence[str] = (), *, record: bool = True) -> list[Path]:
    """Write the students' notebooks of the named assignments (all by default) and return their paths.

    The guide's pages go along with them, whatever is named: they are few and point into every notebook.

    What was there is always replaced: without force, nbgrader keeps an old release and only notes it.

    Args:
        root: the course root, with ``source/`` and, if there is one, ``nbgrader_config.py``.
        record: write the assignments into nbgrader's gradebook, which autograding needs.

    Raises:
        CourseError: nbgrader refused a notebook; its log is in the text.
    """
    course = syllabus.read(root)
    released = []
    for assignment in course.select(names):
        source = course.source(assignment)
        if not source.exists():
            raise CourseError(f"{source} does not exist yet; run: corelab build")
        _generate(root.resolve(), assignment.name, record)
        released.append(course.release(assignment))
    if not names:
        _remove_others(root / "release", {assignment.name for assignment in course.assignments})
    return [*released, *pages.write(course)]


def _generate(root: Path, assignment: str, record: bool) -> None:
    # nbgrader takes two seconds to import; `corelab --help` must not.
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.preprocessors import SaveCells

    from corelab.authoring.stubs import PREPROCESSORS

    config = settings.read(root)
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.assignment_id = assignment
    config.GenerateAssignment.preprocessors = [
        step for step in PREPROCESSORS if record or step is not SaveCells
    ]
    config.GenerateAssignment.no_database = not record
    config.GenerateAssignment.force = True
    with _captured_log() as (logger, written):
        folder = CourseDirectory(config=config, log=logger)
        try:
            if record:
                settings.note_version(folder.db_url)
            GenerateAssignment(coursedir=folder, config=config, log=logger).start()
        except (Exception, SystemExit) as problem:
            # nbgrader logs the reason and then raises whatever its steps raise.
            raise CourseError(
                f"nbgrader refused {assignment!r}: {problem}\n{written.getvalue()}"
            ) from problem


@contextlib.contextmanager
def _captured_log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """nbgrader's messages, kept for an error instead of printed."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.Logger("corelab.release", logging.INFO)
    logger.addHandler(handler)
    try:
        yield logger, written
    finally:
        logger.removeHandler(handler)


def _remove_others(target: Path, names: set[str]) -> None:
    for folder in target.iterdir():
        if folder.is_dir() and folder.name not in names:
            shutil.rmtree(folder)
