"""What becomes of the jobs that a killed server left running."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from corelab.resources.records import Record
from corelab.resources.registry import Registry
from corelab.resources.states import Kind, Status
from corelab.resources.training.timeline import entered, timed

INTERRUPTED = (
    "InternalServerError: The local SageMaker was stopped while this job was running. "
    "Please create the job again."
)
_UNFINISHED = frozenset({Status.IN_PROGRESS, Status.STOPPING})


def end_interrupted_jobs(registry: Registry, jobs_folder: Path, at: float) -> list[Record]:
    """Fail every job that no process works on any more, and clear what its processes left on disk."""
    ended = []
    for kind in (Kind.TRAINING_JOB, Kind.TRANSFORM_JOB, Kind.TUNING_JOB):
        for record in registry.find(kind):
            if record.status in _UNFINISHED:
                ended.append(registry.change(record, lambda r: _failed(r, at)))
    for leftover in jobs_folder.iterdir() if jobs_folder.is_dir() else ():
        shutil.rmtree(leftover, ignore_errors=True)
    return ended


def _failed(record: Record, at: float) -> Record:
    facts: dict[str, Any] = {"FailureReason": INTERRUPTED}
    if record.kind is Kind.TRAINING_JOB:
        facts |= {**entered(record.facts, "Failed", at), **timed(record.facts, at)}
    end = {Kind.TRANSFORM_JOB: "TransformEndTime", Kind.TUNING_JOB: "HyperParameterTuningEndTime"}.get(
        record.kind
    )
    if end is not None:
        facts[end] = at
    return record.advance(Status.FAILED, at, **facts)
