"""Tells whether the committed notebooks are what the lesson text says, byte by byte."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from corelab.authoring.build import build
from corelab.authoring.release import release
from corelab.errors import CourseError

GENERATED = ("source", "release")


def stale(root: Path) -> list[str]:
    """One line for each generated file that is missing, differs, or should not be there; empty when all is well.

    Raises:
        CourseError: there is no lesson text, or it is not well formed.
    """
    if not (root / "course").is_dir():
        raise CourseError(
            f"expected lessons in {root.resolve() / 'course'}, got none; run this in the course's folder"
        )
    with tempfile.TemporaryDirectory(prefix="corelab-drift-") as folder:
        fresh = Path(folder)
        shutil.copytree(root / "course", fresh / "course")
        build(fresh)
        release(fresh, record=False)
        return [line for part in GENERATED for line in _differences(root / part, fresh / part)]


def _differences(committed: Path, fresh: Path) -> list[str]:
    have, want = _files(committed), _files(fresh)
    lines = [f"{committed.name}/{name} is missing" for name in sorted(want.keys() - have.keys())]
    lines += [f"{committed.name}/{name} has no lesson text" for name in sorted(have.keys() - want.keys())]
    lines += [
        f"{committed.name}/{name} differs from its lesson text"
        for name in sorted(have.keys() & want.keys())
        if have[name] != want[name]
    ]
    return lines


def _files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        return {}
    # Jupyter keeps copies of open notebooks beside them.
    found = (file for file in folder.rglob("*") if file.is_file() and ".ipynb_checkpoints" not in file.parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}
