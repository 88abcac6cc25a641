"""Bayesian search as an Optuna sampler: a Gaussian process and TPE by turns, TPE alone for hundreds of results.

The process learns more from few results where the objective is smooth; TPE is not misled by cliffs and plateaus.
By turns they are nearly as good as the better of them on either (measured over synthetic and XGBoost objectives).
Optuna's own Gaussian process needs PyTorch, which weighs more than everything else here together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import ThreadpoolController

from corelab.tuning.cube import Cube
from corelab.tuning.gaussian import Array, GaussianProcess

# Points spread out before there is enough to learn from.
_STARTUP = 4
_CANDIDATES = 64  # of TPE
# With more results the process costs more time than the better values are worth.
_MOST_RESULTS = 150
# Candidates: to set the first points apart, all over the space, around the best results, around the leaders of
# these; and how far around.
_APART, _ANYWHERE, _AROUND_BEST, _AROUND_LEADERS = 32, 600, 33, 20
_BEST, _LEADERS, _FAR, _NEAR, _CLOSER = 3, 5, 0.1, 0.02, 0.03
# On matrices this small a second thread of the linear algebra costs many times what it saves.
_THREADS = ThreadpoolController()


class BayesianSampler(BaseSampler):
    """Expected improvement; running trials count as done with the results predicted for them."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._random = RandomSampler(seed=seed)
        self._tpe = TPESampler(seed=seed, n_startup_trials=_STARTUP, n_ei_candidates=_CANDIDATES)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        done, pending = _known(study, trial)
        if _is_turn_of_tpe(done, pending):
            space: dict[str, BaseDistribution] = self._tpe.infer_relative_search_space(study, trial)
            return space
        # Every trial of a study here has the same space; Optuna's intersection looks at finished ones only.
        space = next((one.distributions for one in [*done, *pending]), {})
        return {name: distribution for name, distribution in space.items() if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space:
            return {}
        done, pending = _known(study, trial)
        if _is_turn_of_tpe(done, pending):
            proposed: dict[str, Any] = self._tpe.sample_relative(study, trial, search_space)
            return proposed
        cube = Cube(search_space)
        places = np.array([cube.encode(t.params) for t in [*done, *pending]])
        if len(done) < _STARTUP:
            return cube.decode(self._apart(cube, places))
        sign = -1 if study.direction == StudyDirection.MAXIMIZE else 1
        with _THREADS.limit(limits=1, user_api="blas"):
            return cube.decode(
                self._promising(cube, places, sign * np.array([t.value for t in done], dtype=np.float64))
            )

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _apart(self, cube: Cube, places: Array) -> Array:
        """The one of some random points that lies furthest from those known."""
        candidates = cube.draw(_APART, self._rng)
        gaps = cube.features(candidates)[:, None, :] - cube.features(places)[None, :, :]
        nearest = (gaps**2).sum(axis=2).min(axis=1)
        furthest: Array = candidates[np.argmax(nearest)]
        return furthest

    def _promising(self, cube: Cube, places: Array, values: Array) -> Array:
        """The candidate with the greatest expected improvement, and a closer look around the best of them."""
        known = cube.features(places)
        process = GaussianProcess(known[: len(values)], values, cube.groups, self._rng)
        if len(known) > len(values):
            process.believe(known[len(values) :])
        best = np.repeat(places[np.argsort(values)[:_BEST]], _AROUND_BEST, axis=0)
        around = [cube.near(best, spread, self._rng) for spread in (_FAR, _NEAR)]
        candidates = np.vstack([cube.draw(_ANYWHERE, self._rng), *around])
        gains = process.expected_improvement(cube.features(candidates))
        leaders = np.repeat(candidates[np.argsort(-gains)[:_LEADERS]], _AROUND_LEADERS, axis=0)
        closer = cube.near(leaders, _CLOSER, self._rng)
        candidates = np.vstack([candidates, closer])
        gains = np.concatenate([gains, process.expected_improvement(cube.features(closer))])
        winner: Array = candidates[np.argmax(gains)]
        return winner


def _known(study: Study, trial: FrozenTrial) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
    """Trials with a result, and those running besides the one being asked for."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return done, [one for one in running if one.number != trial.number]


def _is_turn_of_tpe(done: list[FrozenTrial], pending: list[FrozenTrial]) -> bool:
    if len(done) > _MOST_RESULTS:
        return True
    return len(done) >= _STARTUP and (len(done) + len(pending)) % 2 == 1
