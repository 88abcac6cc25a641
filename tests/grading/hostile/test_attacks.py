"""No trick inside a notebook raises its score, stops the grader or reaches what is not its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corelab.grading.result import Result
from tests.grading.conftest import Grade
from tests.grading.hostile.attacks import ATTACKS


@pytest.fixture(scope="module")
def outcomes(grade: Grade) -> dict[str, Result]:
    """All attacks, four at a time."""
    with ThreadPoolExecutor(4) as pool:
        made = {name: pool.submit(grade, attack()[0]) for name, attack in ATTACKS.items()}
        return {name: future.result() for name, future in made.items()}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_earns_what_it_deserves(outcomes: dict[str, Result], name: str) -> None:
    result = outcomes[name]
    assert result.score == ATTACKS[name]()[1], [
        (item.name, item.score, item.findings) for item in result.items
    ]
    assert [item.name for item in result.items] == ["t1", "t2", "t3", "t4", "why"]


def test_no_attack_left_anything_behind(outcomes: dict[str, Result]) -> None:
    assert outcomes
    assert not Path("/tmp/owned").exists()
