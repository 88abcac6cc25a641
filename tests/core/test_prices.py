"""Costs follow AWS's formulas and a file that a learner can override."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.core import prices
from corelab.errors import BadArgument


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORELAB_PRICES", raising=False)


def own(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    (folder / "prices.toml").write_text(text, "utf-8")
    monkeypatch.setenv("CORELAB_PRICES", str(folder / "prices.toml"))


def test_three_instances_for_125_billable_seconds_cost_the_specified_price() -> None:
    cost = prices.training_cost("ml.m5.xlarge", 125, 3)
    assert cost == pytest.approx(375 * 0.23 / 3600)
    assert round(cost, 4) == 0.0240


def test_a_thousand_serverless_requests_of_100_ms_at_2_gb_cost_0_004() -> None:
    assert prices.serverless_cost(2048, 1000 * 0.1) == pytest.approx(0.0040)


def test_an_instance_breaks_even_at_69000_busy_seconds_a_day() -> None:
    assert prices.endpoint_cost("ml.m5.large", 24 * 3600) == pytest.approx(2.76)
    assert prices.break_even_seconds("ml.m5.large", 2048) == pytest.approx(69_000)


def test_an_endpoint_pays_for_data_and_a_job_for_its_volume() -> None:
    assert prices.endpoint_cost("ml.t3.medium", 3600, data_gb=2) == pytest.approx(0.05 + 2 * 0.016)
    with_volume = prices.training_cost("ml.m5.large", 730 * 3600, volume_gb=10)
    assert with_volume - prices.training_cost("ml.m5.large", 730 * 3600) == pytest.approx(1.4)
    assert prices.storage_cost(10, 730 * 3600) == pytest.approx(1.4)
    assert prices.serverless_cost(1024, 0, data_gb=1) == pytest.approx(0.016)


def test_spot_saves_what_was_not_billed() -> None:
    assert prices.spot_saving(100, 30) == pytest.approx(70)
    with pytest.raises(BadArgument, match="never trained"):
        prices.spot_saving(0, 0)


@given(st.floats(0, 1e7), st.floats(0, 1e7), st.integers(1, 20))
def test_cost_is_the_sum_of_its_parts(first: float, second: float, count: int) -> None:
    whole = prices.training_cost("ml.m5.large", first + second, count)
    parts = prices.training_cost("ml.m5.large", first, count) + prices.training_cost(
        "ml.m5.large", second, count
    )
    assert whole == pytest.approx(parts)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "60", True])
def test_an_amount_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(BadArgument, match="billable_seconds must be a number from 0 up"):
        prices.training_cost("ml.m5.large", seconds)


@pytest.mark.parametrize("memory", [0, 512, 1500, 8192])
def test_a_memory_size_that_aws_does_not_offer_is_refused(memory: int) -> None:
    with pytest.raises(BadArgument, match=r"1024, 2048, 3072"):
        prices.serverless_cost(memory, 1)


def test_an_instance_without_a_price_is_refused_and_the_priced_are_named() -> None:
    with pytest.raises(BadArgument, match=r"ml\.m5\.large.*CORELAB_PRICES"):
        prices.training_cost("ml.p9.huge", 1)
    with pytest.raises(BadArgument, match=r"ml\.t3\.medium"):
        prices.training_cost("ml.t3.medium", 1)


def test_own_lines_win_and_the_others_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own(
        monkeypatch,
        tmp_path,
        'region = "eu-west-1"\n[instance_hour]\n"ml.m5.large" = 1.0\n"ml.p9.huge" = 2\n',
    )
    assert prices.training_cost("ml.m5.large", 3600) == 1.0
    assert prices.training_cost("ml.p9.huge", 3600) == 2.0
    assert prices.training_cost("ml.m5.xlarge", 3600) == 0.23
    assert prices.load_prices().region == "eu-west-1"
    monkeypatch.delenv("CORELAB_PRICES")
    assert prices.training_cost("ml.m5.large", 3600) == 0.115


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[instance_hour", "not a TOML file"),
        ("[instances]\n", "has 'instances'; a price file has region"),
        ('[instance_hour]\n"ml.m5.large" = "cheap"\n', "must be a number from 0 up, not 'cheap'"),
        ('[instance_hour]\n"ml.m5.large" = -1\n', "must be a number from 0 up"),
        ("serverless = 3\n", "must be a table of prices"),
    ],
)
def test_a_price_file_that_cannot_be_used_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, reason: str
) -> None:
    own(monkeypatch, tmp_path, text)
    with pytest.raises(BadArgument, match=reason):
        prices.load_prices()


def test_a_price_file_that_is_not_there_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CORELAB_PRICES", str(tmp_path / "none.toml"))
    with pytest.raises(BadArgument, match="CORELAB_PRICES names"):
        prices.load_prices()
