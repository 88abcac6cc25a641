"""Counts invocations and hands them to CloudWatch once a second (Service spec 9)."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from corelab.store.contract import Datum, MetricStore

NAMESPACE = "AWS/SageMaker"
_Place = tuple[str, str, str]  # region, endpoint, variant
_Invocation = tuple[_Place, int, float, float, float | None]


class Meter:
    """One for all endpoints. ``count`` is called on the event loop; ``flush`` from any thread."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store
        # Counting is on every invocation's way, so it only notes; adding up is for the thread that flushes.
        self._noted: deque[_Invocation] = deque()
        self._flushing = threading.Lock()

    def count(
        self,
        place: _Place,
        status: int,
        model_seconds: float,
        overhead_seconds: float,
        setup_seconds: float | None = None,
    ) -> None:
        """One invocation of (region, endpoint, variant).

        Args:
            status: the container's; 0 when it gave no answer.
            setup_seconds: how long the cold start took, if there was one.
        """
        self._noted.append((place, status, model_seconds, overhead_seconds, setup_seconds))

    def flush(self) -> None:
        """Return once all that was counted so far is stored."""
        with self._flushing:
            self._store_all()

    def _store_all(self) -> None:
        at, by_region = time.time(), dict[str, list[Datum]]()
        for (region, endpoint, variant), invocations in self._taken().items():
            dimensions: Mapping[str, str] = {"EndpointName": endpoint, "VariantName": variant}
            by_region.setdefault(region, []).extend(
                Datum(metric, float(value), at, unit, dimensions, count)
                for metric, unit, values in _series(invocations)
                for value, count in values.items()
            )
        for region, data in by_region.items():
            self._store.put(region, NAMESPACE, data)

    def _taken(self) -> dict[_Place, list[_Invocation]]:
        by_place: dict[_Place, list[_Invocation]] = {}
        for _ in range(len(self._noted)):
            invocation = self._noted.popleft()
            by_place.setdefault(invocation[0], []).append(invocation)
        return by_place


def _series(invocations: Sequence[_Invocation]) -> Iterator[tuple[str, str, Mapping[float, int]]]:
    """(metric, unit, how often each value was seen) of one variant's invocations."""
    for metric in ("Invocations", "InvocationsPerInstance"):
        yield metric, "None", {1: len(invocations)}
    statuses = Counter(invocation[1] for invocation in invocations)
    for metric, counts in _STATUS_METRICS.items():
        seen: Counter[float] = Counter()
        for status, times in statuses.items():
            seen[counts(status)] += times
        yield metric, "None", seen
    yield "ModelLatency", "Microseconds", Counter(_rounded(i[2] * 1e6) for i in invocations)
    yield "OverheadLatency", "Microseconds", Counter(_rounded(i[3] * 1e6) for i in invocations)
    yield (
        "ModelSetupTime",
        "Microseconds",
        Counter(_rounded(i[4] * 1e6) for i in invocations if i[4] is not None),
    )


_STATUS_METRICS: dict[str, Callable[[int], bool]] = {
    "Invocation4XXErrors": lambda status: 400 <= status < 500,
    "Invocation5XXErrors": lambda status: status >= 500,
    "InvocationModelErrors": lambda status: not 200 <= status < 300,
}


def _rounded(value: float) -> float:
    """Three digits: equal latencies are stored once, and no percentile is off by more than half a percent."""
    if value <= 0:
        return 0.0
    return round(value, 2 - math.floor(math.log10(value)))
