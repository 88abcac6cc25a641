"""Everything one operation may touch, and on whose behalf."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from corelab.engine.contract import Engine
from corelab.engine.serving_contract import ModelServer
from corelab.resources.quotas import Quotas
from corelab.resources.records import Record, arn
from corelab.resources.registry import Registry
from corelab.resources.runner import Runner
from corelab.resources.states import Kind
from corelab.store.contract import Caller, Identity, LogStore, MetricStore, ObjectStore


class Fleet(Protocol):
    """Changes endpoints in the background, see serving.fleet."""

    def create(self, record: Record) -> None: ...

    def update(self, record: Record, coming: Mapping[str, Any]) -> None: ...

    def resize(self, record: Record, wanted: Sequence[Mapping[str, Any]]) -> None: ...

    def delete(self, record: Record) -> None: ...


@dataclass(frozen=True)
class Cloud:
    """The local SageMaker as one caller in one region sees it; ``dataclasses.replace`` makes another's view."""

    registry: Registry
    objects: ObjectStore
    logs: LogStore
    metrics: MetricStore
    identity: Identity
    engine: Engine
    models: ModelServer
    runner: Runner
    fleet: Fleet
    quotas: Quotas
    jobs_folder: Path
    region: str
    caller: Caller
    now: Callable[[], float] = time.time

    @property
    def account(self) -> str:
        return self.caller.account

    def arn(self, kind: Kind, name: str) -> str:
        return arn(kind, self.region, self.account, name)

    def get(self, kind: Kind, name: str) -> Record | None:
        return self.registry.get(kind, self.region, name)
