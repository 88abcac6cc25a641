"""One model process of an endpoint: its start, its log, its end."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from corelab.engine.images import resolve
from corelab.engine.instances import instance_type
from corelab.engine.model_client import AsyncModelClient
from corelab.engine.serving_contract import (
    InvocationRequest,
    InvocationResponse,
    InvocationTimeout,
    ModelProcessDied,
    ModelServer,
    ServingSpec,
)
from corelab.resources.log_pump import LogPump
from corelab.resources.serving.plan import Variant
from corelab.resources.usage import UsageSampler
from corelab.store.contract import LogStore, MetricStore

PROVISIONED_START_SECONDS = 240.0
SERVERLESS_START_SECONDS = 180.0
STOP_GRACE_SECONDS = 30.0
_USAGE = "/aws/sagemaker/Endpoints"


class StartFailed(Exception):
    """The model did not come up: its process ended, or its ping was not answered with 200."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the workers of one variant live and report."""

    server: ModelServer
    logs: LogStore
    metrics: MetricStore
    region: str
    endpoint: str
    variant: Variant
    folder: Path  # holds ``model``

    @property
    def memory_bytes(self) -> int:
        if self.variant.serverless is not None:
            return self.variant.serverless.memory_mb << 20
        return instance_type(self.variant.instance_type or "").memory_bytes

    @property
    def spec(self) -> ServingSpec:
        return ServingSpec(
            root=self.folder,
            environment=self.variant.environment,
            memory_bytes=self.memory_bytes,
            cpu_count=1 if self.variant.serverless else instance_type(self.variant.instance_type or "").vcpus,
            notes=resolve(self.variant.image).notes,
        )


class Worker:
    """A model process that has answered its ping.

    Attributes:
        setup_seconds: from the decision to start it to its first healthy ping.
        idle_since: when it last finished a request, on the loop's clock.
    """

    def __init__(
        self, client: AsyncModelClient, pump: LogPump, sampler: UsageSampler, setup_seconds: float
    ) -> None:
        self._client, self._pump, self._sampler = client, pump, sampler
        self.setup_seconds = setup_seconds
        self.idle_since = asyncio.get_running_loop().time()

    @classmethod
    async def start(cls, place: Surroundings) -> Worker:
        """Raises StartFailed."""
        began = time.perf_counter()
        process = await asyncio.to_thread(place.server.start, place.spec)
        identity = f"{place.variant.name}/{_instance_id(place.variant)}"
        group = f"/aws/sagemaker/Endpoints/{place.endpoint}"
        pump = LogPump(process.container, place.logs, place.region, group, identity)
        pump.start()
        client = await AsyncModelClient.connect(process.connection)
        seconds = SERVERLESS_START_SECONDS if place.variant.serverless else PROVISIONED_START_SECONDS
        try:
            answer = await client.ping(seconds)
        except (ModelProcessDied, InvocationTimeout) as error:
            client.close()
            raise StartFailed(str(error)) from error
        if answer.status != 200:
            client.close()
            raise StartFailed(f"ping answered {answer.status}")
        dimensions = {"EndpointName": place.endpoint, "VariantName": place.variant.name}
        sampler = UsageSampler(
            process.container, place.metrics, place.region, _USAGE, dimensions, place.memory_bytes
        )
        return cls(client, pump, sampler, time.perf_counter() - began)

    @property
    def alive(self) -> bool:
        return not self._client.ended.done()

    @property
    def pending(self) -> int:
        return self._client.pending

    @property
    def ended(self) -> asyncio.Future[None]:
        return self._client.ended

    async def invoke(self, request: InvocationRequest) -> InvocationResponse:
        """The container's answer. Raises InvocationTimeout, after which the worker is gone, and ModelProcessDied."""
        try:
            return await self._client.invoke(request)
        except InvocationTimeout:
            self.close()
            raise
        finally:
            self.idle_since = asyncio.get_running_loop().time()

    def sample(self) -> None:
        """Report CPU and memory, if a reading is due."""
        self._sampler.sample()

    def close(self) -> None:
        """End the process; whoever waits for it is told."""
        self._client.close()


def _instance_id(variant: Variant) -> str:
    return uuid.uuid4().hex if variant.serverless else f"i-{uuid.uuid4().hex[:17]}"
