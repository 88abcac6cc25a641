"""Hyperparameters: what there are, and the algorithm's check of what a job sets (Container spec 1).

aliases ─▶ required ─▶ known, parsed ─▶ in range ─▶ dependency rules     the first error ends it
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from corelab.engine.xgb import dependencies
from corelab.engine.xgb.failures import AlgorithmError, UserError
from corelab.engine.xgb.metrics import NAMES
from corelab.engine.xgb.ranges import EvalMetrics, Interval, Range

ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One row of the table.

    Attributes:
        kind: integer, continuous, category, list, nested or tuple.
        tunable: AWS's recommended tuning range, None when it cannot be tuned.
        default: the engine's own, as text; None when it has none.
    """

    name: str
    kind: str
    range: Range
    required: bool = False
    tunable: tuple[float, float] | None = None
    default: str | None = None

    def parse(self, value: Any) -> Any:
        """Raises UserError for text that is no value of this kind."""
        try:
            return _PARSERS[self.kind](value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise UserError(f"Hyperparameter {self.name}: could not parse value", caused_by=error) from error

    def check(self, value: Any) -> None:
        """Raises UserError for a value out of range, AlgorithmError for one without the kind's shape."""
        try:
            if self.kind in _MEMBERS:
                if not all(member in self.range for member in _MEMBERS[self.kind](value)):
                    raise UserError(f"Hyperparameter {self.name}: value {value} not in range {self.range}")
            elif value not in self.range:
                raise UserError(f"Hyperparameter {self.name}: {value} is not in {self.range}")
        except TypeError as error:
            raise AlgorithmError(
                f"Hyperparameter {self.name}: unexpected failure when validating {value}", caused_by=error
            ) from error


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "integer": int,
    "continuous": float,
    "category": lambda value: value,
    "list": lambda value: value.split(","),
    # The container evaluates some of this text as Python; a literal is all that it may be here.
    "nested": ast.literal_eval,
    "tuple": ast.literal_eval,
}
_MEMBERS: Mapping[str, Callable[[Any], Sequence[Any]]] = {
    "list": list,
    "tuple": list,
    "nested": lambda value: [member for inner in value for member in inner],
}


def validate(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values a job's hyperparameters stand for, dependencies before dependents.

    Raises:
        UserError: in the words of Container spec 1.1 and 1.3.
        AlgorithmError: a tuple or nested list that is neither.
        KeyError: ``eval_metric`` without ``objective``, as the container fails there.
    """
    table = hyperparameters()
    # When both forms are given, the later one stays.
    named = {ALIASES.get(name, name): value for name, value in given.items()}
    for row in table.values():
        if row.required and row.name not in named:
            raise UserError(f"Missing required hyperparameter: {row.name}")
    parsed = {}
    for name, value in named.items():
        if name not in table:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        parsed[name] = table[name].parse(value)
    for name, value in parsed.items():
        table[name].check(value)
    return dependencies.check(parsed)


@cache
def hyperparameters() -> Mapping[str, Hyperparameter]:
    """The table, by name, in its own order."""
    table = tomllib.loads(files(__package__).joinpath("hyperparameters.toml").read_text("utf-8"))
    return {name: _row(name, row) for name, row in table.items()}


def _row(name: str, row: Mapping[str, Any]) -> Hyperparameter:
    tunable = row.get("tunable")
    return Hyperparameter(
        name=name,
        kind=row["type"],
        range=_range(row),
        required=row.get("required", False),
        tunable=(float(tunable[0]), float(tunable[1])) if tunable else None,
        default=row.get("default"),
    )


def _range(row: Mapping[str, Any]) -> Range:
    if "range" in row:
        return Interval.parse(row["range"])
    if row["values"] == "metrics":
        return EvalMetrics(NAMES)
    if row["values"] == "objective metrics":
        return [f"validation:{name}" for name in NAMES]
    values: list[Any] = row["values"]
    return values
