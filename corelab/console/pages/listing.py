"""Lists of records: a filter by name and status, fifty at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from corelab.console.ask import Ask, Sources
from corelab.resources.records import Record
from corelab.resources.registry import Query
from corelab.resources.states import TRANSITIONS, Kind
from corelab.services.sagemaker.listing import place, token

_SIZE = 50


def records(sources: Sources, kind: Kind, ask: Ask) -> tuple[list[Record], Mapping[str, Any]]:
    """The page of records that was asked for, newest first, and the facts of the form and the way on."""
    words, status = ask.query.get("q", ""), ask.query.get("status", "")
    query = Query(
        name_contains=words or None,
        statuses=frozenset({status}) if status else None,
        limit=_SIZE + 1,
        after=place(ask.query["after"]) if "after" in ask.query else None,
    )
    found = sources.cloud.registry.find(kind, None, query)
    shown = found[:_SIZE]
    older = None
    if len(found) > _SIZE:
        kept = {name: value for name, value in (("q", words), ("status", status)) if value}
        older = urlencode({**kept, "after": token((shown[-1].created, shown[-1].name))})
    facts = {
        "words": words,
        "status": status,
        "statuses": sorted(TRANSITIONS[kind]),
        "older": older,
        "further": "after" in ask.query,
        "regions": len({record.region for record in shown}) > 1,
    }
    return shown, facts


def running(found: list[Record], seconds: int = 2) -> int:
    """How often a page about these should look for news."""
    return seconds if any(not record.finished for record in found) else 5
