"""Puts results into nbgrader's gradebook and folders, as its own autograder would."""

from __future__ import annotations

import json
import logging
import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from corelab.authoring import rubrics, settings
from corelab.errors import CourseError
from corelab.grading.feedback import page, safe
from corelab.grading.result import MANUAL, Result


class Book:
    """nbgrader's gradebook and course folder, by the settings of ``nbgrader_config.py``.

    Args:
        root: the course folder.
    """

    def __init__(self, root: Path, db_url: str | None = None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nbgrader.coursedir import CourseDirectory
        self.config = settings.read(root)
        self.config.CourseDirectory.root = str(root)
        if db_url:
            self.config.CourseDirectory.db_url = db_url
        self.folder = CourseDirectory(config=self.config)
        self._log = logging.getLogger("corelab.grading")

    def submitted(self) -> Path:
        return Path(self.folder.root, self.folder.submitted_directory)

    def prepare(self, assignment: str, notebook: str, source: Path) -> None:
        """Have the assignment's cells in the gradebook, as `nbgrader generate_assignment` writes them.

        Raises:
            CourseError: nbgrader refuses the notebook, or the database cannot be opened.
        """
        from sqlalchemy import make_url
        from sqlalchemy.exc import DBAPIError

        try:
            settings.note_version(self.folder.db_url)
            with self._open() as book:
                book.update_or_create_assignment(assignment)
        except DBAPIError as problem:
            place = make_url(self.folder.db_url).render_as_string(hide_password=True)
            raise CourseError(
                f"the gradebook {place} cannot be opened: {str(problem.orig).strip()}; "
                "does its folder or server exist, and may you write there?"
            ) from problem
        with _quiet():
            self._save_cells(assignment, notebook, source)
        self._wait_for_writers()

    def _save_cells(self, assignment: str, notebook: str, source: Path) -> None:
        """nbgrader's own steps of generate_assignment, as far as the gradebook."""
        import nbformat
        from nbgrader.preprocessors import SaveCells

        from corelab.authoring.stubs import PREPROCESSORS

        node, resources = nbformat.read(source, as_version=4), self._resources(assignment, notebook, "")
        for step in PREPROCESSORS[: PREPROCESSORS.index(SaveCells) + 1]:
            try:
                node, resources = step(config=self.config, log=self._log).preprocess(node, resources)
            except (RuntimeError, ValueError) as problem:
                raise CourseError(f"nbgrader refused {assignment!r}: {problem}") from problem

    def record(self, result: Result, timestamp: str | None = None) -> None:
        """Enter the scores of one submission and write its autograded notebook; doing it twice changes nothing."""
        self._enter(result, timestamp)
        self._penalize(result)
        self._write(result, timestamp)

    def marks(self, result: Result) -> dict[str, Any]:
        """What the gradebook says of a submission now, manual scores and comments included."""
        with self._open() as book:
            notebook = book.find_submission_notebook(result.notebook_name, result.assignment, result.student)
            grades = {grade.name: grade.score for grade in notebook.grades}
            waiting = [grade.name for grade in notebook.grades if grade.needs_manual_grade]
            comments = {comment.name: comment.comment for comment in notebook.comments if comment.comment}
            penalty = notebook.late_submission_penalty or 0
            return {"score": notebook.score, "most": notebook.max_score, "penalty": penalty, "grades": grades,
                    "waiting": waiting, "comments": comments}  # fmt: skip

    def _open(self) -> Any:
        from nbgrader.api import Gradebook

        return Gradebook(self.folder.db_url, self.folder.course_id)

    def _wait_for_writers(self) -> None:
        """SQLite's write-ahead log: several graders and formgrader at once."""
        if self.folder.db_url.startswith("sqlite"):
            from sqlalchemy import text

            with self._open() as book:
                book.db.execute(text("PRAGMA journal_mode=WAL"))

    def _enter(self, result: Result, timestamp: str | None) -> None:
        from nbgrader.utils import parse_utc

        with _quiet(), self._open() as book:
            book.update_or_create_student(result.student)
            at = {"timestamp": parse_utc(timestamp)} if timestamp and _is_time(timestamp) else {}
            book.update_or_create_submission(result.assignment, result.student, **at)
            notebook = book.find_submission_notebook(result.notebook_name, result.assignment, result.student)
            grades, comments = _by_name(book, notebook)
            empty = _unanswered(result)
            for item in result.items:
                grade = grades[item.name]
                automatic = 0.0 if item.name in empty else item.score
                grade.auto_score = None if item.outcome == MANUAL and item.name not in empty else automatic
                grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
            for name in _solutions(result):
                comments[name].auto_comment = "No response." if name in empty else None
            book.db.commit()

    def _penalize(self, result: Result) -> None:
        import nbformat
        from nbgrader.preprocessors import AssignLatePenalties

        resources = self._resources(result.assignment, result.notebook_name, result.student)
        empty = nbformat.NotebookNode(cells=[], metadata={})
        with _quiet():
            AssignLatePenalties(config=self.config, log=self._log).preprocess(empty, resources)

    def _write(self, result: Result, timestamp: str | None) -> None:
        from nbgrader.converters import Autograde

        folder = Path(
            self.folder.format_path(self.folder.autograded_directory, result.student, result.assignment)
        )
        draft = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        if result.notebook is not None:
            notebook = self._with_rubrics(safe(result.notebook), result.assignment)
            text = json.dumps(notebook, sort_keys=True, ensure_ascii=False)
            (draft / f"{result.notebook_name}.ipynb").write_text(text + "\n", encoding="utf-8")
        if timestamp:
            (draft / "timestamp.txt").write_text(timestamp + "\n", encoding="utf-8")
        for name, content in page(result, None).items():
            (draft / name).write_text(content, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
        self._permit(Autograde, result)

    def write_feedback(self, result: Result, files: Mapping[str, str]) -> list[Path]:
        """Put the files where nbgrader releases feedback from; returns their paths."""
        from nbgrader.converters import GenerateFeedback

        folder = Path(
            self.folder.format_path(self.folder.feedback_directory, result.student, result.assignment)
        )
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
        self._permit(GenerateFeedback, result)
        return [folder / name for name in files]

    def _permit(self, converter: type[Any], result: Result) -> None:
        """Permissions as nbgrader gives them at this step, to a group of graders too (``groupshared``)."""
        step = converter(coursedir=self.folder, config=self.config, log=self._log)
        step.set_permissions(result.assignment, result.student)

    def _with_rubrics(self, notebook: dict[str, Any], assignment: str) -> dict[str, Any]:
        """Below each answer, for formgrader; nbgrader's feedback leaves them out by their tag."""
        known = rubrics.load(Path(self.folder.root, "course", assignment, "rubrics.toml"))
        cells = []
        for cell in notebook["cells"]:
            cells.append(cell)
            rubric = known.get(cell["metadata"].get("nbgrader", {}).get("grade_id"))
            if rubric is not None:
                cells.append({"cell_type": "markdown", "id": f"rubric-{len(cells)}", "source": rubric.as_markdown(),
                              "metadata": {"tags": [rubrics.TAG]}})  # fmt: skip
        return {**notebook, "cells": cells}

    def _resources(self, assignment: str, notebook: str, student: str) -> dict[str, Any]:
        names = {"assignment": assignment, "notebook": notebook, "student": student}
        return {"nbgrader": {**names, "db_url": self.folder.db_url}}


def _by_name(book: Any, notebook: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Grades and comments by their cell's name: nbgrader's own way asks for each one by a join of five tables."""
    from nbgrader.api import BaseCell, Comment, Grade

    names = dict(
        book.db.query(BaseCell.id, BaseCell.name).filter(BaseCell.notebook_id == notebook.notebook_id)
    )
    grades, comments = (
        {names[row.cell_id]: row for row in book.db.query(kind).filter(kind.notebook_id == notebook.id)}
        for kind in (Grade, Comment)
    )
    return grades, comments


def _quiet() -> AbstractContextManager[object]:
    """SQLAlchemy 2.1 warns of nbgrader's own way of adding a first submission; it is harmless."""
    return warnings.catch_warnings(action="ignore")


def _is_time(text: str) -> bool:
    from nbgrader.utils import parse_utc

    try:
        return parse_utc(text) is not None
    except (ValueError, OverflowError):
        return False


def _marks(result: Result) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    cells = result.notebook["cells"] if result.notebook else []
    return [(cell["metadata"]["nbgrader"], cell) for cell in cells if "nbgrader" in cell["metadata"]]


def _solutions(result: Result) -> list[str]:
    return [mark["grade_id"] for mark, _ in _marks(result) if mark.get("solution") or mark.get("task")]


def _unanswered(result: Result) -> set[str]:
    """Answers that still are what was handed out, or nothing."""
    from nbformat import NotebookNode
    from nbgrader.utils import compute_checksum

    empty = set()
    for mark, cell in _marks(result):
        if not mark.get("solution") or mark.get("task"):
            continue
        node = NotebookNode(
            source=cell["source"], cell_type=cell["cell_type"], metadata=NotebookNode(nbgrader=mark)
        )
        if not cell["source"].strip() or mark.get("checksum") == compute_checksum(node):
            empty.add(mark["grade_id"])
    return empty
