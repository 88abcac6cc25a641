"""Models and endpoints: what they are made of, and how an endpoint does."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from corelab.console import charts
from corelab.console.ask import Ask, Page, Sources
from corelab.console.pages import listing
from corelab.console.pages.logs import newest
from corelab.resources.journal import Wanted
from corelab.resources.records import Record
from corelab.resources.serving import plan
from corelab.resources.serving.meter import NAMESPACE
from corelab.resources.states import Kind
from corelab.services.sagemaker import endpoints as endpoint_operations
from corelab.services.sagemaker import models as model_operations
from corelab.store.metrics import Metric, Point

GROUP = "/aws/sagemaker/Endpoints/"
_HOUR = 3600.0
_BUCKET = 10.0  # seconds
_RECENT_CALLS = 15


def models(sources: Sources, ask: Ask) -> Page:
    found, facts = listing.records(sources, Kind.MODEL, ask)
    rows = [{"record": record, "container": model_operations.container_of(record)} for record in found]
    return Page("models.html", "Models", "models", {**facts, "rows": rows}, seconds=5)


def model(sources: Sources, ask: Ask) -> Page:
    record = sources.record(Kind.MODEL, ask)
    facts = {
        "record": record,
        "model": model_operations.described(record),
        "container": model_operations.container_of(record),
        "tags": sources.cloud.registry.tags(record.arn),
        "users": [
            r for r in sources.cloud.registry.find(Kind.ENDPOINT, record.region) if _serves(r, record.name)
        ],
    }
    return Page("model_one.html", record.name, "models", facts)


def endpoints(sources: Sources, ask: Ask) -> Page:
    found, facts = listing.records(sources, Kind.ENDPOINT, ask)
    rows = [{"record": record, "variants": plan.from_json(record.private["variants"])} for record in found]
    return Page("endpoints.html", "Endpoints", "endpoints", {**facts, "rows": rows}, seconds=3)


def endpoint(sources: Sources, ask: Ask) -> Page:
    record = sources.record(Kind.ENDPOINT, ask)
    now = sources.cloud.now()
    wanted = Wanted(
        operation="InvokeEndpoint", resource=record.name, region=record.region, after=record.created
    )
    count, moved, errors = sources.journal.tally(wanted)
    facts = {
        "record": record,
        "endpoint": endpoint_operations.described(record),
        "variants": [_variant(sources, record, v, now) for v in plan.from_json(record.private["variants"])],
        "log": newest(sources, record.region, f"{GROUP}{record.name}", ""),
        "count": count,
        "moved": moved or 0,
        "errors": errors,
        "throttled": errors.get("ThrottlingException", 0),
        "calls": sources.journal.search(wanted, _RECENT_CALLS),
        "tags": sources.cloud.registry.tags(record.arn),
    }
    return Page("endpoint_one.html", record.name, "endpoints", facts, seconds=2)


def _serves(record: Record, model_name: str) -> bool:
    return any(variant.model_name == model_name for variant in plan.from_json(record.private["variants"]))


def _variant(sources: Sources, record: Record, variant: plan.Variant, now: float) -> dict[str, Any]:
    """A variant with its last hour of life: no older than the endpoint itself."""
    since = max(record.created, now - _HOUR)

    def points(name: str) -> list[Point]:
        metric = Metric(NAMESPACE, name, {"EndpointName": record.name, "VariantName": variant.name})
        return sources.metrics.points(record.region, metric, since, now + 1)

    latency, starts = points("ModelLatency"), points("ModelSetupTime")
    overhead = points("OverheadLatency")
    return {
        "variant": variant,
        "invocations": round(sum(p.total for p in points("Invocations"))),
        "cold": round(sum(p.count for p in starts)),
        "cold_seconds": max((p.high for p in starts), default=0.0) / 1e6,
        "latency": _mean_milliseconds(latency),
        "overhead": _mean_milliseconds(overhead),
        "worst": max((p.high for p in latency), default=0.0) / 1e3,
        "errors4": round(sum(p.total for p in points("Invocation4XXErrors"))),
        "errors5": round(sum(p.total for p in points("Invocation5XXErrors"))),
        "charts": _charts(latency, starts, since),
    }


def _mean_milliseconds(points: list[Point]) -> float | None:
    count = sum(p.count for p in points)
    return sum(p.total for p in points) / count / 1e3 if count else None


def _charts(latency: list[Point], starts: list[Point], since: float) -> list[Any]:
    """Invocations and mean latency in steps of ten seconds; cold starts beside them."""
    counts: defaultdict[float, float] = defaultdict(float)
    totals: defaultdict[float, float] = defaultdict(float)
    for point in latency:
        at = (point.at - since) // _BUCKET * _BUCKET
        counts[at] += point.count
        totals[at] += point.total
    made = [
        charts.lines(
            "invocations in 10 s", [charts.Series("invocations", sorted(counts.items()))], "seconds", True
        ),
        charts.lines(
            "model latency, ms",
            [charts.Series("mean", [(at, totals[at] / count / 1e3) for at, count in sorted(counts.items())])],
            "seconds",
            True,
        ),
        charts.lines(
            "cold starts, s",
            [charts.Series("cold start", [(p.at - since, p.high / 1e6) for p in starts])],
            "seconds",
            False,
        ),
    ]
    return [chart for chart in made if chart]
