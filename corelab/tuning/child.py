"""A child: one training job of a tuning job, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_RUNNING = ("InProgress", "Stopping")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the next child should train with.

    Attributes:
        number: launch order within the tuning job, from 1.
        definition: which of the plan's definitions, by position.
        tuned: the sampled hyperparameters, as text.
    """

    number: int
    definition: int
    tuned: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Child:
    """What became of one suggestion.

    Attributes:
        status: its TrainingJobStatus.
        curve: values of the objective metric in the order they were emitted, all of them finite.
        created, started, ended: epoch seconds; ``started`` is when training began, not when the job was made.
    """

    number: int
    tuned: Mapping[str, str] = field(default_factory=dict)
    definition: int = 0
    status: str = "InProgress"
    curve: tuple[float, ...] = ()
    name: str = ""
    arn: str = ""
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    failure: str | None = None

    @property
    def running(self) -> bool:
        return self.status in _RUNNING

    @property
    def objective(self) -> float | None:
        """The final objective value: the last one emitted (Service spec 6.3)."""
        return self.curve[-1] if self.curve else None

    @property
    def objective_status(self) -> str:
        """Pending while it runs; then Succeeded with an objective value, Failed without one or when it failed."""
        if self.running:
            return "Pending"
        return "Succeeded" if self.curve and self.status != "Failed" else "Failed"

    @property
    def score(self) -> float | None:
        """The value tuning learns from; None until it counts, and for good when it never will."""
        return self.objective if self.objective_status == "Succeeded" else None

    @property
    def retryable(self) -> bool:
        """Failed by the platform's fault, not the caller's (TrainingJobStatusCounters in the service model)."""
        return self.status == "Failed" and (self.failure or "").startswith("InternalServerError")


def objective_curve(emitted: Iterable[tuple[str, float]], metric: str) -> tuple[float, ...]:
    """The objective's curve out of a job's metric stream, ``(metric name, value)`` in the order of the log."""
    return tuple(value for name, value in emitted if name == metric and math.isfinite(value))
