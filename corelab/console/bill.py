"""What everything so far would have cost on AWS, line by line."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corelab.core.prices import Prices, endpoint_cost, load_prices, serverless_cost, training_cost
from corelab.errors import BadArgument
from corelab.resources.journal import Journal, Wanted
from corelab.resources.ledger import Ledger, Span
from corelab.resources.serving.meter import NAMESPACE
from corelab.resources.states import Kind
from corelab.store.metrics import Metric, Metrics

_GB = 1 << 30


@dataclass(frozen=True, slots=True)
class Line:
    """One span of the ledger and its price in US dollars; ``usd`` is None when no price is known."""

    span: Span
    what: str
    seconds: float
    usd: float | None
    note: str = ""

    @property
    def runs(self) -> bool:
        return self.span.ended is None


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines, newest first, and the prices they were made with."""

    lines: list[Line]
    prices: Prices

    @property
    def total_usd(self) -> float:
        return sum(line.usd or 0.0 for line in self.lines)

    @property
    def running(self) -> list[Line]:
        return [line for line in self.lines if line.runs]

    @property
    def unpriced(self) -> int:
        return sum(line.usd is None for line in self.lines)

    def by_kind(self) -> dict[str, float]:
        """Dollars of each kind of resource, the dearest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.span.kind] = sums.get(line.span.kind, 0.0) + (line.usd or 0.0)
        return dict(sorted(sums.items(), key=lambda entry: -entry[1]))

    def document(self) -> dict[str, Any]:
        """The bill as JSON."""
        return {
            "total_usd": round(self.total_usd, 6),
            "prices": {
                "as_of": self.prices.as_of,
                "region": self.prices.region,
                "source": self.prices.source,
            },
            "unpriced": self.unpriced,
            "lines": [_document(line) for line in self.lines],
        }


class Accounts:
    """Draws up the bill from the ledger, the endpoints' metrics and the request journal."""

    def __init__(self, ledger: Ledger, metrics: Metrics, journal: Journal) -> None:
        self._ledger, self._metrics, self._journal = ledger, metrics, journal

    def bill(self) -> Bill:
        """Raises BadArgument when the learner's own price file cannot be read."""
        prices, now, spans = load_prices(), time.time(), self._ledger.spans()
        first: dict[tuple[str, float], str] = {}
        for span in spans:
            place = span.arn, span.began
            first[place] = min(span.variant, first.get(place, span.variant))
        lines = [
            self._line(span, prices, now, carries=first[span.arn, span.began] == span.variant)
            for span in spans
        ]
        return Bill(lines, prices)

    def _line(self, span: Span, prices: Prices, now: float, carries: bool) -> Line:
        """``carries``: the journal knows an endpoint's bytes, not a variant's; its first variant's line has them."""
        elapsed = (span.ended or now) - span.began
        if span.kind != Kind.ENDPOINT:
            seconds = elapsed if span.seconds is None else span.seconds
            what = f"{span.count} \N{MULTIPLICATION SIGN} {span.instance_type}"
            return _priced(span, what, seconds, lambda: _job_cost(span, seconds, prices))
        gigabytes = self._bytes(span, now) / _GB if carries else 0.0
        if not span.memory_mb:
            what = f"{span.count} \N{MULTIPLICATION SIGN} {span.instance_type}"
            return _priced(
                span,
                what,
                elapsed,
                lambda: endpoint_cost(span.instance_type, elapsed, span.count, gigabytes, prices),
            )
        busy = self._busy_seconds(span, now)
        what = f"serverless, {span.memory_mb} MB"
        return _priced(span, what, busy, lambda: serverless_cost(span.memory_mb, busy, gigabytes, prices))

    def _bytes(self, span: Span, now: float) -> int:
        wanted = Wanted(
            operation="InvokeEndpoint",
            resource=span.name,
            region=span.region,
            after=span.began,
            before=span.ended or now,
        )
        return self._journal.tally(wanted)[1] or 0

    def _busy_seconds(self, span: Span, now: float) -> float:
        metric = Metric(NAMESPACE, "ModelLatency", {"EndpointName": span.name, "VariantName": span.variant})
        points = self._metrics.points(span.region, metric, span.began, (span.ended or now) + 1)
        return sum(point.total for point in points) / 1e6


def _job_cost(span: Span, seconds: float, prices: Prices) -> float:
    return training_cost(span.instance_type, seconds, span.count, span.volume_gb, prices)


def _priced(span: Span, what: str, seconds: float, cost: Any) -> Line:
    try:
        return Line(span, what, seconds, cost())
    except BadArgument as unknown:
        return Line(span, what, seconds, None, str(unknown))


def _document(line: Line) -> Mapping[str, Any]:
    span = line.span
    return {
        "kind": span.kind,
        "name": span.name,
        "region": span.region,
        "variant": span.variant,
        "what": line.what,
        "began": span.began,
        "ended": span.ended,
        "billed_seconds": line.seconds,
        "usd": None if line.usd is None else round(line.usd, 8),
    }
