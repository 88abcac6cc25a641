"""Where the next point comes from: sampled from what is known, or the next cell of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from corelab.tuning.child import Child
from corelab.tuning.plan import BAYESIAN, GRID, Prior, TuningPlan
from corelab.tuning.sampling import Proposer, bayesian, seed_of, uniform

# How often a sampler may repeat earlier points before it is given one of those left, where they are few.
_ATTEMPTS, _FEW = 10, 10_000


class Search(Protocol):
    """Numbers count launches from 1; every number is proposed or recorded once, in rising order."""

    def propose(self, number: int) -> tuple[int, dict[str, str]] | None:
        """The definition's position and the point; None when there is nothing left to try."""

    def record(self, child: Child) -> None:
        """What is known of a child now: that it was launched, or how it ended."""


def search_for(plan: TuningPlan, priors: Sequence[Prior] = ()) -> Search:
    """The search a plan's strategy stands for."""
    return GridSearch(plan) if plan.strategy == GRID else SampledSearch(plan, priors)


@dataclass(slots=True)
class _Known:
    child: Child
    handle: int | None = None


@dataclass(slots=True)
class SampledSearch:
    """Random, Bayesian and Hyperband: definitions take turns, each with a search of its own.

    No point is tried twice while untried ones remain: the same hyperparameters train the same model again.
    """

    plan: TuningPlan
    priors: Sequence[Prior] = ()
    _known: dict[int, _Known] = field(default_factory=dict)
    _seen: set[tuple[int, frozenset[tuple[str, str]]]] = field(default_factory=set)
    _proposers: dict[int, Proposer] = field(default_factory=dict)

    def propose(self, number: int) -> tuple[int, dict[str, str]] | None:
        index = (number - 1) % len(self.plan.definitions)
        proposer = self._rebuilt(index) if self.plan.transfer else self._proposer(index)
        tuned = self._untried(index, number, proposer)
        self.record(Child(number=number, tuned=tuned, definition=index))
        return index, tuned

    def _untried(self, index: int, number: int, proposer: Proposer) -> dict[str, str]:
        for attempt in range(_ATTEMPTS):
            tuned = proposer.propose(seed_of(self.plan.seed, index, number, attempt))
            if _key(index, tuned) not in self._seen:
                return tuned
        space = self.plan.definitions[index].space
        if space.combinations > _FEW:
            return tuned
        left = [cell for cell in space.cells() if _key(index, cell) not in self._seen]
        return left[seed_of(self.plan.seed, index, number) % len(left)] if left else tuned

    def record(self, child: Child) -> None:
        known = self._known.get(child.number)
        if known is None:
            known = self._known[child.number] = _Known(child, self._add(child))
            self._seen.add(_key(child.definition, child.tuned))
        elif known.child.running and not child.running and known.handle is not None:
            self._proposer(child.definition).finish(known.handle, child.score)
        known.child = child

    def _add(self, child: Child) -> int | None:
        return self._proposer(child.definition).add(child.tuned, child.score, child.running)

    def _proposer(self, index: int) -> Proposer:
        if index not in self._proposers:
            self._proposers[index] = self._new(index)
            for prior in self.priors:
                if prior.definition == index and not self.plan.transfer:
                    self._proposers[index].add(prior.tuned, prior.score)
        return self._proposers[index]

    def _new(self, index: int) -> Proposer:
        definition = self.plan.definitions[index]
        sampler = bayesian if self.plan.strategy == BAYESIAN else uniform
        return Proposer(definition.space, definition.objective.maximize, sampler)

    def _rebuilt(self, index: int) -> Proposer:
        """A search in which every source of results counts by its own order only, best first."""
        proposer = self._new(index)
        children = [known.child for known in self._known.values() if known.child.definition == index]
        priors = [prior for prior in self.priors if prior.definition == index]
        results = [(prior.source, prior.tuned, prior.score) for prior in priors]
        results += [("", child.tuned, child.score) for child in children if child.score is not None]
        for (_, tuned, _), rank in zip(results, _ranks(results), strict=True):
            proposer.add(tuned, rank)
        for child in children:
            if child.running:
                proposer.add(child.tuned, running=True)
        return proposer


class GridSearch:
    """Every combination once: definitions in order, the last range of a definition turning fastest."""

    def __init__(self, plan: TuningPlan) -> None:
        self._spaces = [definition.space for definition in plan.definitions]

    def propose(self, number: int) -> tuple[int, dict[str, str]] | None:
        cells = ((index, cell) for index, space in enumerate(self._spaces) for cell in space.cells())
        return next(islice(cells, number - 1, None), None)

    def record(self, child: Child) -> None:
        """A grid learns nothing."""


def _key(index: int, tuned: Mapping[str, str]) -> tuple[int, frozenset[tuple[str, str]]]:
    return index, frozenset(tuned.items())


def _ranks(results: Sequence[tuple[str, Mapping[str, str], float]]) -> list[float]:
    """Each result's place among those of its source, between 0 and 1, in the scores' own direction."""
    by_source: dict[str, list[float]] = {}
    for source, _, score in results:
        by_source.setdefault(source, []).append(score)
    return [
        (sum(other < score for other in by_source[source]) + 0.5) / len(by_source[source])
        for source, _, score in results
    ]
