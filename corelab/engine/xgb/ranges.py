"""What a hyperparameter's value may be, printed in errors as the container prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from corelab.engine.xgb.failures import UserError

_WITH_THRESHOLD = ("error", "ndcg", "map")


class Range(Protocol):
    """Anything with ``in`` and ``str``: an interval, a list of categories."""

    def __contains__(self, value: Any, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers between two bounds, such as ``(0, 1]`` or ``[1, +inf)``; NaN is in every interval."""

    text: str
    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> Interval:
        low, high = (float(bound) for bound in text[1:-1].split(","))
        return cls(text, low, high)

    def __contains__(self, value: Any) -> bool:
        below = value <= self.low if self.text[0] == "(" else value < self.low
        # An open end at infinity excludes nothing, not even infinity (Container spec 1.1).
        above = self.high != float("inf") and (
            value >= self.high if self.text[-1] == ")" else value > self.high
        )
        return not (below or above)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class EvalMetrics:
    """The metric names, and ``error@t``, ``ndcg@t``, ``map@t`` (Container spec 1.3)."""

    names: Sequence[str]

    def __contains__(self, metric: Any) -> bool:
        """Raises UserError for a metric that is nearly one."""
        if "<function" in metric:
            raise UserError(f"User defined evaluation metric {metric} is not supported yet.")
        if "@" not in metric:
            return metric in self.names
        name, threshold = (part.strip() for part in metric.split("@")[:2])
        if name not in _WITH_THRESHOLD:
            raise UserError(
                f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
                "be one of these options: 'error', 'ndcg', 'map'."
            )
        try:
            float(threshold)
        except ValueError as error:
            raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from error
        return True

    def __str__(self) -> str:
        return str(list(self.names))
