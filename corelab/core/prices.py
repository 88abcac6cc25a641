"""What a job or an endpoint costs on AWS, by a dated price file (Service spec 10).

>>> round(training_cost("ml.m5.xlarge", billable_seconds=125, instance_count=3), 4)
0.024
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from corelab.errors import BadArgument

_HOUR = 3600.0
_MONTH = 730 * _HOUR
_MB_IN_GB = 1024
_SECTIONS = ("instance_hour", "hosting_hour", "storage", "data", "serverless")


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars a unit. ``load_prices()`` reads them."""

    region: str
    as_of: str
    source: str
    instance_hour: Mapping[str, float]
    hosting_hour: Mapping[str, float]
    storage_gb_month: float
    data_gb: float
    serverless_gb_second: float

    def hourly(self, instance_type: str, hosting: bool = False) -> float:
        """Dollars for an hour of one instance.

        Raises:
            BadArgument: for a type that the file does not price.
        """
        offered = {**self.instance_hour, **(self.hosting_hour if hosting else {})}
        if instance_type not in offered:
            raise BadArgument(
                f"No price is known for {instance_type!r}; priced are {', '.join(sorted(offered))}. "
                "Name a file with its line in CORELAB_PRICES (docs/commands.md)."
            )
        return offered[instance_type]


def load_prices() -> Prices:
    """The shipped prices, with the lines of the file named by ``CORELAB_PRICES`` over them.

    Raises:
        BadArgument: when that file is not there or not of the form of ``prices.toml``.
    """
    own = os.environ.get("CORELAB_PRICES")
    if not own:
        return _parsed(None, 0)
    path = Path(own).expanduser()
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except OSError as problem:
        raise BadArgument(
            f"CORELAB_PRICES names {path}, which cannot be read: {problem.strerror}."
        ) from problem


def training_cost(
    instance_type: str,
    billable_seconds: float,
    instance_count: int = 1,
    volume_gb: float = 0.0,
    prices: Prices | None = None,
) -> float:
    """Dollars for a training or transform job: instances and volumes, by the second.

    Args:
        billable_seconds: DescribeTrainingJob's ``BillableTimeInSeconds``, of one instance.
        volume_gb: storage attached to each instance.
    """
    rates = prices or load_prices()
    seconds = _amount(billable_seconds, "billable_seconds") * _amount(instance_count, "instance_count")
    return rates.hourly(instance_type) * seconds / _HOUR + storage_cost(volume_gb, seconds, rates)


transform_cost = training_cost


def endpoint_cost(
    instance_type: str,
    seconds: float,
    instance_count: int = 1,
    data_gb: float = 0.0,
    prices: Prices | None = None,
) -> float:
    """Dollars for an endpoint on instances, used or not, from InService until it is deleted.

    Args:
        data_gb: gigabytes in and out together.
    """
    rates = prices or load_prices()
    hours = _amount(seconds, "seconds") * _amount(instance_count, "instance_count") / _HOUR
    return rates.hourly(instance_type, hosting=True) * hours + rates.data_gb * _amount(data_gb, "data_gb")


def serverless_cost(
    memory_mb: int, busy_seconds: float, data_gb: float = 0.0, prices: Prices | None = None
) -> float:
    """Dollars for a serverless endpoint: only the time spent on requests counts.

    Args:
        memory_mb: the endpoint's memory size, 1024 to 6144.
        busy_seconds: the durations of all requests, summed.
        data_gb: gigabytes in and out together.
    """
    rates = prices or load_prices()
    return rates.serverless_gb_second * _gigabytes(memory_mb) * _amount(
        busy_seconds, "busy_seconds"
    ) + rates.data_gb * _amount(data_gb, "data_gb")


def storage_cost(gb: float, seconds: float, prices: Prices | None = None) -> float:
    """Dollars for ML storage held for a time; a month is 730 hours."""
    rates = prices or load_prices()
    return rates.storage_gb_month * _amount(gb, "gb") * _amount(seconds, "seconds") / _MONTH


def break_even_seconds(instance_type: str, memory_mb: int, prices: Prices | None = None) -> float:
    """Busy seconds a day from which one always-on instance is cheaper than serverless."""
    rates = prices or load_prices()
    return endpoint_cost(instance_type, 24 * _HOUR, prices=rates) / serverless_cost(
        memory_mb, 1.0, prices=rates
    )


def spot_saving(training_seconds: float, billable_seconds: float) -> float:
    """The part of a spot job's time that was not billed, in percent."""
    if _amount(training_seconds, "training_seconds") == 0:
        raise BadArgument("training_seconds must be more than 0: a job that never trained saves nothing.")
    return (1 - _amount(billable_seconds, "billable_seconds") / training_seconds) * 100


def _amount(value: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise BadArgument(f"{what} must be a number from 0 up, not {value!r}.")
    return value


def _gigabytes(memory_mb: int) -> float:
    if _amount(memory_mb, "memory_mb") not in range(1024, 6145, 1024):
        raise BadArgument(f"memory_mb must be 1024, 2048, 3072, 4096, 5120 or 6144, not {memory_mb!r}.")
    return memory_mb / _MB_IN_GB


@lru_cache(maxsize=4)
def _parsed(own: Path | None, _changed: int) -> Prices:
    book = tomllib.loads(resources.files("corelab.core").joinpath("prices.toml").read_text("utf-8"))
    if own is not None:
        _lay_over(book, own)
    return Prices(
        region=str(book["region"]),
        as_of=str(book["as_of"]),
        source=str(book["source"]),
        instance_hour=book["instance_hour"],
        hosting_hour=book["hosting_hour"],
        storage_gb_month=book["storage"]["gb_month"],
        data_gb=book["data"]["gb"],
        serverless_gb_second=book["serverless"]["gb_second"],
    )


def _lay_over(book: dict[str, Any], own: Path) -> None:
    try:
        lines = tomllib.loads(own.read_text("utf-8"))
    except ValueError as problem:  # not TOML, or not text
        raise BadArgument(f"{own} is not a TOML file: {problem}.") from problem
    for name, value in lines.items():
        if name not in book:
            raise BadArgument(f"{own} has {name!r}; a price file has {', '.join(book)}.")
        if name in _SECTIONS:
            book[name].update(_rates(value, f"{own}: {name}"))
        else:
            book[name] = value


def _rates(section: Any, where: str) -> Mapping[str, float]:
    if not isinstance(section, dict):
        raise BadArgument(f"{where} must be a table of prices, not {section!r}.")
    return {name: _amount(value, f"{where}, {name}") for name, value in section.items()}
