"""Twenty submissions of the training assignment: ``corelab grade`` against one ``nbgrader autograde`` process.

ours    rebuilt, behind walls, judged in a process of its own, a fresh cloud for each, gradebook and feedback
floor   nbgrader with its own defaults and no walls, one cloud of the same kind for all
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, ratio_at_least
from benchmarks.lab import running
from corelab.smoke import client

ROOT = Path(__file__).parents[1]
ASSIGNMENT, NOTEBOOK = "a1_training_job", "training_job"
_SUBMISSIONS, _QUICK = 20, 4
_STOCK_SETTINGS = """\
c = get_config()
c.CourseDirectory.course_id = "sagemaker_essentials"
c.CourseDirectory.root = {root!r}
c.Execute.timeout = 600
# nbclient loses a reply now and then, and waits for these ten minutes: not what is compared here.
c.AsyncKernelManager.client_class = {client!r}
"""
Notebook = dict[str, Any]


def measure(quick: bool) -> list[Figure]:
    count = _QUICK if quick else _SUBMISSIONS
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        ours = _ours(Path(name, "ours"), count)
        floor = _stock(Path(name, "stock"), count)
    return [
        Figure(
            f"{count} submissions, start included",
            "a minute",
            [60 * count / ours],
            [60 * count / floor],
            better="more",
            bar=ratio_at_least(10),
        )
    ]


def make_class(root: Path) -> Path:
    """A course folder of this project's own, with nothing handed in."""
    root.mkdir(parents=True)
    for folder in ("source", "release"):
        shutil.copytree(ROOT / folder, root / folder)
    (root / "course").mkdir()
    shutil.copy(ROOT / "course/syllabus.toml", root / "course")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return root


def answered(assignment: str = ASSIGNMENT, notebook: str = NOTEBOOK) -> Notebook:
    """The release with the instructor's answers in it."""
    source, release = (
        json.loads((ROOT / kind / assignment / f"{notebook}.ipynb").read_text("utf-8"))
        for kind in ("source", "release")
    )
    answers = {cell["id"]: cell["source"] for cell in source["cells"] if _is_solution(cell)}
    for cell in release["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return dict(release)


def hand_in(root: Path, student: str, content: bytes) -> None:
    folder = root / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / f"{NOTEBOOK}.ipynb").write_bytes(content)


def scores(root: Path) -> dict[str, float]:
    """What the gradebook says, by student."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root}/gradebook.db", "sagemaker_essentials") as book:
        return {entry.student.id: entry.score for entry in book.assignment_submissions(ASSIGNMENT)}


def command(name: str, *arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name(name)), *arguments]


def _is_solution(cell: Notebook) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))


def _prepared(root: Path, count: int) -> Path:
    content = json.dumps(answered()).encode()
    make_class(root)
    for number in range(count):
        hand_in(root, f"student{number:02}", content)
    return root


def _ours(root: Path, count: int) -> float:
    """Seconds; verified before the term begins, as the release is made before it is handed out."""
    _prepared(root, count)
    _run(command("corelab", "grade", "--root", str(root), "--verify", "--assignment", ASSIGNMENT), root)
    seconds = _run(command("corelab", "grade", "--root", str(root), "--assignment", ASSIGNMENT), root)
    _all_alike(root, count)
    return seconds


def _stock(root: Path, count: int) -> float:
    _prepared(root, count)
    (root / "nbgrader_config.py").write_text(
        _STOCK_SETTINGS.format(root=str(root), client=client.NAME), "utf-8"
    )
    shutil.rmtree(root / "release")
    with running() as lab:
        home = {"CORELAB_HOME": str(lab.home.path)}
        _run(command("nbgrader", "generate_assignment", ASSIGNMENT), root)
        seconds = _run(command("nbgrader", "autograde", ASSIGNMENT), root, home)
    _all_alike(root, count)
    return seconds


def _run(line: Sequence[str], root: Path, environment: dict[str, str] | None = None) -> float:
    # nbgrader starts alembic by name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path, **(environment or {})}
    began = time.monotonic()
    done = subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.monotonic() - began


def _all_alike(root: Path, count: int) -> None:
    """Speed without the same marks for the same work would be none."""
    found = scores(root)
    if len(found) != count or len(set(found.values())) != 1 or not next(iter(found.values())):
        raise RuntimeError(f"{count} submissions of the same work have the marks {found}")
