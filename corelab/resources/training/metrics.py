"""Reads metrics off a job's log lines and hands them on."""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import regex

from corelab.engine.contract import LogLine
from corelab.engine.xgb.metrics import NEEDED_TEXT
from corelab.resources.log_pump import rendered
from corelab.store.contract import Datum, MetricStore

NAMESPACE = "/aws/sagemaker/TrainingJobs"
_MATCH_SECONDS = 0.05


class MetricStream:
    """Matches every line against the job's definitions, in the form the log shows.

    Args:
        definitions: AWS's MetricDefinitions, ``[{"Name": ..., "Regex": ...}]``.
        heard: called with (metric name, value, epoch seconds) for every value, in order.
    """

    def __init__(
        self,
        definitions: Iterable[Mapping[str, str]],
        store: MetricStore,
        region: str,
        job_name: str,
        heard: Callable[[str, float, float], None] | None = None,
    ) -> None:
        self._patterns = [
            (d["Name"], NEEDED_TEXT.get(d["Regex"], ""), regex.compile(d["Regex"])) for d in definitions
        ]
        self._store, self._region, self._job_name = store, region, job_name
        self._heard = heard
        self._lock = threading.Lock()
        self._last: dict[str, tuple[float, float]] = {}

    def feed(self, lines: Iterable[LogLine]) -> None:
        """Take further lines; their values are in CloudWatch when this returns."""
        found = [value for line in lines for value in self._values(line)]
        if not found:
            return
        with self._lock:
            self._last.update({name: (value, at) for name, value, at in found})
        dimensions = {"TrainingJobName": self._job_name}
        data = [Datum(name, value, at, "None", dimensions) for name, value, at in found]
        self._store.put(self._region, NAMESPACE, data)
        if self._heard is not None:
            for name, value, at in found:
                self._heard(name, value, at)

    def final(self) -> list[dict[str, Any]] | None:
        """FinalMetricDataList: the last value of each metric that matched, as float32, with whole seconds."""
        with self._lock:
            last = dict(self._last)
        order = [name for name, _, _ in self._patterns]
        return [
            {"MetricName": name, "Value": _float32(last[name][0]), "Timestamp": int(last[name][1])}
            for name in dict.fromkeys(order)
            if name in last
        ] or None

    def _values(self, line: LogLine) -> Iterable[tuple[str, float, float]]:
        text = rendered(line.text)
        for name, needed, pattern in self._patterns:
            if needed not in text:
                continue
            try:
                match = pattern.search(text, timeout=_MATCH_SECONDS)
            except TimeoutError:  # a definition that explodes on this line finds nothing on it
                continue
            value = _number(match)
            if value is not None:
                yield name, value, line.timestamp_ms / 1000


def _number(match: regex.Match[str] | None) -> float | None:
    if match is None or not match.groups() or match.group(1) is None:
        return None
    try:
        value = float(match.group(1))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _float32(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return value
