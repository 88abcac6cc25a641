"""Rules between hyperparameters, in the container's words (Container spec 1.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from corelab.engine.xgb.failures import UserError

_LINEAR = ("shotgun", "coord_descent")
_GROWING = ("grow_colmaker", "distcol", "grow_histmaker")

Values = Mapping[str, Any]


def check(values: Values) -> dict[str, Any]:
    """The same values, each after those it depends on.

    Raises:
        UserError: the first rule broken, in the user's order.
        KeyError: ``eval_metric`` without ``objective``.
    """
    checked: dict[str, Any] = {}
    for name in values:
        _visit(name, values, checked)
    return checked


def _visit(name: str, values: Values, checked: dict[str, Any]) -> None:
    if name in checked:
        return
    needed, rule = _RULES.get(name, ((), None))
    for other in needed:
        if other in values:
            _visit(other, values, checked)
    if rule is not None:
        rule(values[name], checked)
    checked[name] = values[name]


def _objective(value: str, others: Values) -> None:
    if value in ("multi:softmax", "multi:softprob") and others.get("num_class") is None:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _eval_metric(value: list[str], others: Values) -> None:
    objective = others["objective"]  # the container's KeyError when there is none
    if "auc" in value and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in value and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _monotone(value: Any, others: Values) -> None:
    if others.get("tree_method") not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to "
            "either 'exact' or 'hist'."
        )


def _interaction(value: Any, others: Values) -> None:
    if others.get("tree_method") not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )


def _updater(value: list[str], others: Values) -> None:
    if others.get("booster") == "gblinear":
        if len(value) != 1 or value[0] not in _LINEAR:
            raise UserError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif others.get("process_type") == "update":
        if not set(value) <= {"refresh", "prune"}:
            raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif set(value) & set(_LINEAR):
        raise UserError(
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'."
        )
    elif sum(name in _GROWING for name in value) > 1:
        raise UserError(
            "Only one tree grow plugin can be selected. Choose one from thefollowing: "
            "'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_skmaker'"
        )


_RULES: Mapping[str, tuple[tuple[str, ...], Callable[[Any, Values], None]]] = {
    "objective": (("num_class",), _objective),
    "eval_metric": (("objective",), _eval_metric),
    "monotone_constraints": (("tree_method",), _monotone),
    "interaction_constraints": (("tree_method",), _interaction),
    "updater": (("booster", "process_type"), _updater),
}
