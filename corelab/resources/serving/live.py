"""An endpoint that serves: its variants, their shares of the traffic, the pools behind them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from pathlib import Path

from corelab.engine.serving_contract import ModelServer
from corelab.resources.serving.plan import Variant
from corelab.resources.serving.pools import Pool, ProvisionedPool, ServerlessPool
from corelab.resources.serving.worker import Surroundings
from corelab.store.contract import LogStore, MetricStore


@dataclass(frozen=True, slots=True)
class Host:
    """What fleets run on."""

    server: ModelServer
    logs: LogStore
    metrics: MetricStore
    idle_seconds: float


class LiveVariant:
    """A variant and its pool."""

    def __init__(self, host: Host, region: str, endpoint: str, variant: Variant, folder: Path) -> None:
        self.variant = variant
        place = Surroundings(host.server, host.logs, host.metrics, region, endpoint, variant, folder)
        self.pool: Pool = (
            ServerlessPool(place, variant.serverless, host.idle_seconds)
            if variant.serverless is not None
            else ProvisionedPool(place, variant.count)
        )

    async def change(self, weight: float | None, count: int | None) -> None:
        """Another share of the traffic, another number of instances. Raises StartFailed."""
        if count is not None and isinstance(self.pool, ProvisionedPool):
            await self.pool.resize(count)
            self.variant = replace(self.variant, count=count)
        if weight is not None:
            self.variant = replace(self.variant, weight=weight)


class Generation:
    """All variants of one deployment."""

    def __init__(self, variants: list[LiveVariant]) -> None:
        self.variants = variants

    async def start(self) -> None:
        """Bring every variant up. Raises StartFailed; nothing of it runs then."""
        try:
            await asyncio.gather(*(live.pool.start() for live in self.variants))
        except BaseException:  # one failed or the whole was cancelled: the others must not stay
            self.close()
            raise

    def named(self, name: str) -> LiveVariant | None:
        return next((live for live in self.variants if live.variant.name == name), None)

    def choose(self) -> LiveVariant:
        """One variant by weight; weight 0 is never chosen while another has more (Service spec 8.3)."""
        if len(self.variants) == 1:
            return self.variants[0]
        weights = [live.variant.weight for live in self.variants]
        if not any(weights):
            return random.choice(self.variants)  # noqa: S311 (traffic, no secret)
        return random.choices(self.variants, weights)[0]  # noqa: S311 (traffic, no secret)

    @property
    def serverless(self) -> bool:
        return any(live.variant.serverless is not None for live in self.variants)

    def close(self) -> None:
        for live in self.variants:
            live.pool.close()


class LiveEndpoint:
    """An endpoint's traffic: on one generation, or shared between an old and a new one while it is updated."""

    def __init__(self, region: str, name: str) -> None:
        self.region, self.name = region, name
        self.current: Generation | None = None
        self.coming: Generation | None = None
        self.coming_share = 0.0  # of the traffic, from 0 to 1
        self.up = asyncio.Event()

    def generation(self) -> Generation | None:
        """Which generation answers the next request."""
        if self.coming is not None and random.random() < self.coming_share:  # noqa: S311 (traffic, no secret)
            return self.coming
        return self.current

    def generations(self) -> list[Generation]:
        return [generation for generation in (self.current, self.coming) if generation is not None]

    def close(self) -> None:
        for generation in self.generations():
            generation.close()
        self.current = self.coming = None
