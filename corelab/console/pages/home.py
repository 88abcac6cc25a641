"""The first page: what runs now, what happened last, what it would have cost."""

from __future__ import annotations

from corelab.console.ask import Ask, Page, Sources
from corelab.resources.journal import Wanted
from corelab.resources.records import Record
from corelab.resources.registry import Query
from corelab.resources.states import Kind, Status

_PLACES = {
    Kind.TRAINING_JOB: ("training", "Training jobs"),
    Kind.TUNING_JOB: ("tuning", "Tuning jobs"),
    Kind.TRANSFORM_JOB: ("transform", "Transform jobs"),
    Kind.MODEL: ("models", "Models"),
    Kind.ENDPOINT: ("endpoints", "Endpoints"),
}
_SHOWN = (Kind.TRAINING_JOB, Kind.TUNING_JOB, Kind.TRANSFORM_JOB, Kind.ENDPOINT)
_BUSY = frozenset(
    {
        Status.IN_PROGRESS,
        Status.STOPPING,
        Status.CREATING,
        Status.UPDATING,
        Status.ROLLING_BACK,
        Status.IN_SERVICE,
        Status.DELETING,
    }
)
_MOST = 20
_RECENT = 8


def index(sources: Sources, _ask: Ask) -> Page:
    """What a person wants to know on coming back."""
    registry = sources.cloud.registry
    busy = [
        record
        for kind in _SHOWN
        for record in registry.find(kind, None, Query(statuses=frozenset(_BUSY), limit=_MOST))
    ]
    latest = [record for kind in _SHOWN[:3] for record in registry.find(kind, None, Query(limit=_RECENT))]
    latest.sort(key=lambda record: -record.created)
    facts = {
        "busy": [_row(record) for record in busy],
        "latest": [_row(record) for record in latest[:_RECENT]],
        "counts": [(section, words, registry.counts(kind)) for kind, (section, words) in _PLACES.items()],
        "bill": sources.accounts.bill(),
        "refused": sources.journal.search(Wanted(failed=True), 5),
    }
    return Page("home.html", "Local SageMaker", "home", facts, seconds=2 if busy else 5)


def _row(record: Record) -> dict[str, object]:
    section, words = _PLACES[record.kind]
    return {"record": record, "section": section, "kind": words.removesuffix("s")}
