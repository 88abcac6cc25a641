"""Lets a repeated Describe wait for news, so that clients which sleep between polls need not.

SDK waiters sleep for seconds between Describes. The first Describe of a job answers at once; the next one that
would say the same is held until the status changes. botocore's waiters and SDK 2, which would sleep half a minute
after a first "in progress", are held from the first. A loop that somebody wrote may want to see how far a job is:
it is held for a moment only.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from corelab.resources.records import Record
from corelab.resources.registry import Registry
from corelab.resources.states import Kind, Status

MOST_SECONDS = 40.0  # well under botocore's 60 s read timeout
_GLANCE_SECONDS = 2.0

DESCRIBES = {
    "DescribeTrainingJob": (Kind.TRAINING_JOB, "TrainingJobName"),
    "DescribeHyperParameterTuningJob": (Kind.TUNING_JOB, "HyperParameterTuningJobName"),
    "DescribeTransformJob": (Kind.TRANSFORM_JOB, "TransformJobName"),
    "DescribeEndpoint": (Kind.ENDPOINT, "EndpointName"),
}
_PASSING = frozenset(
    {
        Status.IN_PROGRESS,
        Status.STOPPING,
        Status.CREATING,
        Status.UPDATING,
        Status.ROLLING_BACK,
        Status.DELETING,
    }
)
_MOST_REMEMBERED = 10_000


class Holder:
    """Remembers which status of which resource was told, and to whom."""

    def __init__(self, registry: Registry, seconds: float = MOST_SECONDS) -> None:
        self._registry, self._seconds = registry, seconds
        self._told: dict[tuple[str, str], Status] = {}

    async def wait(self, operation: str, request: dict[str, object], region: str, client: str) -> None:
        """Return once a Describe by this client has something new to say, or the time is up.

        Args:
            client: the request's User-Agent.
        """
        if self._seconds <= 0 or operation not in DESCRIBES:
            return
        kind, member = DESCRIBES[operation]
        record = self._registry.get(kind, region, str(request[member]))
        if record is None or record.status not in _PASSING:
            return
        if self._first(record, client) and not _impatient(client):
            return
        await self._news(record, self._seconds if _waits(client) else min(self._seconds, _GLANCE_SECONDS))

    def _first(self, record: Record, client: str) -> bool:
        key = (client, record.arn)
        first = self._told.get(key) != record.status
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told[key] = record.status
        return first

    async def _news(self, record: Record, seconds: float) -> None:
        until, seen = _now() + seconds, record
        while (left := until - _now()) > 0 and await self._registry.changed(seen, left):
            newest = self._registry.state(record.kind, record.region, record.name)
            if newest is None or newest[0] != record.status:
                return
            seen = replace(record, version=newest[1])


def _impatient(client: str) -> bool:
    """Whether the client sleeps for long after a first answer: botocore's waiters mark themselves ``B`` among
    the features of their User-Agent (``m/B,...``), SDK 2 names itself."""
    if "AWS-SageMaker-Python-SDK#2" in client:
        return True
    features = next((part[2:] for part in client.split() if part.startswith("m/")), "")
    return "B" in features.split(",")


def _waits(client: str) -> bool:
    """Whether an SDK asks, which only wants to know when it is over; sagemaker-core names itself, too."""
    return _impatient(client) or "AWS-SageMakerCore#" in client


def _now() -> float:
    return asyncio.get_running_loop().time()
