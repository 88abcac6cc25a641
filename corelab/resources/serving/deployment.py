"""What happens to an endpoint over time: it is created, updated blue/green, resized, deleted, restored.

Creating ─▶ InService ◀──────────────┐
    └─▶ Failed   └─▶ Updating ─▶ (shift) ─▶ (bake) ─▶ old fleet ends
                          └─ failure or alarm ─▶ RollingBack ─▶ back on the old configuration
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from corelab.resources.records import Record
from corelab.resources.registry import Registry
from corelab.resources.serving import plan
from corelab.resources.serving.artifact import ArtifactUnusable, unpack
from corelab.resources.serving.live import Generation, Host, LiveEndpoint, LiveVariant
from corelab.resources.serving.plan import Variant
from corelab.resources.serving.worker import StartFailed
from corelab.resources.states import Status
from corelab.store.contract import Identity, ObjectStore

# A client that creates and then describes sees Creating, on a busy machine too (Service spec 8.1).
_SHORTEST_CREATION_SECONDS = 1.0
_ALARM_SECONDS = 1.0
_ALL_AT_ONCE = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}

AlarmState = Callable[[str, str], str | None]
"""(region, alarm name) -> OK, ALARM, INSUFFICIENT_DATA, or None when there is no such alarm."""


class RolledBack(Exception):
    """An alarm went off while the new fleet was baking."""


class Deployer:
    """Moves endpoints from state to state; every method runs on the event loop."""

    def __init__(
        self,
        registry: Registry,
        objects: ObjectStore,
        identity: Identity,
        host: Host,
        folder: Path,
        alarm_state: AlarmState,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._registry, self._objects, self._identity, self._host = registry, objects, identity, host
        self._folder, self._alarm_state, self._now = folder, alarm_state, now

    async def create(self, record: Record, live: LiveEndpoint) -> None:
        """From Creating to InService or Failed."""
        earliest = asyncio.get_running_loop().time() + _SHORTEST_CREATION_SECONDS
        variants = plan.from_json(record.private["variants"])
        try:
            generation = await self._build(record, variants, record.private["id"])
        except _DeploymentFailed as failure:
            reason = str(failure)
            await self._change(record, lambda r: r.advance(Status.FAILED, self._now(), FailureReason=reason))
            return
        live.current = generation
        live.up.set()
        await asyncio.sleep(earliest - asyncio.get_running_loop().time())
        facts = {"ProductionVariants": _described(generation), "PendingDeploymentSummary": None}
        await self._change(record, lambda r: r.advance(Status.IN_SERVICE, self._now(), **facts))

    async def update(self, record: Record, live: LiveEndpoint, coming: Mapping[str, Any]) -> None:
        """Blue/green: the old fleet serves until the new one has taken all traffic and baked.

        Args:
            coming: the update's ``config``, ``variants``, ``id`` and ``deployment`` (AWS's DeploymentConfig).
        """
        try:
            generation = await self._build(record, plan.from_json(coming["variants"]), coming["id"])
        except _DeploymentFailed as failure:
            await self._return(record, live, str(failure))
            self._forget(coming["id"])
            return
        live.coming, live.coming_share = generation, 0.0
        try:
            await self._shift(record.region, live, coming["deployment"])
        except RolledBack as alarm:
            await self._change(record, lambda r: r.advance(Status.ROLLING_BACK, self._now()))
            live.coming = None
            generation.close()
            await self._return(record, live, str(alarm))
            self._forget(coming["id"])
            return
        old, live.current, live.coming = live.current, generation, None
        await self._settle(record, coming, generation)
        await asyncio.sleep(coming["deployment"].get("TerminationWaitInSeconds", 0))
        if old is not None:
            old.close()
        self._forget(record.private["id"])

    async def resize(self, record: Record, live: LiveEndpoint, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Other weights or instance counts, variant by variant (UpdateEndpointWeightsAndCapacities)."""
        generation, reason = live.current, None
        assert generation is not None
        for desired in wanted:
            variant = generation.named(desired["VariantName"])
            assert variant is not None
            try:
                await variant.change(desired.get("DesiredWeight"), desired.get("DesiredInstanceCount"))
            except StartFailed:
                reason = _no_ping(variant.variant)
        facts = {"ProductionVariants": _described(generation), "FailureReason": reason}
        stored = plan.to_json([variant.variant for variant in generation.variants])

        def settle(newest: Record) -> Record:
            settled = newest.advance(Status.IN_SERVICE, self._now(), **facts)
            return replace(settled, private={**newest.private, "variants": stored})

        await self._change(record, settle)

    async def delete(self, record: Record, live: LiveEndpoint) -> None:
        live.close()
        await asyncio.to_thread(self._forget, record.private["id"])
        await asyncio.to_thread(self._registry.delete, record)

    async def restore(self, record: Record, live: LiveEndpoint) -> None:
        """After a restart: in service again on the last configuration that was, from the files kept then."""
        variants = plan.from_json(record.private["variants"])
        folder = self._folder / record.private["id"]
        generation = Generation([self._live(record, variant, folder) for variant in variants])
        try:
            await generation.start()
        except StartFailed:
            reason = _no_ping(variants[0])
            await self._change(record, lambda r: r.advance(Status.FAILED, self._now(), FailureReason=reason))
            return
        live.current = generation
        live.up.set()
        if record.status is not Status.IN_SERVICE:
            await self._return(
                record, live, "The update was interrupted because the local SageMaker was stopped."
            )

    async def _build(self, record: Record, variants: list[Variant], identity: str) -> Generation:
        folder = self._folder / identity
        for variant in variants:
            try:
                await asyncio.to_thread(self._unpack, variant, folder)
            except ArtifactUnusable as error:
                raise _DeploymentFailed(
                    f"Failed to download model data for variant {variant.name}: {error}"
                ) from error
        generation = Generation([self._live(record, variant, folder) for variant in variants])
        try:
            await generation.start()
        except StartFailed as error:
            raise _DeploymentFailed(_no_ping(variants[0])) from error
        return generation

    def _unpack(self, variant: Variant, folder: Path) -> None:
        target = folder / variant.name / "model"
        if variant.artifact is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            unpack(self._objects, self._identity, variant.role, variant.artifact, target)

    def _live(self, record: Record, variant: Variant, folder: Path) -> LiveVariant:
        return LiveVariant(self._host, record.region, record.name, variant, folder / variant.name)

    async def _shift(self, region: str, live: LiveEndpoint, deployment: Mapping[str, Any]) -> None:
        """Give the new fleet its traffic step by step; after each step it bakes. Raises RolledBack."""
        routing = deployment.get("TrafficRoutingConfiguration", _ALL_AT_ONCE)
        alarms = [a["AlarmName"] for a in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", ())]
        assert live.coming is not None
        sizes = max((v.variant.count for v in live.coming.variants), default=1) or 1
        for share in shares(routing, sizes):
            live.coming_share = share
            await self._bake(region, alarms, routing["WaitIntervalInSeconds"])

    async def _bake(self, region: str, alarms: list[str], seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            for alarm in alarms:
                if await asyncio.to_thread(self._alarm_state, region, alarm) == "ALARM":
                    raise RolledBack(f"The deployment was rolled back because the alarm {alarm} went off.")
            left = end - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, _ALARM_SECONDS))

    async def _settle(self, record: Record, coming: Mapping[str, Any], generation: Generation) -> None:
        facts = {
            "EndpointConfigName": coming["config"],
            "ProductionVariants": _described(generation),
            "PendingDeploymentSummary": None,
            "FailureReason": None,
            "LastDeploymentConfig": coming["deployment"] or None,
        }

        def settled(newest: Record) -> Record:
            done = newest.advance(Status.IN_SERVICE, self._now(), **facts)
            return replace(done, private={"id": coming["id"], "variants": coming["variants"]})

        await self._change(record, settled)

    async def _return(self, record: Record, live: LiveEndpoint, reason: str) -> None:
        """Back in service on the old configuration, saying why (Service spec 8.3)."""
        assert live.current is not None
        facts = {
            "FailureReason": reason,
            "PendingDeploymentSummary": None,
            "ProductionVariants": _described(live.current),
        }
        await self._change(record, lambda r: r.advance(Status.IN_SERVICE, self._now(), **facts))

    async def _change(self, record: Record, edit: Callable[[Record], Record]) -> None:
        await asyncio.to_thread(self._registry.change, record, edit)

    def _forget(self, identity: str) -> None:
        shutil.rmtree(self._folder / identity, ignore_errors=True)


class _DeploymentFailed(Exception):
    """Carries the endpoint's FailureReason."""


def shares(routing: Mapping[str, Any], instances: int) -> Iterator[float]:
    """The new fleet's share of the traffic after each step of ALL_AT_ONCE, CANARY or LINEAR routing."""
    step = routing.get("CanarySize") or routing.get("LinearStepSize")
    if routing["Type"] == "ALL_AT_ONCE" or not step:
        yield 1.0
        return
    part = step["Value"] / (100 if step["Type"] == "CAPACITY_PERCENT" else instances)
    share = part
    while share < 1.0 - 1e-9:
        yield share
        share = 1.0 if routing["Type"] == "CANARY" else share + part
    yield 1.0


def _described(generation: Generation) -> list[dict[str, Any]]:
    return [live.variant.described for live in generation.variants]


def _no_ping(variant: Variant) -> str:
    """Service spec 5.2."""
    if variant.serverless is not None:
        return (
            "Unable to successfully stand up your model within the allotted 180 second timeout. Please ensure that "
            "downloading your model artifacts, starting your model container and passing the ping health checks can "
            "be completed within 180 seconds."
        )
    return (
        f"The primary container for production variant {variant.name} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
