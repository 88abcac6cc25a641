"""A gradebook in PostgreSQL holds the same marks as one in SQLite."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from corelab.grading.batch import Course, grade_class
from tests.grading import course, small_course
from tests.grading.conftest import QUICK

NOBODY = 65534


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of our own, which refuses to run as root."""
    binary = shutil.which("postgres")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []
    bin_folder = found[-1] if found else Path(binary).parent if binary else None
    if bin_folder is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(os.path.realpath(tmp_path_factory.mktemp("pg")))
    who = {"user": NOBODY, "group": NOBODY} if os.getuid() == 0 else {}
    if who:
        os.chown(folder, NOBODY, NOBODY)
        for parent in list(folder.parents)[:3]:
            parent.chmod(parent.stat().st_mode | 0o711) if parent != Path("/tmp") else None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **who}
    subprocess.run(
        [bin_folder / "initdb", "-D", folder / "data", "-U", "grader", "-A", "trust"], check=True, **quiet
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    start = [bin_folder / "pg_ctl", "-D", folder / "data", "-w", "-o", options, "start"]
    subprocess.run(start, check=True, **quiet)
    yield f"postgresql+psycopg://grader@127.0.0.1:{port}/postgres"
    subprocess.run(
        [bin_folder / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"], check=True, **quiet
    )


def test_a_class_is_graded_into_postgresql(url: str, warm: str, tmp_path: Path) -> None:
    root = small_course.make(tmp_path / "class")
    small_course.hand_in(root, "ann", course.submission(course.honest()))
    small_course.hand_in(root, "bob", course.submission())
    grade_class(Course(root, warm, QUICK, url))
    grade_class(Course(root, warm, QUICK, url), again=True)
    with Gradebook(url, "sagemaker_essentials") as book:
        scores = {entry.student.id: entry.score for entry in book.assignment_submissions("small")}
    assert scores == {"ann": 10, "bob": 0}
