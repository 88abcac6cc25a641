"""What a page may look at, what was asked of it, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from corelab.console.bill import Accounts
from corelab.resources.cloud import Cloud
from corelab.resources.journal import Journal
from corelab.resources.records import Record
from corelab.resources.states import Kind
from corelab.store.logs import Logs
from corelab.store.metrics import Metrics
from corelab.store.objects import Objects


class NoSuchPage(Exception):
    """There is nothing here; the text says what was looked for."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What pages are drawn from. The cloud is a view; no page changes anything."""

    cloud: Cloud
    journal: Journal
    accounts: Accounts
    objects: Objects
    logs: Logs
    metrics: Metrics
    version: str

    def view(self, region: str) -> Cloud:
        """The cloud of another region."""
        return replace(self.cloud, region=region)

    def record(self, kind: Kind, ask: Ask) -> Record:
        """The record of the page's name, in the region asked for, else wherever there is one."""
        name, region = ask.name, ask.query.get("region")
        if region:
            record = self.cloud.registry.get(kind, region, name)
        else:
            record = self.cloud.registry.get(kind, self.cloud.region, name) or next(
                (r for r in self.cloud.registry.find(kind) if r.name == name), None
            )
        if record is None:
            raise NoSuchPage(f"There is no {kind.replace('-', ' ')} named {name!r}.")
        return record


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: the name in the path, if there is one, and the query's first values."""

    name: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """A template and its facts.

    Args:
        section: which entry of the navigation this belongs to.
        seconds: how often the browser looks for news; 0 is never.
    """

    template: str
    title: str
    section: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: int = 0
