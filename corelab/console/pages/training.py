"""Training jobs: the list, and one with its timeline, curves and log."""

from __future__ import annotations

from typing import Any

from corelab.console import charts
from corelab.console.ask import Ask, Page, Sources
from corelab.console.pages import listing
from corelab.console.pages.logs import newest
from corelab.core.failures import explain
from corelab.resources.records import Record
from corelab.resources.states import Kind
from corelab.resources.training.metrics import NAMESPACE
from corelab.services.sagemaker import training
from corelab.store.metrics import Metric

GROUP = "/aws/sagemaker/TrainingJobs"
_MOST_POINTS = 300


def index(sources: Sources, ask: Ask) -> Page:
    found, facts = listing.records(sources, Kind.TRAINING_JOB, ask)
    rows = [
        {"record": r, "job": training.described(r), "seconds": r.facts.get("TrainingTimeInSeconds")}
        for r in found
    ]
    return Page(
        "training.html", "Training jobs", "training", {**facts, "rows": rows}, seconds=listing.running(found)
    )


def one(sources: Sources, ask: Ask) -> Page:
    record = sources.record(Kind.TRAINING_JOB, ask)
    job, now = training.described(record), sources.cloud.now()
    lines = newest(sources, record.region, GROUP, f"{record.name}/")
    reason = record.facts.get("FailureReason")
    facts = {
        "record": record,
        "job": job,
        "phases": phases(job, now),
        "timeline": charts.timeline(phases(job, now)),
        "curves": curves(sources, record),
        "log": lines,
        "explanation": explain([line.message for line in lines.events], reason) if reason else None,
        "tags": sources.cloud.registry.tags(record.arn),
        "tuning": record.facts.get("TuningJobArn", "").rpartition("/")[2],
    }
    return Page("training_one.html", record.name, "training", facts, seconds=0 if record.finished else 1)


def phases(job: dict[str, Any], now: float) -> list[tuple[str, float, float]]:
    """The secondary statuses that took time, with their begin and end."""
    entries = job.get("SecondaryStatusTransitions", ())
    spans = [(entry["Status"], entry["StartTime"], entry.get("EndTime", now)) for entry in entries]
    return [span for span in spans if span[2] > span[1]]


def curves(sources: Sources, record: Record) -> list[Any]:
    """One chart for each metric, its channels together, by round."""
    by_metric: dict[str, list[charts.Series]] = {}
    for name in _metric_names(record):
        metric = Metric(NAMESPACE, name, {"TrainingJobName": record.name})
        points = sources.metrics.outline(record.region, metric, _MOST_POINTS)
        if points:
            channel, _, short = name.partition(":")
            values = [(float(number), value) for number, value in points]
            by_metric.setdefault(short or name, []).append(charts.Series(channel, values))
    return [charts.lines(name, series, "round") for name, series in sorted(by_metric.items())]


def _metric_names(record: Record) -> list[str]:
    final = [entry["MetricName"] for entry in record.facts.get("FinalMetricDataList", ())]
    defined = [
        entry["Name"] for entry in record.request["AlgorithmSpecification"].get("MetricDefinitions", ())
    ]
    # The objective of a tuning job appears under a second name.
    names = final or defined
    return sorted({name for name in names if name != "ObjectiveMetric"})
