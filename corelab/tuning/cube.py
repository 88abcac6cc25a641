"""A search space as a unit cube: one column a parameter, on its own scale, discrete values in mid-cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from corelab.tuning.gaussian import Array

# Of the categories near a point, so many are others than its own.
_SWITCH = 0.2


class Cube:
    """Points are rows of numbers between 0 and 1, of Optuna's distributions."""

    def __init__(self, space: Mapping[str, BaseDistribution]) -> None:
        self._space = dict(space)
        self._axes = [_axis(distribution) for distribution in space.values()]
        self._choices = [
            len(d.choices) if isinstance(d, CategoricalDistribution) else 0 for d in space.values()
        ]
        sizes = [max(1, choices) for choices in self._choices]
        self.groups: NDArray[np.int64] = np.repeat(np.arange(len(sizes)), sizes)

    def encode(self, params: Mapping[str, Any]) -> list[float]:
        return [axis.place(params[name]) for name, axis in zip(self._space, self._axes, strict=True)]

    def decode(self, point: Array) -> dict[str, Any]:
        return {
            name: axis.value(float(place))
            for name, axis, place in zip(self._space, self._axes, point, strict=True)
        }

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        return self._snapped(rng.random((count, len(self._axes))))

    def near(self, points: Array, spread: float, rng: np.random.Generator) -> Array:
        """As many points, each some way from one of these, half of its parameters unchanged."""
        moved = np.clip(points + rng.normal(0, spread, points.shape), 0, 1)
        categories = np.array(self._choices) > 0
        other = np.where(rng.random(points.shape) < _SWITCH, rng.random(points.shape), points)
        moved = np.where(categories, other, moved)
        kept = rng.random(points.shape) < 0.5 if points.shape[1] > 1 else np.zeros(points.shape, bool)
        return self._snapped(np.where(kept, points, moved))

    def features(self, points: Array) -> Array:
        """Columns in which distance means difference: one for each category instead of one for all."""
        columns = []
        for column, choices in zip(points.T, self._choices, strict=True):
            if choices:
                chosen = np.minimum((column * choices).astype(int), choices - 1)
                columns.append(np.eye(choices)[chosen] / np.sqrt(2))
            else:
                columns.append(column[:, None])
        features: Array = np.hstack(columns)
        return features

    def _snapped(self, points: Array) -> Array:
        columns = [axis.snapped(column) for axis, column in zip(self._axes, points.T, strict=True)]
        snapped: Array = np.stack(columns, axis=1)
        return snapped


class _Continuous:
    def place(self, value: float) -> float:
        return value

    def value(self, place: float) -> float:
        return place

    def snapped(self, places: Array) -> Array:
        return places


class _Whole:
    """Whole numbers in cells of equal width, on a logarithmic axis narrower the greater they are."""

    def __init__(self, distribution: IntDistribution) -> None:
        self._low, self._high, self._log = distribution.low, distribution.high, distribution.log
        self._start, self._end = (self._scaled(edge) for edge in (self._low - 0.5, self._high + 0.5))

    def place(self, value: float) -> float:
        return float((self._scaled(value) - self._start) / (self._end - self._start))

    def value(self, place: float) -> int:
        return int(self._values(np.array([place]))[0])

    def snapped(self, places: Array) -> Array:
        snapped: Array = (self._scaled(self._values(places)) - self._start) / (self._end - self._start)
        return snapped

    def _values(self, places: Array) -> Array:
        scaled = self._start + places * (self._end - self._start)
        values: Array = np.clip(np.rint(np.exp(scaled) if self._log else scaled), self._low, self._high)
        return values

    def _scaled(self, value: Any) -> Any:
        return np.log(value) if self._log else value


class _Category:
    def __init__(self, distribution: CategoricalDistribution) -> None:
        self._choices = distribution.choices

    def place(self, value: Any) -> float:
        return (self._choices.index(value) + 0.5) / len(self._choices)

    def value(self, place: float) -> Any:
        return self._choices[min(int(place * len(self._choices)), len(self._choices) - 1)]

    def snapped(self, places: Array) -> Array:
        count = len(self._choices)
        snapped: Array = (np.minimum(np.floor(places * count), count - 1) + 0.5) / count
        return snapped


def _axis(distribution: BaseDistribution) -> _Continuous | _Whole | _Category:
    if isinstance(distribution, CategoricalDistribution):
        return _Category(distribution)
    return _Whole(distribution) if isinstance(distribution, IntDistribution) else _Continuous()
