"""What AWS would have billed for: every span of instances and serverless capacity, kept after its resource is gone.

Registry ──each change──▶ Ledger ──spans──▶ the bill
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from corelab.resources.records import Record
from corelab.resources.registry import Registry
from corelab.resources.serving import plan
from corelab.resources.states import Kind, Status

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
  kind TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, arn TEXT NOT NULL, variant TEXT NOT NULL,
  instance_type TEXT NOT NULL, count INTEGER NOT NULL, volume_gb REAL NOT NULL, memory_mb INTEGER NOT NULL,
  parent TEXT NOT NULL, began REAL NOT NULL, ended REAL, seconds REAL,
  PRIMARY KEY (arn, variant, began)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open_spans ON spans (arn) WHERE ended IS NULL;
"""
_SERVING = frozenset({Status.IN_SERVICE, Status.UPDATING, Status.ROLLING_BACK})
_BILLED = (Kind.TRAINING_JOB, Kind.TRANSFORM_JOB, Kind.ENDPOINT)


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of billed capacity; ``ended`` is None while it goes on. Times are epoch seconds.

    Args:
        variant: an endpoint's production variant; empty for jobs.
        instance_type: empty for serverless capacity, which has ``memory_mb`` instead.
        parent: the name of the tuning job that started a training job.
        seconds: billable seconds of one instance, once AWS's Describe would say them.
    """

    kind: str
    region: str
    name: str
    arn: str
    variant: str = ""
    instance_type: str = ""
    count: int = 1
    volume_gb: float = 0.0
    memory_mb: int = 0
    parent: str = ""
    began: float = 0.0
    ended: float | None = None
    seconds: float | None = None

    @property
    def shape(self) -> tuple[str, str, int, int]:
        """What makes it another span when it changes."""
        return self.variant, self.instance_type, self.count, self.memory_mb


_COLUMNS = ", ".join(f.name for f in fields(Span))


class Ledger:
    """Follows a registry. A kill between a change and its entry is made good at the next start."""

    def __init__(self, path: Path, registry: Registry, now: float) -> None:
        self._registry, self._lock = registry, threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._catch_up(now)
        registry.on_change(self.note)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def spans(self) -> list[Span]:
        """Every span so far, the newest first."""
        with self._lock:
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM spans ORDER BY began DESC, arn").fetchall()  # noqa: S608
        return [Span(*row) for row in rows]

    def note(self, record: Record) -> None:
        """Bring the ledger to what the registry says of this resource now."""
        if record.kind not in _BILLED:
            return
        with self._lock:
            # Threads may bring two changes in the wrong order: the registry's newest word counts.
            newest = self._registry.get(record.kind, record.region, record.name) or record
            try:
                self._settle(newest)
            except sqlite3.Error:  # a full disk must not fail the resource itself
                log.exception("%s is missing in the bill until the next start", record.arn)

    def _settle(self, record: Record) -> None:
        current = list(_spans(record))
        if record.kind is not Kind.ENDPOINT:  # one span, which its end completes
            for span in current:
                self._put(span)
            return
        open_now = self._open(record.arn)
        for span in open_now:
            if span.shape not in {other.shape for other in current}:
                self._end(span, record.modified)
        for span in current:
            if span.shape not in {other.shape for other in open_now}:
                self._put(span)

    def _catch_up(self, now: float) -> None:
        alive = {record.arn: record for kind in _BILLED for record in self._registry.find(kind)}
        for record in alive.values():
            self._settle(record)
        for span in self._open(None):
            if span.arn not in alive:
                self._end(span, now)

    def _open(self, arn: str | None) -> list[Span]:
        sql = f"SELECT {_COLUMNS} FROM spans WHERE ended IS NULL AND (?1 IS NULL OR arn = ?1)"  # noqa: S608
        return [Span(*row) for row in self._db.execute(sql, (arn,))]

    def _end(self, span: Span, at: float) -> None:
        self._db.execute(
            "UPDATE spans SET ended = max(?, began) WHERE arn = ? AND variant = ? AND began = ?",
            (at, span.arn, span.variant, span.began),
        )

    def _put(self, span: Span) -> None:
        marks = ",".join("?" * len(fields(Span)))
        self._db.execute(f"INSERT OR REPLACE INTO spans ({_COLUMNS}) VALUES ({marks})", astuple(span))  # noqa: S608


def _spans(record: Record) -> Iterator[Span]:
    if record.kind is Kind.ENDPOINT:
        yield from _serving(record)
        return
    training = record.kind is Kind.TRAINING_JOB
    prefix, member = ("Training", "ResourceConfig") if training else ("Transform", "TransformResources")
    began, ended = record.facts.get(f"{prefix}StartTime"), record.facts.get(f"{prefix}EndTime")
    if began is None:
        return
    resources = record.request[member]
    seconds = record.facts.get("BillableTimeInSeconds")
    if seconds is None and ended is not None:
        seconds = max(1, round(ended - began))
    yield Span(
        kind=record.kind,
        region=record.region,
        name=record.name,
        arn=record.arn,
        instance_type=resources["InstanceType"],
        count=resources["InstanceCount"],
        volume_gb=resources.get("VolumeSizeInGB", 0),
        parent=record.facts.get("TuningJobArn", "").rpartition("/")[2],
        began=began,
        ended=ended,
        seconds=seconds,
    )


def _serving(record: Record) -> Iterator[Span]:
    """An endpoint is billed from InService until it is deleted (Service spec 10)."""
    if record.status not in _SERVING:
        return
    for variant in plan.from_json(record.private["variants"]):
        serverless = variant.serverless
        yield Span(
            kind=record.kind,
            region=record.region,
            name=record.name,
            arn=record.arn,
            variant=variant.name,
            instance_type="" if serverless else variant.instance_type or "",
            count=0 if serverless else variant.count,
            memory_mb=serverless.memory_mb if serverless else 0,
            began=record.modified,
        )
