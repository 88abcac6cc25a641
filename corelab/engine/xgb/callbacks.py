"""What happens after each round: the metric line, the checkpoint, the copy of the model, early stopping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xgboost
from xgboost.callback import TrainingCallback

from corelab.engine.xgb.checkpoints import Checkpoints

_Log = dict[str, dict[str, Any]]


class InOrder(TrainingCallback):
    """Several callbacks as one: the engine keeps them in a set and leaves out some when another ends training."""

    def __init__(self, callbacks: Sequence[TrainingCallback]) -> None:
        super().__init__()
        self._callbacks = callbacks

    def before_training(self, model: xgboost.Booster) -> xgboost.Booster:
        for callback in self._callbacks:
            model = callback.before_training(model)
        return model

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        for callback in self._callbacks:
            model = callback.after_training(model)
        return model

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: _Log) -> bool:
        # All of them run, also after one that ends training.
        wants_end = [callback.after_iteration(model, epoch, evals_log) for callback in self._callbacks]
        return any(wants_end)


class SaveCheckpoint(TrainingCallback):
    """Leaves a checkpoint of every round; the folder keeps the newest few."""

    def __init__(self, checkpoints: Checkpoints, first_round: int) -> None:
        super().__init__()
        self._checkpoints, self._first_round = checkpoints, first_round

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: _Log) -> bool:
        self._checkpoints.save(model, self._first_round + epoch)
        return False


class SaveModel(TrainingCallback):
    """Rewrites the model after every round, so that a job that is ended early has one."""

    def __init__(self, store: Callable[[xgboost.Booster], None]) -> None:
        super().__init__()
        self._store = store

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: _Log) -> bool:
        self._store(model)
        return False
