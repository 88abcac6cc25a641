from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from corelab import churn
from corelab.errors import BadArgument


def test_ten_thousand_customers_split_7000_1500_1500():
    part = churn.split_index(churn.load()["customer_id"])
    assert part.value_counts().to_dict() == {"train": 7000, "validation": 1500, "test": 1500}


def test_the_published_index_does_not_change():
    part = churn.split_index(churn.load()["customer_id"])
    digest = hashlib.sha256(",".join(part).encode()).hexdigest()
    assert digest == "f9263c6475aca69b453134056e1039cf405c05e0bbc94202439d7fad345e6632"


def test_the_part_of_a_customer_does_not_depend_on_the_order_of_rows():
    customers = churn.load()
    part = churn.split_index(customers["customer_id"])
    shuffled = churn.split_index(customers.sample(frac=1, random_state=3)["customer_id"])
    pd.testing.assert_series_equal(part, shuffled.sort_index())


def test_the_parts_hold_about_the_same_share_of_leavers():
    customers = churn.load()
    shares = customers["churn"].groupby(churn.split_index(customers["customer_id"])).mean()
    assert shares.max() - shares.min() < 0.01


@pytest.mark.parametrize("ids", [["A", "A"], ["A", None]])
def test_ids_must_be_there_and_differ(ids):
    with pytest.raises(BadArgument, match="one id for each customer"):
        churn.split_index(pd.Series(ids))
