"""Selectable inference: the answer's fields by name, as an environment variable asks (container spec 4.5)."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

from corelab.engine.xgb.serve.records import encode_records

Raw = Any  # one prediction: a float, or a list of floats for multi:softprob
Selected = dict[str, Any]

_SCORE_ONLY = ("predicted_score",)
_LABELLED = ("predicted_label", "labels", "raw_score", "raw_scores")
_PROBABLE = ("predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores")

VALID_KEYS: dict[str, tuple[str, ...]] = {
    "reg:squarederror": _SCORE_ONLY,
    "reg:logistic": _SCORE_ONLY,
    "reg:gamma": _SCORE_ONLY,
    "reg:tweedie": _SCORE_ONLY,
    "reg:absoluteerror": _SCORE_ONLY,
    "binary:logistic": _PROBABLE,
    "multi:softprob": _PROBABLE,
    "binary:logitraw": _LABELLED,
    "binary:hinge": _LABELLED,
    "multi:softmax": _LABELLED,
}

logger = logging.getLogger(__name__)


class Unselectable(ValueError):
    """The objective has no named outputs, or the type no form for them; the text is the answer (500)."""


def select(
    predictions: Sequence[Raw], keys: Sequence[str], objective: str, class_count: int
) -> list[Selected]:
    """One dict a prediction, keys in the container's fixed order, unknown ones last and NaN.

    Raises:
        Unselectable: the objective is in no row of the container's table.
    """
    valid = VALID_KEYS.get(objective)
    if valid is None:
        raise Unselectable(f"Objective `{objective}` unsupported for selectable inference predictions.")
    unknown = [key for key in dict.fromkeys(keys) if key not in valid]
    if unknown:
        logger.warning(
            "Selected key(s) %s incompatible for objective '%s'. "
            "Please use list of compatible selectable inference predictions: %s",
            unknown,
            objective,
            list(valid),
        )
    makers = [(key, _maker(key, objective, class_count)) for key in valid if key in keys]
    makers += [(key, _not_a_number) for key in unknown]
    return [{key: make(raw) for key, make in makers} for raw in predictions]


def _maker(key: str, objective: str, class_count: int) -> Callable[[Raw], Any]:
    several = objective == "multi:softprob"
    if key == "predicted_label":
        return _LABEL_MAKERS.get(objective, _itself)
    if key == "labels":
        labels = list(range(class_count)) if objective.startswith("multi:") else [0, 1]
        return lambda raw: labels
    if key in ("probability", "raw_score"):
        return max if several else _itself
    if key in ("probabilities", "raw_scores"):
        # The container treats margins and class labels as if they were probabilities too.
        return _itself if several else _both_sides
    return _itself


def _itself(raw: Raw) -> Any:
    return raw


def _both_sides(raw: float) -> list[float]:
    return [1.0 - raw, raw]


def _not_a_number(raw: Raw) -> float:
    return math.nan


_LABEL_MAKERS: dict[str, Callable[[Raw], Any]] = {
    "binary:logistic": lambda raw: int(raw > 0.5),
    "binary:logitraw": lambda raw: int(raw > 0),
    "multi:softprob": lambda raw: raw.index(max(raw)),
}


def encode_selected(selected: list[Selected], keys: Sequence[str], accept: str) -> bytes:
    """The chosen fields as JSON, JSON lines, RecordIO-protobuf or CSV.

    In RecordIO each record holds its own row only. The container repeats all earlier rows before it,
    which a protobuf reader merges to the same values.
    """
    if accept == "application/json":
        return json.dumps({"predictions": selected}).encode()
    if accept == "application/jsonlines":
        return "".join(json.dumps(row) + "\n" for row in selected).encode()
    if accept == "application/x-recordio-protobuf":
        return encode_records(selected)
    if accept == "text/csv":
        return "\n".join(",".join(_csv_cell(row[key]) for key in keys) for row in selected).encode()
    raise Unselectable(f"Cannot encode selected predictions into accept type {accept}.")


def _csv_cell(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
