"""Checks of predictions, judged against labels the check itself looks up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corelab import churn
from corelab.checks.outcome import CheckFailed, check

AUC_WINDOW = (0.78, 0.88)


@check
def probabilities(values: Any, rows: int) -> str:
    """The predictions are probabilities, one a customer."""
    numbers = _numbers(values)
    if len(numbers) != rows:
        raise CheckFailed(
            f"{rows} predictions", f"{len(numbers)}", "predict for each customer of the part once"
        )
    if not np.isfinite(numbers).all() or numbers.min() < 0 or numbers.max() > 1:
        hint = 'use objective "binary:logistic", which predicts the chance of label 1'
        raise CheckFailed("numbers from 0 to 1", f"{numbers.min():g} to {numbers.max():g}", hint)
    if len(np.unique(numbers)) < 3:
        raise CheckFailed("a chance for each customer", "0 and 1 only", "keep the chance, do not round it")
    return f"mean {numbers.mean():.3f}"


@check
def ranking(values: Any, customer_ids: Sequence[Any], claimed: float | None = None) -> str:
    """The model ranks customers it never saw about as well as the data allow."""
    auc = area_under_curve(_numbers(values), _labels(customer_ids))
    low, high = AUC_WINDOW
    if auc > high:
        hint = (
            "no model can know this much: does a feature hold the label, or were these customers trained on?"
        )
        raise CheckFailed(f"AUC up to {high}", f"{auc:.3f}", hint)
    if auc < low:
        hint = "are rows and predictions in the same order, and columns in the order of training?"
        raise CheckFailed(f"AUC of at least {low}", f"{auc:.3f}", hint)
    if claimed is not None and not abs(float(claimed) - auc) < 0.002:
        raise CheckFailed(
            f"the AUC of these predictions, {auc:.4f}", f"{claimed}", "compute it from this part"
        )
    return f"AUC {auc:.3f}"


@check
def learning_curve(history: Any) -> str:
    """The learning curve has both parts, and the model learned."""
    if not isinstance(history, dict) or not {"train", "validation"} <= set(history):
        got = list(history) if isinstance(history, dict) else type(history).__name__
        raise CheckFailed("the parts train and validation", got, "name both in evals=, give evals_result=")
    curves = {name: _numbers(next(iter(history[name].values()), [])) for name in ("train", "validation")}
    lengths = {len(curve) for curve in curves.values()}
    if len(lengths) != 1 or lengths.pop() < 10:
        got = ", ".join(f"{name} {len(curve)}" for name, curve in curves.items())
        raise CheckFailed("one value a round, at least 10 rounds", got, "give num_boost_round")
    validation = curves["validation"]
    if "auc" not in history["validation"] or not validation.max() > validation[0]:
        raise CheckFailed("an AUC that rises", list(history["validation"]), 'give "eval_metric": "auc"')
    return f"validation AUC {validation[0]:.3f} to {validation[-1]:.3f}"


@check
def same_predictions(first: Any, second: Any) -> str:
    """Both models predict the same."""
    one, two = _numbers(first), _numbers(second)
    if one.shape != two.shape:
        raise CheckFailed(f"{len(one)} predictions from both", f"{len(two)}", "predict for the same rows")
    gap = float(np.abs(one - two).max())
    if not gap < 1e-5:
        hint = "same rows, same column order, same missing values, same file?"
        raise CheckFailed("no difference above 0.00001", f"{gap:.5f}", hint)
    return f"{len(one):,} customers"


@check
def file_written(path: str | Path, least: int = 100) -> str:
    """The file is there."""
    file = Path(path)
    if not file.is_file():
        raise CheckFailed(f"a file {file.name}", "no such file", "run the cell that writes it")
    size = file.stat().st_size
    if size < least:
        raise CheckFailed(f"at least {least} bytes", f"{size}", "was it written to the end?")
    return f"{file.name}, {size:,} bytes"


def area_under_curve(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """The chance that a leaver scores above a stayer, ties counting half."""
    _, rank, count = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2
    left = labels == 1
    leavers, stayers = int(left.sum()), int((~left).sum())
    if not leavers or not stayers:
        raise CheckFailed("customers of both labels", f"{leavers} leavers", "judge on a whole part")
    return float((middle[rank][left].sum() - leavers * (leavers + 1) / 2) / (leavers * stayers))


def _labels(customer_ids: Sequence[Any]) -> npt.NDArray[Any]:
    known = churn.load().set_index("customer_id")["churn"]
    strangers = [identity for identity in customer_ids if identity not in known.index]
    if strangers:
        raise CheckFailed("customers of the course", strangers[0], "give the customer_id of each row")
    return np.asarray(known.loc[list(customer_ids)])


def _numbers(values: Any) -> npt.NDArray[Any]:
    try:
        return np.asarray(values, dtype=float).reshape(-1)
    except (TypeError, ValueError):
        raise CheckFailed("numbers", type(values).__name__, "give an array or a list") from None
