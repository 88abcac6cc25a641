"""Customers of a made-up telephone company and whether they leave: the course's data (CC0).

from corelab import churn
customers = churn.load()                                  # 10,000 rows, see DATA_CARD.md
part = churn.split_index(customers["customer_id"])        # train, validation or test
"""

from __future__ import annotations

from corelab.churn.population import DRIFTED, FEATURES, SEED, STEADY, Market, generate, seed_for, simulate
from corelab.churn.split import split_index
from corelab.churn.spoilt import spoilt
from corelab.churn.table import batch, batch_labels, load, write

__all__ = [
    "DRIFTED",
    "FEATURES",
    "SEED",
    "STEADY",
    "Market",
    "batch",
    "batch_labels",
    "generate",
    "load",
    "seed_for",
    "simulate",
    "split_index",
    "spoilt",
    "write",
]
