from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.figures import (
    Figure,
    at_most,
    at_most_over,
    ratio_at_least,
    ratio_at_most,
    show,
    surroundings,
    write,
)


def test_a_figure_speaks_for_its_best_typical_or_worst_sample() -> None:
    samples = [3.0, 1.0, 10.0]
    assert Figure("time", "s", samples).value == 1
    assert Figure("rate", "/s", samples, better="more").value == 10
    assert Figure("time", "s", samples, typical="median").value == 3
    assert Figure("memory", "MB", samples, typical="worst").value == 10
    assert Figure("rate", "/s", samples, better="more", typical="worst").value == 1


def test_a_ratio_needs_a_floor() -> None:
    assert Figure("time", "s", [3.0], [2.0]).ratio == 1.5
    assert Figure("time", "s", [3.0]).ratio is None


@pytest.mark.parametrize(
    ("ours", "bar", "holds"),
    [
        (2.6, ratio_at_most(1.3), True),
        (2.7, ratio_at_most(1.3), False),
        (4.0, ratio_at_least(2), True),
        (3.9, ratio_at_least(2), False),
        (3.5, at_most_over(1.5, "s"), True),
        (3.6, at_most_over(1.5, "s"), False),
        (150.0, at_most(150, "MB"), True),
        (151.0, at_most(150, "MB"), False),
        (1e9, None, None),
    ],
)
def test_a_bar_is_held_or_missed(ours: float, bar: object, holds: bool | None) -> None:
    assert Figure("figure", "s", [ours], [2.0], bar=bar).holds is holds  # type: ignore[arg-type]


def test_the_file_holds_every_sample_and_what_they_mean(tmp_path: Path) -> None:
    figures = [
        Figure("time", "s", [3.0, 2.5], [2.0, 2.2], bar=ratio_at_most(1.3)),
        Figure("start", "s", [1.0]),
    ]
    path = write(tmp_path / "bench", "training", figures, surroundings(quick=True))
    content = json.loads(path.read_text("utf-8"))
    assert path == tmp_path / "bench" / "training.json"
    assert content["benchmark"] == "training"
    assert content["surroundings"]["quick"] is True
    assert len(content["surroundings"]["load"]) == 3
    time, start = content["figures"]
    assert time["samples"] == {"ours": [3.0, 2.5], "floor": [2.0, 2.2]}
    assert (time["ours"], time["floor"], time["ratio"], time["holds"]) == (2.5, 2.0, 1.25, True)
    assert (start["floor"], start["ratio"], start["bar"], start["holds"]) == (None, None, None, None)


def test_the_table_shows_each_figure_with_its_bar() -> None:
    text = StringIO()
    figures = [
        Figure("a quick thing", "ms", [0.1234], [0.5], bar=ratio_at_most(0.5)),
        Figure("a slow thing", "rows/s", [123456.7], [100.0], bar=ratio_at_most(2)),
    ]
    show("Things", figures, Console(file=text, width=120))
    quick, slow = (
        next(line for line in text.getvalue().splitlines() if word in line) for word in ("quick", "slow")
    )
    assert all(part in quick for part in ("0.123 ms", "0.500 ms", "0.25", "≤ 0.5 x floor", "holds"))
    assert all(part in slow for part in ("123,457 rows/s", "100 rows/s", "missed"))
