"""Why customers leave: main effects any model finds, and interactions that take trees of some depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

INTERCEPT = -0.82
STRENGTH = 1.04


def leaving_probability(columns: Mapping[str, Array], rival: float = 0.0) -> Array:
    """The chance of leaving within a month, one float a customer, from complete columns of level codes."""
    effects = _single(columns) + _service(columns) + _value(columns)
    log_odds = INTERCEPT + STRENGTH * effects + rival * (columns["contract"] == 0)
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _above(values: Array, at: float, width: float) -> Array:
    """A soft step: 0 well below ``at``, 1 well above."""
    return np.asarray(1 / (1 + np.exp(-(values - at) / width)))


def _single(columns: Mapping[str, Array]) -> Array:
    """What each column does by itself."""
    return np.asarray(
        np.array([0.75, -0.45, -1.1])[columns["contract"]]
        - 0.42 * np.log1p(columns["tenure_months"])
        + 0.012 * (columns["monthly_charge"] - 55)
        + 0.25 * np.minimum(columns["late_payments"], 4)
        - 0.16 * (columns["satisfaction"] - 6.5)
        + 0.03 * columns["outage_hours"]
    )


def _service(columns: Mapping[str, Array]) -> Array:
    """Bad service hurts those who feel it: heavy users, islanders, callers whose problem stayed."""
    calls, satisfaction = columns["support_calls"], columns["satisfaction"]
    calling, outage = _above(calls, 2.5, 0.35), _above(columns["outage_hours"], 5, 1.0)
    electronic_check = columns["payment"] == 2
    return np.asarray(
        1.6 * calling * _above(-satisfaction, -6, 0.4)
        - 0.9 * calling * _above(satisfaction, 7.5, 0.3)
        + 1.0 * outage * _above(columns["usage_gb"], 60, 12)
        - 0.6 * outage * _above(-columns["usage_gb"], -30, 6)
        + 1.2 * outage * (columns["region"] == 4)
        + 1.1 * electronic_check * (columns["late_payments"] >= 2)
        - 0.8 * (columns["payment"] == 0) * (columns["late_payments"] >= 1)
    )


def _value(columns: Mapping[str, Array]) -> Array:
    """A price is too high or fair by what is used, what was promised and for how long one is bound."""
    plan, monthly = columns["plan"], columns["monthly_charge"]
    relative_use = np.log(np.maximum(columns["usage_gb"], 0.1) / np.array([37.0, 60.0, 90.0])[plan])
    misfit = np.tanh(1.3 * np.array([1.0, 0.0, -1.0])[plan] * relative_use)
    free, dear = columns["contract"] == 0, _above(monthly, 52, 5)
    months = columns["months_to_discount_end"]
    ending = (months >= 1) & (months <= 3)
    household = np.where((columns["age"] > 50) ^ (columns["devices"] >= 3), 1.0, -1.0)
    return np.asarray(
        misfit * (0.5 + 1.3 * free)
        + ending * (0.4 + 1.8 * free * dear)
        + 0.45 * household * (columns["payment"] != 1)
        + 0.9 * _above(-columns["tenure_months"], -6, 1.0) * _above(monthly, 60, 5)
        - 0.5 * (columns["age"] > 62) * (columns["add_ons"] >= 2)
        + 0.7 * (columns["add_ons"] == 0) * (plan == 2)
    )
