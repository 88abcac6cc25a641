"""What an algorithm lets a tuning job search: its tunable hyperparameters and objective metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from corelab.errors import AWSError, validation_error
from corelab.tuning.space import CategoricalRange, Range, SearchSpace


@dataclass(frozen=True, slots=True)
class Tunable:
    """A hyperparameter that may be tuned.

    Attributes:
        kind: ``integer`` or ``continuous``.
        legal: the values the algorithm accepts, as an interval such as ``(0, 1]`` or ``[1, +inf)``.
        recommended: the range AWS recommends searching.
    """

    name: str
    kind: str
    legal: str
    recommended: tuple[float, float]

    def accepts(self, value: float) -> bool:
        low, high = (float(bound) for bound in self.legal[1:-1].split(","))
        above = value > low or (self.legal[0] == "[" and value == low)
        below = value < high or (self.legal[-1] == "]" and value == high)
        return math.isfinite(value) and above and below


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A built-in algorithm; a container of the user's own has none and may tune what it likes."""

    name: str
    tunables: Mapping[str, Tunable]
    objectives: frozenset[str]

    def check(self, space: SearchSpace) -> None:
        """Raises ValidationException for names it does not tune and for values it does not accept."""
        refused = [name for name in space.names if name not in self.tunables]
        if refused:
            raise validation_error(
                f"The hyperparameters [{', '.join(refused)}] of the algorithm {self.name} are not tunable. "
                f"You can tune: [{', '.join(sorted(self.tunables))}]."
            )
        for entry in space:
            _check_values(self.tunables[entry.name], entry)


def _check_values(tunable: Tunable, entry: Range) -> None:
    if tunable.kind == "integer" and entry.kind == "Continuous":
        raise validation_error(
            f"The hyperparameter {entry.name} takes whole numbers. Provide its range in IntegerParameterRanges."
        )
    values = _numbers(tunable, entry) if isinstance(entry, CategoricalRange) else (entry.low, entry.high)
    for value in values:
        if not tunable.accepts(value):
            raise validation_error(
                f"The range of the hyperparameter {entry.name} holds {value}, which is not in {tunable.legal}."
            )


def _numbers(tunable: Tunable, entry: CategoricalRange) -> Iterable[float]:
    for text in entry.values:
        try:
            yield int(text) if tunable.kind == "integer" else float(text)
        except ValueError as error:
            raise _not_a_value(tunable, text) from error


def _not_a_value(tunable: Tunable, text: str) -> AWSError:
    return validation_error(
        f"The range of the hyperparameter {tunable.name} holds '{text}', which is no {tunable.kind} value."
    )
