"""All endpoints of this server, on the event loop that also answers for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from corelab.engine.serving_contract import (
    InvocationRequest,
    InvocationTimeout,
    ModelProcessDied,
)
from corelab.resources.records import Record
from corelab.resources.registry import NotThere, Registry
from corelab.resources.serving.deployment import Deployer
from corelab.resources.serving.live import Generation, LiveEndpoint
from corelab.resources.serving.meter import Meter
from corelab.resources.serving.pools import Answer, NoneReady
from corelab.resources.serving.worker import StartFailed
from corelab.resources.states import Kind, Status

log = logging.getLogger(__name__)

_TEND_SECONDS = 1.0
_SCALE_TICKS = 5
_RESTORE_SECONDS = 30.0
_SERVING = frozenset({Status.IN_SERVICE, Status.UPDATING, Status.ROLLING_BACK})


class NotServing(Exception):
    """There is no such endpoint, or it does not serve."""


class UnknownVariant(Exception):
    """The endpoint has no variant of that name."""


class LiveFleet:
    """Finds the endpoint of a request, and lets the deployer change endpoints in the background."""

    def __init__(self, registry: Registry, deployer: Deployer, meter: Meter) -> None:
        self._registry, self._deployer, self.meter = registry, deployer, meter
        self._live: dict[tuple[str, str], LiveEndpoint] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scale: Callable[[], None] | None = None

    def scale_with(self, look: Callable[[], None]) -> None:
        """Have ``look`` called in a thread every few seconds; it may call ``resize``."""
        self._scale = look

    async def open(self) -> None:
        """Take this loop as home, and bring back what served before."""
        self._loop = asyncio.get_running_loop()
        self._spawn(self._tend())
        for record in await asyncio.to_thread(self._registry.find, Kind.ENDPOINT):
            live = self._place(record)
            if record.status is Status.CREATING:
                self._spawn(self._deployer.create(record, live))
            elif record.status in _SERVING:
                self._spawn(self._deployer.restore(record, live))
            elif record.status is Status.DELETING:
                self._spawn(self._deployer.delete(record, live))

    def create(self, record: Record) -> None:
        """Bring up an endpoint that is Creating. From any thread, as the next three."""
        self._hand_over(lambda live: self._deployer.create(record, live), record)

    def update(self, record: Record, coming: Mapping[str, Any]) -> None:
        self._hand_over(lambda live: self._deployer.update(record, live, coming), record)

    def resize(self, record: Record, wanted: Sequence[Mapping[str, Any]]) -> None:
        self._hand_over(lambda live: self._deployer.resize(record, live, wanted), record)

    def delete(self, record: Record) -> None:
        self._hand_over(lambda live: self._remove(record, live), record)

    async def invoke(
        self, region: str, name: str, request: InvocationRequest, variant: str | None
    ) -> tuple[str, Answer]:
        """(name of the variant that answered, its answer).

        Raises:
            NotServing, UnknownVariant: nobody was asked.
            Throttled, NoneReady, StartFailed, InvocationTimeout, ModelProcessDied: asked in vain.
        """
        generation = await self._generation(region, name)
        chosen = generation.choose() if variant is None else generation.named(variant)
        if chosen is None:
            raise UnknownVariant(variant)
        place = (region, name, chosen.variant.name)
        began = asyncio.get_running_loop().time()
        try:
            answer = await chosen.pool.invoke(request)
        except (NoneReady, StartFailed, InvocationTimeout, ModelProcessDied):
            self.meter.count(place, 0, asyncio.get_running_loop().time() - began, 0.0)
            raise
        spent = asyncio.get_running_loop().time() - began
        overhead = max(0.0, spent - answer.model_seconds - (answer.setup_seconds or 0.0))
        self.meter.count(place, answer.response.status, answer.model_seconds, overhead, answer.setup_seconds)
        return chosen.variant.name, answer

    def is_serverless(self, region: str, name: str) -> bool:
        live = self._live.get((region, name.lower()))
        return live is not None and live.current is not None and live.current.serverless

    def close(self) -> None:
        """End all processes; the endpoints stay what they are, for the next server."""
        for task in self._tasks:
            task.cancel()
        for live in self._live.values():
            live.close()

    async def _generation(self, region: str, name: str) -> Generation:
        live = self._live.get((region, name.lower()))
        if live is None:
            raise NotServing(name)
        if live.current is None and self._restoring(region, live.name):
            # The server has just started: what was in service will be in a moment.
            try:
                await asyncio.wait_for(live.up.wait(), _RESTORE_SECONDS)
            except TimeoutError as error:
                raise NotServing(name) from error
        generation = live.generation()
        if generation is None:
            raise NotServing(name)
        return generation

    def _restoring(self, region: str, name: str) -> bool:
        record = self._registry.get(Kind.ENDPOINT, region, name)
        return record is not None and record.status in _SERVING

    def _place(self, record: Record) -> LiveEndpoint:
        key = (record.region, record.name.lower())
        return self._live.setdefault(key, LiveEndpoint(record.region, record.name))

    async def _remove(self, record: Record, live: LiveEndpoint) -> None:
        self._live.pop((record.region, record.name.lower()), None)
        await self._deployer.delete(record, live)

    def _hand_over(self, work: Any, record: Record) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(lambda: self._spawn(self._guarded(work(self._place(record)), record)))

    async def _guarded(self, work: Coroutine[Any, Any, None], record: Record) -> None:
        try:
            await work
        except NotThere:  # it was deleted meanwhile
            log.info("endpoint %s is gone", record.name)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error(
                "work on an endpoint ended with an error of the server's own", exc_info=task.exception()
            )

    async def _tend(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(_TEND_SECONDS)
            for live in list(self._live.values()):
                for generation in live.generations():
                    for variant in generation.variants:
                        try:
                            await variant.pool.tend()
                        except StartFailed:
                            log.warning("a process of %s did not come up", live.name)
            await asyncio.to_thread(self.meter.flush)
            if self._scale is not None and (ticks := ticks + 1) % _SCALE_TICKS == 0:
                await asyncio.to_thread(self._scale)
