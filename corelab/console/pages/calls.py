"""The request journal: who asked for what, when, and how it went."""

from __future__ import annotations

from urllib.parse import urlencode

from corelab.console.ask import Ask, Page, Sources
from corelab.resources.journal import Wanted

_SIZE = 100
SERVICES = (
    "sagemaker",
    "sagemaker-runtime",
    "s3",
    "logs",
    "cloudwatch",
    "iam",
    "sts",
    "ecr",
    "application-autoscaling",
    "service-quotas",
)


def index(sources: Sources, ask: Ask) -> Page:
    names = ("service", "operation", "resource", "failed")
    given = {name: ask.query[name] for name in names if ask.query.get(name)}
    wanted = Wanted(
        service=given.get("service"),
        operation=given.get("operation"),
        resource=given.get("resource"),
        failed="failed" in given,
        before=float(ask.query["before"]) if "before" in ask.query else None,
    )
    calls = sources.journal.search(wanted, _SIZE)
    older = urlencode({**given, "before": repr(calls[-1].at)}) if len(calls) == _SIZE else None
    facts = {
        "calls": calls,
        "given": given,
        "older": older,
        "services": SERVICES,
        "further": "before" in ask.query,
    }
    return Page("calls.html", "Request journal", "calls", facts, seconds=0 if wanted.before else 2)
