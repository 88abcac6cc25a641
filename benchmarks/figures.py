"""What a benchmark found: samples of ours and of the floor, the ratio, and whether the bar holds."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Bar:
    """What must hold, in words and as a test of (ours, floor)."""

    text: str
    holds: Callable[[float, float], bool]


def at_most(value: float, unit: str) -> Bar:
    return Bar(f"≤ {value:g} {unit}", lambda ours, _: ours <= value)


def at_most_over(value: float, unit: str) -> Bar:
    return Bar(f"≤ floor + {value:g} {unit}", lambda ours, floor: ours <= floor + value)


def ratio_at_most(value: float) -> Bar:
    return Bar(f"≤ {value:g} x floor", lambda ours, floor: ours <= value * floor)


def ratio_at_least(value: float) -> Bar:
    return Bar(f"≥ {value:g} x floor", lambda ours, floor: ours >= value * floor)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Args:
        ours, floor: one sample a repeat, taken in turns; no floor for what has none.
        typical: which sample stands for all; the best one where noise can only make things worse,
            the median where single runs differ by themselves, the worst for peaks.
    """

    name: str
    unit: str
    ours: Sequence[float]
    floor: Sequence[float] = ()
    better: Literal["less", "more"] = "less"
    typical: Literal["best", "median", "worst"] = "best"
    bar: Bar | None = None

    @property
    def value(self) -> float:
        return self._of(self.ours)

    @property
    def floor_value(self) -> float | None:
        return self._of(self.floor) if self.floor else None

    @property
    def ratio(self) -> float | None:
        floor = self.floor_value
        return self.value / floor if floor else None

    @property
    def holds(self) -> bool | None:
        """None where there is no bar."""
        return None if self.bar is None else self.bar.holds(self.value, self.floor_value or 0.0)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": self.value,
            "floor": self.floor_value,
            "ratio": self.ratio,
            "better": self.better,
            "typical": self.typical,
            "bar": self.bar.text if self.bar else None,
            "holds": self.holds,
            "samples": {"ours": list(self.ours), "floor": list(self.floor)},
        }

    def _of(self, samples: Sequence[float]) -> float:
        if self.typical == "median":
            return statistics.median(samples)
        return min(samples) if (self.better == "less") == (self.typical == "best") else max(samples)


def show(title: str, figures: Sequence[Figure], console: Console) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("figure", overflow="fold")
    for column in ("ours", "floor", "ratio", "bar", ""):
        table.add_column(column, justify="right", no_wrap=True)
    for figure in figures:
        table.add_row(
            figure.name,
            _number(figure.value, figure.unit),
            "" if figure.floor_value is None else _number(figure.floor_value, figure.unit),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.bar.text if figure.bar else "",
            {None: "", True: "[green]holds[/]", False: "[red]missed[/]"}[figure.holds],
        )
    console.print(table)


def write(folder: Path, name: str, figures: Sequence[Figure], surroundings: dict[str, Any]) -> Path:
    """``<folder>/<name>.json``: the figures with all samples, and the machine they were taken on."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    content = {
        "benchmark": name,
        "surroundings": surroundings,
        "figures": [figure.as_dict() for figure in figures],
    }
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")
    return path


def surroundings(quick: bool) -> dict[str, Any]:
    """What a reader must know to compare: the machine, and how busy it was with other things."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": quick,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in psutil.getloadavg()],
    }


def _number(value: float, unit: str) -> str:
    digits = (
        0
        if abs(value) >= 100 or (not unit and value == int(value))
        else 1
        if abs(value) >= 10
        else 3
        if abs(value) < 1
        else 2
    )
    return f"{value:,.{digits}f} {unit}"
