"""None of the 120 checks may be lost."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.aws.checks import register


def test_every_one_of_the_120_checks_is_held_by_a_test() -> None:
    for module in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.aws.checks.{module.stem}")
    assert sorted(register.HELD) == list(range(1, 121))
