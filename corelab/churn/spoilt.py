"""Training files with one mistake each, for learners to find: what colleagues send around."""

from __future__ import annotations

from typing import Final

import numpy as np

from corelab.churn.population import seed_for
from corelab.churn.table import load

FILES: Final = ("amber.csv", "basil.csv", "coral.csv", "denim.csv")
ROWS: Final = 400


def spoilt(student: str) -> dict[str, str]:
    """Text of four CSV files by name, 400 customers each; which has which mistake depends on ``student``.

    One has a header line, one the label at its end, one the words True and False, one the customers' ids.
    Everything else about them is as XGBoost's container wants it.
    """
    customers = load().head(ROWS)
    bound = customers["contract"] != "month-to-month"
    sound = customers[["churn", "tenure_months", "monthly_charge", "support_calls"]].assign(
        bound=bound.astype(int)
    )
    header = sound.to_csv(index=False)
    label_last = sound[[*sound.columns[1:], "churn"]].to_csv(index=False, header=False)
    words = sound.assign(bound=bound).to_csv(index=False, header=False)
    ids = sound.assign(id=customers["customer_id"]).to_csv(index=False, header=False)
    order = np.random.default_rng(seed_for(student)).permutation(4)
    texts = (header, label_last, words, ids)
    return {name: texts[number] for name, number in zip(FILES, order, strict=True)}
