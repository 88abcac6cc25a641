"""Warm parents for all grading tests, started once."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corelab.grading import unit
from corelab.grading.result import Result
from corelab.grading.unit import Job
from corelab.grading.walls import choose
from corelab.grading.walls.limits import Limits
from tests.grading import course

QUICK = Limits(cell_seconds=6, check_seconds=10, whole_seconds=60)


@pytest.fixture(scope="session")
def walls() -> str:
    if not sys.platform.startswith("linux"):
        pytest.skip("walls are built of Linux namespaces")
    why = choose.refusal()
    if why:
        pytest.skip(f"this machine allows no new namespaces: {why}")
    return "namespaces"


@pytest.fixture(scope="session")
def warm(walls: str) -> Iterator[str]:
    """The walls' name, with the parents that build them started; they end with the tests."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    unit.parents(walls)
    yield walls
    unit.close_parents()


Grade = Callable[..., Result]


@pytest.fixture(scope="session")
def grade(warm: str) -> Grade:
    """Grade a notebook (a dict or bytes) against the small assignment."""

    def run(notebook: dict[str, Any] | bytes | None, **changes: Any) -> Result:
        content = notebook if isinstance(notebook, bytes | None) else course.as_bytes(notebook)
        settings = {"limits": QUICK, "walls": warm, **changes}
        return unit.grade(
            Job("ada", "small", "small", course.source(), course.release(), content, **settings)
        )

    return run


@pytest.fixture
def alembic_on_path() -> None:
    assert shutil.which("alembic")
