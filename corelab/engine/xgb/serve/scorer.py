"""Predictions as the container makes them, one booster or several.

The engine's C call for dense rows is used directly: on one row its Python wrapper spends twice the time of
the prediction itself.
"""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from xgboost._typing import c_bst_ulong
from xgboost.core import _LIB, _check_call

from corelab.engine.xgb.serve.csv_text import Matrix
from corelab.engine.xgb.serve.model_files import load_boosters
from corelab.engine.xgb.serve.payload import Features

Predictions = npt.NDArray[np.float32]

_MAJORITY_VOTE = ("multi:softmax", "binary:hinge")


class Scorer:
    """All models of one archive: their mean, or their majority for class labels (container spec 4.6)."""

    def __init__(self, boosters: list[xgboost.Booster]) -> None:
        self._members = [BoosterScorer(booster) for booster in boosters]
        self.objective = self._members[0].objective
        self.class_count = self._members[0].class_count

    @classmethod
    def load(cls, folder: Path, ensemble: bool) -> Scorer:
        """Raises UnloadableModel."""
        return cls(load_boosters(folder, ensemble))

    def predict(self, features: Features) -> Predictions:
        """One value a row, or one row of values. Raises ValueError with the engine's words."""
        if len(self._members) == 1:
            return self._members[0].predict(features)
        votes = np.array([member.predict(features) for member in self._members])
        if self.objective in _MAJORITY_VOTE:
            return np.apply_along_axis(_most_common, 0, votes)
        return np.asarray(np.mean(votes, axis=0))


class BoosterScorer:
    """One booster, cut at its best iteration if it stopped early."""

    def __init__(self, booster: xgboost.Booster) -> None:
        self._booster = booster
        learner = json.loads(booster.save_config())["learner"]
        self.objective: str = learner["objective"]["name"]
        self.class_count = int(learner["learner_model_param"]["num_class"])
        self.width: int = booster.num_features()
        self._rounds = _rounds(booster, learner["gradient_booster"])
        # The engine has no such call for gblinear, and for dart one that sums in another order.
        self._dense_allowed = learner["gradient_booster"]["name"] == "gbtree"
        self._dense = _DenseCall(booster, self._rounds)

    def predict(self, features: Features) -> Predictions:
        if isinstance(features, np.ndarray):
            missing = self.width - features.shape[1]
            if self._dense_allowed and missing >= 0:
                return self._dense(_widened(features, missing) if missing else features)
            features = xgboost.DMatrix(features)
        return np.asarray(
            self._booster.predict(features, iteration_range=(0, self._rounds), validate_features=False)
        )


class _DenseCall:
    """XGBoosterPredictFromDense with everything that does not change between calls made once."""

    def __init__(self, booster: xgboost.Booster, rounds: int) -> None:
        self._handle = booster.handle
        self._booster = booster  # the handle lives as long as this object
        self._config = json.dumps(
            {
                "type": 0,
                "training": False,
                "iteration_begin": 0,
                "iteration_end": rounds,
                "missing": float("nan"),
                "strict_shape": False,
                "cache_id": 0,
            }
        ).encode()
        self._shape = ctypes.POINTER(c_bst_ulong)()
        self._dimensions = c_bst_ulong()
        self._values = ctypes.POINTER(ctypes.c_float)()
        self._outputs = (
            ctypes.byref(self._shape),
            ctypes.byref(self._dimensions),
            ctypes.byref(self._values),
        )

    def __call__(self, matrix: Matrix) -> Predictions:
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        _check_call(
            _LIB.XGBoosterPredictFromDense(
                self._handle, _array_interface(matrix), self._config, None, *self._outputs
            )
        )
        shape = self._shape[: self._dimensions.value]
        if len(shape) == 1 and shape[0] == 1:
            return np.array([self._values[0]], dtype=np.float32)
        # The buffer is the engine's own and is overwritten by the next call.
        return np.ctypeslib.as_array(self._values, shape=tuple(shape)).copy()


def _array_interface(matrix: Matrix) -> bytes:
    rows, columns = matrix.shape
    address = matrix.__array_interface__["data"][0]
    return b'{"data":[%d,true],"shape":[%d,%d],"typestr":"<f4","version":3}' % (address, rows, columns)


def _widened(matrix: Matrix, missing: int) -> Matrix:
    """Fewer columns than the model's are accepted: the rest is missing."""
    return np.pad(matrix, ((0, 0), (0, missing)), constant_values=np.nan)


def _rounds(booster: xgboost.Booster, gradient_booster: dict[str, Any]) -> int:
    """How many rounds predict; 0 means all."""
    limit = booster.attr("best_ntree_limit")
    return int(limit) // _parallel_trees(gradient_booster) if limit is not None else 0


def _parallel_trees(gradient_booster: dict[str, Any]) -> int:
    if gradient_booster["name"] == "dart":
        gradient_booster = gradient_booster["gbtree"]
    parameters = gradient_booster.get("gbtree_model_param", {})
    return max(int(parameters.get("num_parallel_tree", 1)), 1)


def _most_common(votes: npt.NDArray[np.float32]) -> np.float32:
    """The most frequent value, the smallest of several."""
    values, counts = np.unique(votes, return_counts=True)
    return np.float32(values[np.argmax(counts)])
