"""Optuna behind plain text: one search space, asked for points and told their results.

Optuna is imported by the first proposer, not by this module: a server that tunes nothing must not pay for it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from corelab.tuning.space import (
    LOGARITHMIC,
    REVERSE,
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    Range,
    SearchSpace,
    Value,
    render,
)

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study

SamplerFactory = Callable[[int], "BaseSampler"]

# Wider whole-number ranges are sampled as fractions: Optuna counts in floats and 64-bit integers.
_WIDE = 2**31


def bayesian(seed: int) -> BaseSampler:
    """Learns from results; running children are taken for done with what is expected of them."""
    from corelab.tuning.bayesian import BayesianSampler

    _optuna()
    return BayesianSampler(seed)


def uniform(seed: int) -> BaseSampler:
    """Independent draws, uniform on each range's scale."""
    sampler: BaseSampler = _optuna().samplers.RandomSampler(seed=seed)
    return sampler


def seed_of(*parts: object) -> int:
    """A 32-bit seed that depends on nothing but the parts, on any machine."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


class Proposer:
    """A search over one space. Handles are Optuna's trial numbers.

    What it proposes depends on the seed of the call and on what was added before, not on any hidden state: a
    proposer rebuilt from the same points and results proposes the same.
    """

    def __init__(self, space: SearchSpace, maximize: bool, sampler: SamplerFactory) -> None:
        self._space = space
        self._sampler = sampler
        self._study = new_study(maximize)
        self._distributions = distributions(space)

    def propose(self, seed: int) -> dict[str, str]:
        """A point as rendered text; it is not part of the search until it is added."""
        self._study.sampler = self._sampler(seed)
        trial = self._study.ask(fixed_distributions=self._distributions)
        self._study.tell(trial, state=_optuna().trial.TrialState.FAIL)
        return {entry.name: render(_decode(entry, trial.params[entry.name])) for entry in self._space}

    def add(self, tuned: Mapping[str, str], score: float | None = None, running: bool = False) -> int | None:
        """Add a point: running, or with its score, or without any. None when it lies outside the space."""
        point = self._space.read(tuned)
        if point is None:
            return None
        return add_trial(self._study, self._space, point, score, running)

    def finish(self, handle: int, score: float | None) -> None:
        """The result of a running point; None says that it gave none."""
        if score is None:
            self._study.tell(handle, state=_optuna().trial.TrialState.FAIL)
        else:
            self._study.tell(handle, score)


def new_study(maximize: bool) -> Study:
    """An empty study in memory."""
    study: Study = _optuna().create_study(direction="maximize" if maximize else "minimize")
    return study


def add_trial(
    study: Study, space: SearchSpace, point: Mapping[str, Value], score: float | None, running: bool = False
) -> int:
    """Add one point of the space; returns its trial number."""
    trial = _optuna().trial
    state = trial.TrialState.COMPLETE if score is not None else trial.TrialState.FAIL
    template = trial.create_trial(
        state=trial.TrialState.RUNNING if running else state,
        value=score,
        params={entry.name: _encode(entry, point[entry.name]) for entry in space},
        distributions=distributions(space),
    )
    study.add_trial(template)
    return len(study.get_trials(deepcopy=False)) - 1


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """The space as Optuna sees it: whole numbers as they are, all else as a fraction of its scale."""
    return {entry.name: _distribution(entry) for entry in space}


def _distribution(entry: Range) -> BaseDistribution:
    kinds: Any = _optuna().distributions
    distribution: BaseDistribution
    if isinstance(entry, CategoricalRange):
        distribution = kinds.CategoricalDistribution(entry.values)
    elif entry.low == entry.high:
        distribution = kinds.FloatDistribution(0.0, 0.0)
    elif isinstance(entry, IntegerRange) and not _is_wide(entry):
        distribution = kinds.IntDistribution(entry.low, entry.high, log=entry.scale == LOGARITHMIC)
    else:
        distribution = kinds.FloatDistribution(0.0, 1.0)
    return distribution


def _is_wide(entry: IntegerRange) -> bool:
    return max(abs(entry.low), abs(entry.high)) >= _WIDE


def _decode(entry: Range, raw: Any) -> Value:
    if isinstance(entry, CategoricalRange):
        return str(raw)
    if entry.low == entry.high:
        return entry.low
    if isinstance(entry, IntegerRange):
        value = raw if not _is_wide(entry) else round(_at(entry, raw))
        return max(entry.low, min(entry.high, int(value)))
    return max(entry.low, min(entry.high, _at(entry, raw)))


def _encode(entry: Range, value: Any) -> Any:
    if isinstance(entry, CategoricalRange):
        return value
    if entry.low == entry.high:
        return 0.0
    if isinstance(entry, IntegerRange) and not _is_wide(entry):
        return value
    return max(0.0, min(1.0, _fraction(entry, value)))


def _at(entry: IntegerRange | ContinuousRange, fraction: float) -> float:
    if entry.scale == LOGARITHMIC:
        return _between(math.log(entry.low), math.log(entry.high), fraction, math.exp)
    if entry.scale == REVERSE:
        return 1 - _between(math.log1p(-entry.low), math.log1p(-entry.high), fraction, math.exp)
    return entry.low + fraction * (entry.high - entry.low)


def _fraction(entry: IntegerRange | ContinuousRange, value: float) -> float:
    if entry.scale == LOGARITHMIC:
        low, high, here = math.log(entry.low), math.log(entry.high), math.log(value)
    elif entry.scale == REVERSE:
        low, high, here = math.log1p(-entry.low), math.log1p(-entry.high), math.log1p(-value)
    else:
        low, high, here = entry.low, entry.high, value
    return (here - low) / (high - low) if high != low else 0.0


def _between(low: float, high: float, fraction: float, back: Callable[[float], float]) -> float:
    return back(low + fraction * (high - low))


@cache
def _optuna() -> ModuleType:
    import optuna

    # Optuna writes each new study and trial to stderr; a server's log has its own lines.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
