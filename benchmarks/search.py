"""How much better Bayesian search finds than Random, at 20 trials over 10 seeds, on a small real problem.

The strategies are asked directly, without a server: each trial is an XGBoost training here, and what it is
judged by is its AUC on 4,000 rows it never saw.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import xgboost

from benchmarks import data, tuning
from benchmarks.figures import Figure
from corelab.tuning.child import Child
from corelab.tuning.plan import TuningPlan
from corelab.tuning.strategies import Strategy

_TRIALS = 20
_PARALLEL = 2
_STRATEGIES = ("Random", "Bayesian")
_RANGES = {
    "IntegerParameterRanges": [
        {"Name": "max_depth", "MinValue": "1", "MaxValue": "10"},
        {"Name": "num_round", "MinValue": "5", "MaxValue": "60"},
    ],
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.01", "MaxValue": "1", "ScalingType": "Logarithmic"},
        {"Name": "subsample", "MinValue": "0.3", "MaxValue": "1"},
        {"Name": "min_child_weight", "MinValue": "0.1", "MaxValue": "100", "ScalingType": "Logarithmic"},
    ],
}


def measure(quick: bool) -> list[Figure]:
    problem = _Problem()
    best = {
        strategy: [problem.best(strategy, seed) for seed in range(2 if quick else 10)]
        for strategy in _STRATEGIES
    }
    wins = statistics.mean(b > r for b, r in zip(best["Bayesian"], best["Random"], strict=True))
    return [
        Figure(
            "best validation AUC (floor: Random)",
            "",
            best["Bayesian"],
            best["Random"],
            better="more",
            typical="median",
        ),
        Figure(
            "distance to the best AUC that any trial reached",
            "",
            [problem.known - auc for auc in best["Bayesian"]],
            [problem.known - auc for auc in best["Random"]],
            typical="median",
        ),
        Figure("seeds on which Bayesian found the better one", "%", [wins * 100], better="more"),
    ]


class _Problem:
    """3,000 rows to train on; trials already made are remembered."""

    def __init__(self) -> None:
        self._matrices = []
        for rows, seed in ((3000, 0), (4000, 1)):
            table = data.features(rows, seed)
            self._matrices.append(xgboost.DMatrix(table, data.labels(table, seed)))
        self.known = 0.0

    def best(self, strategy: str, seed: int) -> float:
        """The best AUC of one tuning job, two trials in flight at a time."""
        mind = Strategy(TuningPlan.from_request(_request(strategy), seed))
        flying: list[Child] = []
        found: list[float] = []
        for _ in range(_TRIALS):
            suggestion = mind.ask()
            assert suggestion is not None
            flying.append(Child(number=suggestion.number, tuned=suggestion.tuned))
            if len(flying) == _PARALLEL:
                found.append(self._end(mind, flying.pop(0)))
        found += [self._end(mind, child) for child in flying]
        self.known = max(self.known, *found)
        return max(found)

    def _end(self, mind: Strategy, child: Child) -> float:
        score = self._train(dict(child.tuned))
        mind.tell(Child(number=child.number, tuned=child.tuned, status="Completed", curve=(score,)))
        return score

    def _train(self, parameters: dict[str, Any]) -> float:
        train, validation = self._matrices
        rounds = int(parameters.pop("num_round"))
        fixed = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "eval_metric": "auc"}
        booster = xgboost.train({**fixed, **parameters}, train, rounds)
        return float(np.float64(booster.eval(validation).partition(":")[2]))


def _request(strategy: str) -> dict[str, Any]:
    request = tuning.request("quality", strategy, _TRIALS)
    config = request["HyperParameterTuningJobConfig"]
    config["ParameterRanges"] = _RANGES
    del config["RandomSeed"]
    return request
