"""Search spaces: AWS's ParameterRanges as numbers, and sampled values as AWS writes them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from corelab.errors import validation_error

Value = int | float | str

LINEAR, LOGARITHMIC, REVERSE = "Linear", "Logarithmic", "ReverseLogarithmic"
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INT64 = 2**63
# From this many times the lower bound on, Auto counts orders of magnitude instead of units.
_AUTO_RATIO = 1000


@dataclass(frozen=True, slots=True)
class IntegerRange:
    """Whole numbers from ``low`` to ``high``, both included."""

    name: str
    low: int
    high: int
    scaling: str = "Auto"
    kind = "Integer"

    @property
    def scale(self) -> str:
        return LOGARITHMIC if _spans_magnitudes(self) else LINEAR

    @property
    def combinations(self) -> float:
        return float(self.high - self.low + 1)

    def texts(self) -> Iterable[str]:
        return map(str, range(self.low, self.high + 1))

    def read(self, text: str) -> int | None:
        """The value a text stands for; None when it is none of this range's."""
        value = int(text) if _INTEGER.fullmatch(text) else None
        return value if value is not None and self.low <= value <= self.high else None


@dataclass(frozen=True, slots=True)
class ContinuousRange:
    """Floating-point numbers from ``low`` to ``high``, both included."""

    name: str
    low: float
    high: float
    scaling: str = "Auto"
    kind = "Continuous"

    @property
    def scale(self) -> str:
        if self.scaling == REVERSE:
            return REVERSE
        return LOGARITHMIC if _spans_magnitudes(self) else LINEAR

    @property
    def combinations(self) -> float:
        return 1.0 if self.low == self.high else math.inf

    def read(self, text: str) -> float | None:
        """The value a text stands for; None when it is none of this range's."""
        value = float(text) if _NUMBER.fullmatch(text) else None
        return value if value is not None and self.low <= value <= self.high else None


@dataclass(frozen=True, slots=True)
class CategoricalRange:
    """Texts to choose from, each once, in the request's order."""

    name: str
    values: tuple[str, ...]
    kind = "Categorical"

    @property
    def combinations(self) -> float:
        return float(len(self.values))

    def texts(self) -> Iterable[str]:
        return self.values

    def read(self, text: str) -> str | None:
        return text if text in self.values else None


Range = IntegerRange | ContinuousRange | CategoricalRange


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The ranges of one training job definition: integers first, then continuous, then categorical."""

    ranges: tuple[Range, ...]

    @classmethod
    def parse(cls, ranges: Mapping[str, Any]) -> SearchSpace:
        """Read AWS's ``ParameterRanges``, already validated by the service model.

        Raises:
            AWSError: ValidationException for bounds that are no numbers, in the wrong order, or outside what
                their scale can show, and for a name given twice (Service spec 6.1).
        """
        parsed: list[Range] = [
            *(_integer(entry) for entry in ranges.get("IntegerParameterRanges", ())),
            *(_continuous(entry) for entry in ranges.get("ContinuousParameterRanges", ())),
            *(_categorical(entry) for entry in ranges.get("CategoricalParameterRanges", ())),
        ]
        repeated = [name for name, count in Counter(r.name for r in parsed).items() if count > 1]
        if repeated:
            raise validation_error(
                f"The hyperparameters {_listed(repeated)} have more than one range. Give each one range."
            )
        return cls(tuple(parsed))

    def __iter__(self) -> Iterator[Range]:
        return iter(self.ranges)

    def __len__(self) -> int:
        return len(self.ranges)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.ranges)

    @property
    def combinations(self) -> float:
        """How many different points there are: ``inf`` with a continuous range."""
        return math.prod(entry.combinations for entry in self.ranges)

    def cells(self) -> Iterator[dict[str, str]]:
        """Every rendered point of a space without continuous ranges, the last range turning fastest."""
        values = [entry.texts() for entry in self.ranges if not isinstance(entry, ContinuousRange)]
        return (dict(zip(self.names, cell, strict=True)) for cell in product(*values))

    def read(self, tuned: Mapping[str, str]) -> dict[str, Value] | None:
        """The point that rendered values stand for; None when one is missing or outside its range."""
        point: dict[str, Value] = {}
        for entry in self.ranges:
            value = entry.read(tuned[entry.name]) if entry.name in tuned else None
            if value is None:
                return None
            point[entry.name] = value
        return point


def render(value: Value) -> str:
    """A value as a training job gets it: integers without a point, floats in their shortest exact form."""
    return value if isinstance(value, str) else repr(value)


def is_number(text: str) -> bool:
    """Whether a text is a finite number as AWS's bounds write them."""
    return _NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


def _spans_magnitudes(entry: IntegerRange | ContinuousRange) -> bool:
    if entry.scaling != "Auto":
        return entry.scaling == LOGARITHMIC
    return entry.low > 0 and entry.high / entry.low >= _AUTO_RATIO


def _integer(entry: Mapping[str, Any]) -> IntegerRange:
    name, scaling = entry["Name"], entry.get("ScalingType", "Auto")
    if scaling == REVERSE:
        raise validation_error(
            f"The ScalingType of the integer hyperparameter {name} is ReverseLogarithmic, which is supported for "
            "continuous hyperparameters only. Use Auto, Linear or Logarithmic."
        )
    low, high = (_whole(name, bound, entry[bound]) for bound in ("MinValue", "MaxValue"))
    _check_bounds(name, scaling, low, high)
    return IntegerRange(name, low, high, scaling)


def _continuous(entry: Mapping[str, Any]) -> ContinuousRange:
    name, scaling = entry["Name"], entry.get("ScalingType", "Auto")
    low, high = (_real(name, bound, entry[bound]) for bound in ("MinValue", "MaxValue"))
    _check_bounds(name, scaling, low, high)
    if not math.isfinite(high - low):
        raise validation_error(f"The range of the hyperparameter {name} is too wide: {low} to {high}.")
    if scaling == REVERSE and not (low >= 0 and high < 1):
        raise validation_error(
            f"The range of the hyperparameter {name} is {low} to {high}, but ReverseLogarithmic scaling needs values "
            "from 0 up to, but not including, 1."
        )
    return ContinuousRange(name, low, high, scaling)


def _categorical(entry: Mapping[str, Any]) -> CategoricalRange:
    return CategoricalRange(entry["Name"], tuple(dict.fromkeys(entry["Values"])))


def _whole(name: str, bound: str, text: str) -> int:
    if not _INTEGER.fullmatch(text) or not -_INT64 <= int(text) < _INT64:
        raise validation_error(
            f"The {bound} of the integer hyperparameter {name} is '{text}'. Provide a whole number of at most 64 bits."
        )
    return int(text)


def _real(name: str, bound: str, text: str) -> float:
    if not is_number(text):
        raise validation_error(
            f"The {bound} of the continuous hyperparameter {name} is '{text}'. Provide a finite number."
        )
    return float(text)


def _check_bounds(name: str, scaling: str, low: float, high: float) -> None:
    if low > high:
        raise validation_error(
            f"The MinValue of the hyperparameter {name} is {low}, greater than its MaxValue {high}. "
            "MinValue must be less than or equal to MaxValue."
        )
    if scaling == LOGARITHMIC and low <= 0:
        raise validation_error(
            f"The MinValue of the hyperparameter {name} is {low}, but Logarithmic scaling needs values greater than 0."
        )


def _listed(names: list[str]) -> str:
    return f"[{', '.join(names)}]"
