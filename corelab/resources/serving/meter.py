"""Counts invocations and hands them to CloudWatch once a second (Service spec 9)."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Mapping

from corelab.store.contract import Datum, MetricStore

NAMESPACE = "AWS/SageMaker"
_Series = tuple[str, str, str, str, str]  # region, endpoint, variant, metric, unit


class Meter:
    """One for all endpoints. ``count`` is called on the event loop; ``flush`` from any thread."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._counts: dict[_Series, Counter[float]] = {}

    def count(
        self,
        place: tuple[str, str, str],
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
        values: dict[tuple[str, str], float] = {
            ("Invocations", "None"): 1,
            ("InvocationsPerInstance", "None"): 1,
            ("Invocation4XXErrors", "None"): 400 <= status < 500,
            ("Invocation5XXErrors", "None"): status >= 500,
            ("InvocationModelErrors", "None"): not 200 <= status < 300,
            ("ModelLatency", "Microseconds"): _rounded(model_seconds * 1e6),
            ("OverheadLatency", "Microseconds"): _rounded(overhead_seconds * 1e6),
        }
        if setup_seconds is not None:
            values["ModelSetupTime", "Microseconds"] = _rounded(setup_seconds * 1e6)
        with self._lock:
            for (metric, unit), value in values.items():
                self._counts.setdefault((*place, metric, unit), Counter())[float(value)] += 1

    def flush(self) -> None:
        """Store what was counted since the last time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        at, by_region = time.time(), dict[str, list[Datum]]()
        for (region, endpoint, variant, metric, unit), values in counts.items():
            dimensions: Mapping[str, str] = {"EndpointName": endpoint, "VariantName": variant}
            by_region.setdefault(region, []).extend(
                Datum(metric, value, at, unit, dimensions, count) for value, count in values.items()
            )
        for region, data in by_region.items():
            self._store.put(region, NAMESPACE, data)


def _rounded(value: float) -> float:
    """Three digits: equal latencies are stored once, and no percentile is off by more than half a percent."""
    if value <= 0:
        return 0.0
    return round(value, 2 - math.floor(math.log10(value)))
