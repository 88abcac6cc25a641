"""Reads what a student handed in: regular files only, within sizes, and never through a link."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from corelab.grading.walls.limits import Limits

STUDENT: Final = re.compile(r"[\w.@+-]{1,128}\Z")
MOST_FILES: Final = 500
_OURS: Final = ("timestamp.txt", "submission_secret.txt")


@dataclass(slots=True)
class Submission:
    """One folder ``submitted/<student>/<assignment>``.

    Attributes:
        notebook: bytes of the assignment's notebook, None when it is not there.
        files: all else, by path relative to the folder.
        problems: what was left out, and why.
    """

    student: str
    assignment: str
    folder: Path
    notebook: bytes | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    timestamp: str | None = None
    problems: list[str] = field(default_factory=list)


def students(submitted: Path, assignment: str) -> list[str]:
    """Who handed in something for the assignment, in order."""
    if not submitted.is_dir():
        return []
    names = [entry.name for entry in os.scandir(submitted) if entry.is_dir(follow_symlinks=False)]
    return sorted(name for name in names if STUDENT.match(name) and (submitted / name / assignment).is_dir())


def read(submitted: Path, student: str, assignment: str, notebook: str, limits: Limits) -> Submission:
    """Read a submission; whatever is wrong with it becomes a line in ``problems``."""
    folder = submitted / student / assignment
    taken = Submission(student, assignment, folder)
    left = limits.files_bytes
    for path in _files(folder, taken.problems):
        name = path.relative_to(folder).as_posix()
        wanted = limits.notebook_bytes if name == f"{notebook}.ipynb" else left
        if path.suffix == ".ipynb" and name != f"{notebook}.ipynb":
            continue
        content = _content(path, wanted, taken.problems)
        if content is None:
            continue
        if name == f"{notebook}.ipynb":
            taken.notebook = content
        elif name == "timestamp.txt":
            taken.timestamp = content[:100].decode("utf-8", "replace").strip()
        elif name not in _OURS:
            taken.files[name] = content
            left -= len(content)
    return taken


def _files(folder: Path, problems: list[str]) -> Iterator[Path]:
    count = 0
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name != ".ipynb_checkpoints")
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                problems.append(f"more than {MOST_FILES} files; the rest was left out")
                return
            yield Path(where, name)


def _content(path: Path, most: int, problems: list[str]) -> bytes | None:
    """Bytes of a regular file, None (and a line) for links, devices, queues and what is too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as problem:
        link = problem.errno == errno.ELOOP
        problems.append(
            f"{path.name!r} is a link and was left out" if link else f"{path.name!r}: {problem.strerror}"
        )
        return None
    with os.fdopen(descriptor, "rb") as stream:
        about = os.fstat(stream.fileno())
        if not stat.S_ISREG(about.st_mode):
            problems.append(f"{path.name!r} is no ordinary file and was left out")
        elif about.st_size > most:
            problems.append(f"{path.name!r} has {about.st_size:,} bytes, at most {most:,} are read")
        else:
            return stream.read(most)
    return None
