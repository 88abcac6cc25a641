"""The secondary statuses of a training job and what AWS says on entering each (Service spec 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading the training image",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
_LAST = frozenset({"Completed", "Failed", "Stopped", "MaxRuntimeExceeded"})


def entered(
    facts: Mapping[str, Any], secondary: str, at: float, message: str | None = None
) -> dict[str, Any]:
    """The facts after entering a secondary status: the entry before it is closed, a last one closes itself."""
    transitions = [dict(entry) for entry in facts.get("SecondaryStatusTransitions", ())]
    if transitions:
        transitions[-1].setdefault("EndTime", at)
    entry = {"Status": secondary, "StartTime": at, "StatusMessage": message or MESSAGES[secondary]}
    if secondary in _LAST:
        entry["EndTime"] = at
    return {"SecondaryStatus": secondary, "SecondaryStatusTransitions": [*transitions, entry]}


def timed(facts: Mapping[str, Any], at: float) -> dict[str, Any]:
    """The end of the time that is billed: whole seconds per instance, at least one, once instances were in use."""
    started = facts.get("TrainingStartTime")
    if started is None or "TrainingEndTime" in facts:
        return {}
    seconds = max(1, round(at - started))
    return {"TrainingEndTime": at, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
