"""Batch transform jobs."""

from __future__ import annotations

from corelab.console.ask import Ask, Page, Sources
from corelab.console.pages import listing
from corelab.console.pages.logs import newest
from corelab.core.failures import explain
from corelab.resources.states import Kind
from corelab.services.sagemaker import transform

GROUP = "/aws/sagemaker/TransformJobs"


def index(sources: Sources, ask: Ask) -> Page:
    found, facts = listing.records(sources, Kind.TRANSFORM_JOB, ask)
    rows = [{"record": record, "job": transform.described(record)} for record in found]
    return Page(
        "transform.html",
        "Transform jobs",
        "transform",
        {**facts, "rows": rows},
        seconds=listing.running(found),
    )


def one(sources: Sources, ask: Ask) -> Page:
    record = sources.record(Kind.TRANSFORM_JOB, ask)
    job, lines = transform.described(record), newest(sources, record.region, GROUP, f"{record.name}/")
    reason = record.facts.get("FailureReason")
    facts = {
        "record": record,
        "job": job,
        "log": lines,
        "explanation": explain([line.message for line in lines.events], reason) if reason else None,
        "tags": sources.cloud.registry.tags(record.arn),
    }
    return Page("transform_one.html", record.name, "transform", facts, seconds=0 if record.finished else 1)
