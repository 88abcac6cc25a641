"""Hyperband: many children start, few go on; the unit of work is one emission of the objective metric.

    bracket 0   1 ──▶ 3 ──▶ 9 ──▶ 27 ──▶ 81      at each rung the best third of those seen there goes on
    bracket 1         3 ──▶ 9 ──▶ 27 ──▶ 81      later first rungs: for objectives that start slowly
    bracket 2               9 ──▶ 27 ──▶ 81
    ...

Children take turns in the brackets, in Hyperband's own shares, and are judged when they reach a rung, by those
that reached it before (asynchronously, so that no child waits for another).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from corelab.tuning.plan import Resource

_ETA = 3


def rungs(resource: Resource) -> list[list[int]]:
    """The rungs of every bracket, without the last one (the maximum, where nobody is judged)."""
    ladder: list[int] = []
    rung = resource.minimum
    while rung < resource.maximum:
        ladder.append(rung)
        rung *= _ETA
    return [ladder[start:] for start in range(len(ladder) + 1)]


def bracket_of(number: int, brackets: int) -> int:
    """The bracket of the ``number``-th child, from 1."""
    turns = _turns(brackets)
    return turns[(number - 1) % len(turns)]


@lru_cache(maxsize=64)
def _turns(brackets: int) -> tuple[int, ...]:
    """One round of brackets: each as often as Hyperband starts children in it, evenly spread."""
    halvings = [brackets - 1 - bracket for bracket in range(brackets)]
    sizes = [math.ceil(brackets / (s + 1) * _ETA**s) for s in halvings]
    places = [((turn + 0.5) / size, bracket) for bracket, size in enumerate(sizes) for turn in range(size)]
    return tuple(bracket for _, bracket in sorted(places))


@dataclass(slots=True)
class Brackets:
    """Hyperband's decisions for the children of one definition."""

    resource: Resource
    maximize: bool
    _rungs: list[list[int]] = field(init=False)
    _reached: dict[tuple[int, int], dict[int, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rungs = rungs(self.resource)

    def should_stop(self, number: int, curve: Sequence[float], length: int | None) -> bool:
        """Whether the ``number``-th child, with these objective values so far, is to be stopped now.

        Args:
            length: how many values it will emit in all, where its hyperparameters tell; a child that ends by
                itself at the maximum is left to do so.
        """
        if self.record(number, curve):
            return True
        ends_alone = length is not None and length <= self.resource.maximum
        return len(curve) >= self.resource.maximum and not ends_alone

    def record(self, number: int, curve: Sequence[float]) -> bool:
        """Note the rungs a child has reached; True when it fell behind at one of the new ones."""
        bracket = bracket_of(number, len(self._rungs))
        behind = False
        for rung in self._rungs[bracket]:
            seen = self._reached.setdefault((bracket, rung), {})
            if len(curve) >= rung and number not in seen:
                seen[number] = curve[rung - 1]
                behind = behind or not self._is_among_best(seen, number)
        return behind

    def _is_among_best(self, seen: dict[int, float], number: int) -> bool:
        if len(seen) < _ETA:
            return True
        better = sum((v > seen[number]) if self.maximize else (v < seen[number]) for v in seen.values())
        return better < len(seen) // _ETA
