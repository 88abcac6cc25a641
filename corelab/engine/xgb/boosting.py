"""One boosted model from matrices and validated hyperparameters (Container spec 3.1 to 3.6)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from xgboost import collective
from xgboost.callback import EarlyStopping, EvaluationMonitor, TrainingCallback

from corelab.engine.xgb import custom_metrics
from corelab.engine.xgb.callbacks import InOrder, SaveCheckpoint, SaveModel
from corelab.engine.xgb.checkpoints import Checkpoints
from corelab.engine.xgb.metrics import MAXIMIZED
from corelab.engine.xgb.model_file import ModelFolder

logger = logging.getLogger(__name__)

# The container forwards the rest, csv_weights too, of which the engine says that it has no use for it.
_NOT_FOR_THE_ENGINE = (
    "num_round",
    "eval_metric",
    "save_model_on_termination",
    "_tuning_objective_metric",
    "early_stopping_rounds",
    "use_dask_gpu_training",
    "_kfold",
)

Watched = Sequence[tuple[xgboost.DMatrix, str]]
History = dict[str, dict[str, list[float]]]


@dataclass(frozen=True, slots=True)
class Matrices:
    """What a job trains on; ``combined`` is both together, for cross validation."""

    train: xgboost.DMatrix
    validation: xgboost.DMatrix | None
    combined: xgboost.DMatrix

    def watched(self) -> Watched:
        sets = [(self.train, "train"), (self.validation, "validation")]
        return [(matrix, name) for matrix, name in sets if matrix is not None]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Which metrics a job prints, and which of them it watches to stop early.

    Attributes:
        native: for the engine, in configured order; empty for the objective's default.
        custom: computed here.
        watched: the tuning metric, else the last one configured.
    """

    native: list[str] = field(default_factory=list)
    custom: list[str] = field(default_factory=list)
    watched: str | None = None

    @classmethod
    def of(cls, config: dict[str, Any]) -> Metrics:
        configured: list[str] = config.get("eval_metric") or []
        tuned = config.get("_tuning_objective_metric")
        watched = configured[-1] if configured else None
        wanted = configured
        if tuned is not None:
            watched = tuned.partition(":")[2]
            logger.info("Setting up HPO optimized metric to be : %s", watched)
            # Sorted, so that all hosts of a job print the same line.
            wanted = sorted({*configured, watched}) if configured else [watched]
        custom = [name for name in wanted if name in custom_metrics.CUSTOM_METRICS]
        return cls([name for name in wanted if name not in custom], custom, watched)


class Booster:
    """Trains the models of one job.

    Args:
        config: validated hyperparameters.
        threads: of the engine.
        checkpoints: the folder for them, if there are to be any.
        saves: whether this host keeps what comes out; of several hosts only the master does.
        transformed: custom metrics see predictions, not margins (image 3.0-5, Container spec 7).
    """

    def __init__(
        self,
        config: dict[str, Any],
        threads: int,
        models: ModelFolder,
        checkpoints: Path | None = None,
        saves: bool = True,
        transformed: bool = False,
    ) -> None:
        self.config, self.models, self.saves = config, models, saves
        self._threads, self._checkpoint_folder, self._transformed = threads, checkpoints, transformed
        self.metrics = Metrics.of(config)

    def train(
        self, matrix: xgboost.DMatrix, watched: Watched, fold: int | None = None
    ) -> tuple[xgboost.Booster, History]:
        """Boost for the job's rounds, less those a checkpoint already has; gives the metrics of each round too."""
        checkpoints = self._checkpoints(fold)
        start, done = _resume(checkpoints)
        history: History = {}
        evaluate = custom_metrics.configure(self.metrics.custom) if self.metrics.custom else None
        rounds = self.config["num_round"] - done
        callbacks = self._callbacks(fold, rounds, "validation" in [name for _, name in watched])
        if checkpoints is not None and self.saves:
            callbacks.insert(1, SaveCheckpoint(checkpoints, done))
        # Only the deprecated hook shows a metric the margins, which is what the container's metrics see.
        model = xgboost.train(
            self.parameters(cross_validated=fold is not None),
            matrix,
            num_boost_round=rounds,
            evals=watched,
            callbacks=[InOrder(callbacks)],
            xgb_model=start,
            verbose_eval=False,
            evals_result=history,
            **{"custom_metric" if self._transformed else "feval": evaluate},
        )
        return model, history

    def parameters(self, cross_validated: bool = False) -> dict[str, Any]:
        """What the engine is told."""
        left_out = (*_NOT_FOR_THE_ENGINE, *(("_num_cv_round",) if cross_validated else ()))
        parameters = {name: value for name, value in self.config.items() if name not in left_out}
        if "updater" in parameters:
            parameters["updater"] = ",".join(parameters["updater"])
        if self.metrics.native:
            parameters["eval_metric"] = self.metrics.native
        return {**parameters, "nthread": self._threads}

    def _checkpoints(self, fold: int | None) -> Checkpoints | None:
        if self._checkpoint_folder is None:
            return None
        return Checkpoints(
            self._checkpoint_folder if fold is None else self._checkpoint_folder / f"model-{fold}"
        )

    def _callbacks(self, fold: int | None, rounds: int, validated: bool) -> list[TrainingCallback]:
        callbacks: list[TrainingCallback] = [EvaluationMonitor()]
        if self.config.get("save_model_on_termination") == "true":
            self.models.end_well_when_terminated()
            if self.saves:
                callbacks.append(SaveModel(lambda model: self.models.store(model, fold)))
        patience, metric = self.config.get("early_stopping_rounds"), self.metrics.watched
        if patience and metric and validated and rounds > 0:
            callbacks.append(
                EarlyStopping(
                    rounds=patience,
                    metric_name=metric,
                    data_name="validation",
                    maximize=metric in MAXIMIZED,  # by exact name: ndcg@5 is minimized, as in the container
                    save_best=self.saves,
                )
            )
        return callbacks


def _resume(checkpoints: Checkpoints | None) -> tuple[Path | None, int]:
    """The model to go on from and its rounds; the hosts of a job go on from the same one or from none."""
    start, done = (checkpoints.latest() if checkpoints is not None else None) or (None, 0)
    if collective.is_distributed():
        most = collective.allreduce(np.array([done, -done]), collective.Op.MAX)
        if most[0] != -most[1]:
            logger.warning("The hosts hold different checkpoints. Training starts anew.")
            return None, 0
    if start is not None:
        logger.info("Checkpoint loaded from %s", start)
        logger.info("Resuming from iteration %s", done)
    return start, done
