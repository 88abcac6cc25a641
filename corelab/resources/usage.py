"""Reads a container's CPU and memory now and then into CloudWatch."""

from __future__ import annotations

import time
from collections.abc import Mapping

from corelab.engine.contract import Container
from corelab.store.contract import Datum, MetricStore

_SECONDS = 5.0


class UsageSampler:
    """One container's utilisation, in percent: CPU of one core, memory of the instance."""

    def __init__(
        self,
        container: Container,
        store: MetricStore,
        region: str,
        namespace: str,
        dimensions: Mapping[str, str],
        memory_bytes: int,
    ) -> None:
        self._container, self._store = container, store
        self._region, self._namespace, self._dimensions = region, namespace, dimensions
        self._memory_bytes = memory_bytes
        self._next = 0.0

    def sample(self) -> None:
        """Take a reading, if one is due and the container still runs."""
        if time.monotonic() < self._next:
            return
        reading = self._container.usage()
        if reading is None:
            return
        self._next = time.monotonic() + _SECONDS
        memory = 100 * reading.memory_bytes / self._memory_bytes
        data = [
            Datum("CPUUtilization", reading.cpu_percent, reading.timestamp, "Percent", self._dimensions),
            Datum("MemoryUtilization", memory, reading.timestamp, "Percent", self._dimensions),
        ]
        self._store.put(self._region, self._namespace, data)
