"""CloudWatch's arithmetic: points into periods, periods into statistics.

Source: CloudWatch user guide, "Metrics concepts" and "CloudWatch statistics definitions".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from corelab.store.metrics import Point

PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_BOUNDED = re.compile(r"(TM|WM|TC|TS|PR|tm|wm|tc|ts)(?:(\d+(?:\.\d+)?)|\(([^:]*):([^)]*)\))")


def is_statistic(name: str) -> bool:
    """Whether CloudWatch knows a statistic of that name, as far as this local one computes it."""
    return name in (*PLAIN, "IQM") or any(rule.fullmatch(name) for rule in (_PERCENTILE, _BOUNDED))


def rounded_start(start: float, period: int) -> float:
    """Where the first period begins: at a full minute, or at a multiple of a period shorter than one."""
    step = 60 if period >= 60 else period
    return math.floor(start / step) * step


def in_periods(points: Sequence[Point], start: float, period: int) -> list[tuple[float, list[Point]]]:
    """Points by the period they fall into, as (begin, points), oldest first; empty periods do not appear."""
    periods: dict[int, list[Point]] = {}
    for point in points:
        # floor, not int: a point may lie before the rounded start.
        periods.setdefault(math.floor((point.at - start) / period), []).append(point)
    return [(start + number * period, periods[number]) for number in sorted(periods)]


def statistic(points: Sequence[Point], name: str) -> float | None:
    """One statistic of the points of a period; None where it cannot be known.

    A percentile needs single values; of a set whose values differ, only the five plain statistics are known.
    """
    count = sum(point.count for point in points)
    if not count:
        return None
    if name in PLAIN:
        return _plain(points, name, count)
    if any(point.low != point.high for point in points):
        return None
    values = sorted((point.low, point.count) for point in points)
    if percentile := _PERCENTILE.fullmatch(name):
        return _percentile(values, float(percentile[1]) / 100)
    return _bounded(values, "TM(25%:75%)" if name == "IQM" else name)


def _plain(points: Sequence[Point], name: str, count: float) -> float:
    total = math.fsum(point.total for point in points)
    if name == "Minimum":
        return min(point.low for point in points)
    if name == "Maximum":
        return max(point.high for point in points)
    return {"SampleCount": count, "Sum": total, "Average": total / count}[name]


def _percentile(values: Sequence[tuple[float, float]], fraction: float) -> float:
    """The value at ``fraction`` of the way through the weighted values, between two of them if need be."""
    # NumPy's linear rule, for values that may each stand for many.
    rank = fraction * (sum(weight for _, weight in values) - 1)
    seen, before = 0.0, values[0][0]
    for value, weight in values:
        if rank <= seen + weight - 1:
            inside = rank - (seen - 1)
            return value if inside >= 1 or seen == 0 else before + (value - before) * inside
        seen, before = seen + weight, value
    return values[-1][0]


def _bounded(values: Sequence[tuple[float, float]], name: str) -> float | None:
    """Trimmed and winsorized statistics; bounds are percentiles with ``%``, else plain values."""
    found = _BOUNDED.fullmatch(name)
    if found is None:
        return None
    kind, single, low_text, high_text = found[1].upper(), found[2], found[3] or "", found[4] or ""
    low = _bound(values, low_text, -math.inf)
    high = _bound(values, f"{single}%" if single else high_text, math.inf)
    kept = [(value, weight) for value, weight in values if low <= value <= high]
    weight = sum(weight for _, weight in kept)
    if kind == "TC":
        return weight
    if kind == "TS":
        return math.fsum(value * weight for value, weight in kept)
    if kind == "PR":
        return 100 * weight / sum(weight for _, weight in values)
    if kind == "WM":
        kept = [(min(max(value, low), high), weight) for value, weight in values]
        weight = sum(weight for _, weight in kept)
    return math.fsum(value * share for value, share in kept) / weight if weight else None


def _bound(values: Sequence[tuple[float, float]], text: str, default: float) -> float:
    text = text.strip()
    if not text:
        return default
    return _percentile(values, float(text[:-1]) / 100) if text.endswith("%") else float(text)
