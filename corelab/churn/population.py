"""Draws customers of a made-up telephone company, and whether each of them leaves within the next month.

    contract, plan, payment, region ──▶ charges, use, service ──▶ mood ──▶ chance of leaving ──▶ churn
                                                                  (never shown)   (outcome.py)

The same seed gives the same customers everywhere. All of it is fiction: no row describes a person.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from corelab.churn.outcome import leaving_probability
from corelab.errors import BadArgument

SEED: Final = 2271  # its splits come closest to what the whole population shows
CONTRACTS: Final = ("month-to-month", "one-year", "two-year")
PLANS: Final = ("basic", "plus", "premium")
PAYMENTS: Final = ("card", "bank transfer", "electronic check", "mailed check")
REGIONS: Final = ("north", "south", "east", "west", "islands")
FEATURES: Final = (
    "age", "tenure_months", "contract", "plan", "payment", "region", "monthly_charge", "total_charge",
    "usage_gb", "devices", "add_ons", "months_to_discount_end", "support_calls", "late_payments",
    "outage_hours", "satisfaction",
)  # fmt: skip

Array = npt.NDArray[Any]
Columns = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Market:
    """What may change from one month to another while the company stays the same."""

    price: float = 1.0  # factor on every monthly charge
    outage: float = 1.0  # factor on hours without service
    discounted: float = 0.55  # share of customers whose discount still runs
    rival: float = 0.0  # a rival's offer, added to the log odds of customers who can leave any month


STEADY: Final = Market()
DRIFTED: Final = Market(price=1.12, outage=1.8, discounted=0.30, rival=0.7)


@dataclass(frozen=True, slots=True)
class Population:
    """Customers as a company would record them, and the chance of leaving that only the generator knows."""

    customers: pd.DataFrame
    probability: Array


def generate(seed: int = SEED, customers: int = 10_000, market: Market = STEADY) -> pd.DataFrame:
    """Draw ``customers`` rows: ``customer_id``, the 16 ``FEATURES`` and ``churn`` (0 or 1)."""
    return simulate(seed, customers, market).customers


def seed_for(student: str) -> int:
    """A seed of one's own, so that every student of a class can have other customers."""
    return int.from_bytes(hashlib.sha256(student.strip().lower().encode()).digest()[:4], "big")


def simulate(
    seed: int = SEED,
    customers: int = 10_000,
    market: Market = STEADY,
    *,
    label_key: int = 0,
    initial: str = "C",
) -> Population:
    """Draw customers together with their true chance of leaving.

    Args:
        label_key: a second seed, for the coin that decides who leaves; a grader's secret for unlabelled data.
        initial: first letter of the customer ids.

    Raises:
        BadArgument: a negative seed or key, or no customers.
    """
    if min(seed, label_key) < 0 or customers < 1:
        raise BadArgument(
            f"expected seed >= 0, label_key >= 0 and customers >= 1, got {seed}, {label_key} and {customers}"
        )
    rng = np.random.default_rng(seed)
    columns = _draw(rng, customers, market)
    probability = leaving_probability(columns, market.rival)
    coin = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(label_key,))).random(customers)
    frame = pd.DataFrame(_as_recorded(rng, columns))[list(FEATURES)]
    width = max(5, len(str(customers)))
    frame.insert(0, "customer_id", [f"{initial}{number:0{width}d}" for number in range(1, customers + 1)])
    frame["churn"] = (coin < probability).astype(int)
    return Population(frame, probability)


def _draw(rng: np.random.Generator, customers: int, market: Market) -> Columns:
    """Every column complete, levels as codes, with ``mood``, which the company never sees."""
    columns: Columns = {
        "contract": rng.choice(3, customers, p=[0.52, 0.26, 0.22]),
        "plan": rng.choice(3, customers, p=[0.42, 0.36, 0.22]),
        "payment": rng.choice(4, customers, p=[0.36, 0.26, 0.26, 0.12]),
        "region": rng.choice(5, customers, p=[0.27, 0.26, 0.24, 0.18, 0.05]),
        "age": np.clip(np.round(rng.normal(46, 15, customers)), 18, 90).astype(int),
        "mood": rng.normal(0, 1, customers),
    }
    columns |= _subscription(rng, columns, market)
    columns |= _service(rng, columns, market)
    return columns


def _subscription(rng: np.random.Generator, columns: Columns, market: Market) -> Columns:
    contract, plan = columns["contract"], columns["plan"]
    count = len(plan)
    centre, spread = np.array([2.5, 3.45, 3.85])[contract], np.array([1.0, 0.65, 0.5])[contract]
    tenure = np.floor(np.clip(np.exp(rng.normal(centre, spread)), 0, 120)).astype(int)
    devices = 1 + rng.poisson(np.array([0.8, 1.6, 2.6])[plan])
    add_ons = rng.binomial(6, np.array([0.15, 0.30, 0.50])[plan])
    discount = np.where(rng.random(count) < market.discounted, rng.integers(1, 25, count), 0)
    list_price = np.array([27.0, 45.0, 68.0])[plan] + 5.5 * add_ons + 2 * devices - 8 * (discount > 0)
    monthly = np.round(np.clip(list_price + rng.normal(0, 5, count), 12, None) * market.price, 2)
    # Past bills were not all like the present one.
    total = np.round(tenure * monthly * np.clip(rng.normal(1, 0.06, count), 0.7, 1.3), 2)
    return {
        "tenure_months": tenure, "devices": devices, "add_ons": add_ons, "months_to_discount_end": discount,
        "monthly_charge": monthly, "total_charge": total,
    }  # fmt: skip


def _service(rng: np.random.Generator, columns: Columns, market: Market) -> Columns:
    plan, mood, count = columns["plan"], columns["mood"], len(columns["plan"])
    usual = np.array([3.6, 4.1, 4.5])[plan] + 0.06 * (columns["devices"] - 2)
    usage = np.round(np.exp(rng.normal(usual, 0.75)), 1)
    scale = np.array([2.0, 2.4, 2.0, 3.0, 6.5])[columns["region"]] * market.outage
    outage = np.round(rng.gamma(1.3, scale), 1)
    calls = rng.poisson(np.exp(0.15 + 0.06 * np.minimum(outage, 15) - 0.38 * mood))
    late = rng.poisson(np.array([0.25, 0.3, 0.9, 1.1])[columns["payment"]])
    satisfaction = np.round(np.clip(6.6 + 1.5 * mood - 0.09 * outage + rng.normal(0, 0.8, count), 1, 10), 1)
    return {
        "usage_gb": usage, "outage_hours": outage, "support_calls": calls, "late_payments": late,
        "satisfaction": satisfaction,
    }  # fmt: skip


def _as_recorded(rng: np.random.Generator, columns: Columns) -> dict[str, object]:
    """What the company's table holds: names for levels, and gaps that say something about the customer."""
    count = len(columns["plan"])
    unhappy, recent = columns["satisfaction"] < 5, columns["tenure_months"] < 12
    no_answer = 1 / (1 + np.exp(1.27 - 0.5 * unhappy - 0.5 * recent + 0.25 * columns["mood"]))
    no_meter = np.array([0.02, 0.02, 0.03, 0.03, 0.30])[columns["region"]]
    gaps = {
        "satisfaction": rng.random(count) < no_answer,
        "outage_hours": rng.random(count) < no_meter,
        "usage_gb": rng.random(count) < 0.015,
        "total_charge": columns["tenure_months"] == 0,
    }
    levels = {"contract": CONTRACTS, "plan": PLANS, "payment": PAYMENTS, "region": REGIONS}
    shown: dict[str, object] = {name: column for name, column in columns.items() if name != "mood"}
    shown |= {name: np.array(names, dtype=object)[columns[name]] for name, names in levels.items()}
    shown |= {name: np.where(gap, np.nan, columns[name]) for name, gap in gaps.items()}
    return shown
