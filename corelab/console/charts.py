"""Charts as inline SVG: no script, no picture files; a screen reader hears a summary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Point = tuple[float, float]
_WIDTH, _HEIGHT = 460, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 12, 10, 34
_MOST_POINTS = 300
_MOST_DOTS = 60
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """A line's name and its points, by x."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values lie on the canvas."""

    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x0) / (self.x1 - self.x0) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - self.y0) / (self.y1 - self.y0) * (_HEIGHT - _TOP - _BOTTOM)


def lines(title: str, series: Sequence[Series], x_label: str, joined: bool = True) -> Markup:
    """Lines, or dots alone, over a common x; empty when there is nothing to draw."""
    kept = [Series(s.name, thinned([p for p in s.points if _drawable(p)])) for s in series]
    kept = [s for s in kept if s.points]
    if not kept:
        return Markup("")
    frame = _frame([point for s in kept for point in s.points], margin=0.0 if joined else 0.04)
    parts = [_axes(frame, x_label, [x for s in kept for x, _ in s.points])]
    parts += [_drawn(frame, index, s, joined) for index, s in enumerate(kept)]
    told = "; ".join(_summary(s, joined) for s in kept)
    legend = Markup("").join(
        Markup('<li class="k{}">{} <b>{}</b></li>').format(i % 6, s.name, number(s.points[-1][1]))
        for i, s in enumerate(kept)
        if joined
    )
    return Markup(
        '<figure class="chart"><figcaption>{}</figcaption><svg viewBox="0 0 {} {}" role="img"'
        ' aria-label="{}">{}</svg><ul class="legend" aria-hidden="true">{}</ul></figure>'
    ).format(title, _WIDTH, _HEIGHT, f"{title}. {told}", Markup("").join(parts), legend)


def bar(share: float) -> Markup:
    """A share from 0 to 1 as a bar."""
    width = round(200 * min(max(share, 0.0), 1.0), 1)
    return Markup(
        '<svg class="bar" viewBox="0 0 200 12" width="200" height="12" aria-hidden="true">'
        '<rect class="trough" width="200" height="12"/><rect class="fill" width="{}" height="12"/></svg>'
    ).format(width)


def timeline(phases: Sequence[tuple[str, float, float]]) -> Markup:
    """Phases (name, begin, end) as one bar in proportion; the table beside it has the numbers."""
    if not phases or (span := phases[-1][2] - phases[0][1]) <= 0:
        return Markup("")
    pieces = [
        Markup('<rect class="k{}" x="{:.2f}" width="{:.2f}" height="24"><title>{}</title></rect>').format(
            index % 6,
            (begin - phases[0][1]) / span * 100,
            (end - begin) / span * 100,
            f"{name}: {end - begin:.1f} s",
        )
        for index, (name, begin, end) in enumerate(phases)
    ]
    legend = [
        Markup('<li class="k{}">{}</li>').format(index % 6, name) for index, (name, _, _) in enumerate(phases)
    ]
    return Markup(
        '<svg class="timeline" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
        '<ul class="legend" aria-hidden="true">{}</ul>'
    ).format(Markup("").join(pieces), Markup("").join(legend))


def number(value: float) -> str:
    """A value in as few digits as tell it apart."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}" if abs(value) < 1e5 else f"{value:.3g}"


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most some hundred of the points, the first and the last among them."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    step = (len(points) - 1) / (_MOST_POINTS - 1)
    return [points[round(index * step)] for index in range(_MOST_POINTS)]


def _drawable(point: Point) -> bool:
    return math.isfinite(point[0]) and math.isfinite(point[1])


def _summary(series: Series, joined: bool) -> str:
    values = [y for _, y in series.points]
    if joined:
        return f"{series.name}: first {number(values[0])}, last {number(values[-1])}"
    return f"{len(values)} points from {number(min(values))} to {number(max(values))}"


def _frame(points: Sequence[Point], margin: float) -> _Frame:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    if x0 == x1:
        x0, x1 = x0 - 0.5, x1 + 0.5
    if y0 == y1:
        pad = abs(y0) * 0.1 or 1.0
        y0, y1 = y0 - pad, y1 + pad
    pad, side = (y1 - y0) * 0.06, (x1 - x0) * margin
    return _Frame(x0 - side, x1 + side, y0 - pad, y1 + pad)


def _axes(frame: _Frame, x_label: str, xs: Sequence[float]) -> Markup:
    parts = []
    for tick in range(_TICKS + 1):
        value = frame.y0 + (frame.y1 - frame.y0) * tick / _TICKS
        at = frame.y(value)
        parts.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(_LEFT, _WIDTH - _RIGHT, at, at, _LEFT - 6, at + 4, number(value))
        )
    base = _HEIGHT - _BOTTOM + 16
    for value, anchor in ((min(xs), "start"), (max(xs), "end"))[: len(set(xs))]:
        parts.append(
            Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                frame.x(value), base, anchor, number(value)
            )
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(middle, base, x_label))
    return Markup("").join(parts)


def _drawn(frame: _Frame, index: int, series: Series, joined: bool) -> Markup:
    spots = [(frame.x(x), frame.y(y), x, y) for x, y in series.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in spots)
    line = Markup('<polyline points="{}"/>').format(path) if joined and len(spots) > 1 else Markup("")
    dots = Markup("")
    if len(spots) <= _MOST_DOTS or not joined:
        # Numbers need no escaping, and there may be more than a thousand of them: the name is escaped once.
        name = escape(series.name)
        dots = Markup(  # noqa: S704 (an escaped name and numbers)
            "".join(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{name} {number(at)}: {number(value)}</title></circle>'
                for x, y, at, value in spots
            )
        )
    return Markup('<g class="k{}">{}{}</g>').format(index % 6, line, dots)
