"""The front: where the parts are put together, once, and where every request enters.

guard ─▶ signature ─▶ a page of our own?        ─▶ console
                   ├▶ an endpoint's invocation? ─▶ runtime ─▶ the live fleet      ─▶ journal
                   ├▶ an operation of ours?     ─▶ control ─▶ services, resources ─▶ journal
                   └▶ S3, IAM, logs, ...        ─▶ moto on our durable stores     ─▶ journal
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

from corelab.aws.app import AwsServices
from corelab.aws.bridge import WsgiBridge
from corelab.console.ask import Sources
from corelab.console.bill import Accounts
from corelab.console.site import Console
from corelab.engine.local import LocalEngine
from corelab.engine.serving import LocalModelServer
from corelab.home import Home
from corelab.resources.cloud import Cloud
from corelab.resources.journal import Journal
from corelab.resources.ledger import Ledger
from corelab.resources.quotas import Quotas
from corelab.resources.recovery import end_interrupted_jobs
from corelab.resources.registry import Registry
from corelab.resources.runner import Runner
from corelab.resources.serving.autoscaler import Autoscaler
from corelab.resources.serving.deployment import Deployer
from corelab.resources.serving.fleet import LiveFleet
from corelab.resources.serving.live import Host
from corelab.resources.serving.meter import Meter
from corelab.server.control import Control
from corelab.server.exchange import Exchange
from corelab.server.hold import Holder
from corelab.server.http import Receive, Scope, Send
from corelab.server.signature import DEFAULT_REGION
from corelab.store.contract import Caller
from corelab.store.metrics import Metric

_MOTO_THREADS = 8
_NOBODY = Caller("123456789012", "", "")
_IDLE_SECONDS = 20.0  # AWS publishes none (Service spec 12); short, so that a lesson can show a cold start


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server may be told when it starts.

    Args:
        hold_seconds: how long a repeated Describe may wait for news; 0 answers every one at once.
        idle_seconds: after how long without requests a serverless process ends.
    """

    hold_seconds: float
    idle_seconds: float = float(os.environ.get("CORELAB_SERVERLESS_IDLE_SECONDS", _IDLE_SECONDS))


class Front:
    """The ASGI application of one home."""

    def __init__(self, home: Home, version: str, settings: Settings) -> None:
        self.version, self.journal = version, Journal(home.path / "journal.db")
        self.aws = AwsServices(home.aws)
        self.moto = WsgiBridge(self.aws.wsgi, _MOTO_THREADS)
        self._engine = LocalEngine()
        self._models = LocalModelServer(self._engine.host)
        registry = Registry(home.state_db)
        self.fleet = self._fleet(home, registry, settings)
        self._cloud = Cloud(
            registry=registry,
            objects=self.aws.objects,
            logs=self.aws.logs,
            metrics=self.aws.metrics,
            identity=self.aws.identity,
            engine=self._engine,
            models=self._models,
            runner=Runner(),
            fleet=self.fleet,
            quotas=Quotas.load(home.path / "quotas.toml"),
            jobs_folder=home.jobs,
            region=DEFAULT_REGION,
            caller=_NOBODY,
        )
        self.control = Control(self._cloud, Holder(registry, settings.hold_seconds))
        end_interrupted_jobs(registry, home.jobs, self._cloud.now())
        self._ledger = Ledger(home.path / "ledger.db", registry, self._cloud.now())
        self.console = Console(self._sources(version))

    async def open(self) -> None:
        """Pay the worker parent's start before the first job does, and bring endpoints back."""
        await asyncio.to_thread(self._engine.warm)
        await self.fleet.open()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Exchange(self, scope, receive, send).live()

    def close(self) -> None:
        self._cloud.runner.close()
        self._engine.close()
        self.control.close()
        self.fleet.meter.flush()
        self.journal.close()
        self.moto.close()
        self.aws.close()
        self._ledger.close()
        self._cloud.registry.close()

    def _fleet(self, home: Home, registry: Registry, settings: Settings) -> LiveFleet:
        host = Host(self._models, self.aws.logs, self.aws.metrics, settings.idle_seconds)
        deployer = Deployer(
            registry, self.aws.objects, self.aws.identity, host, home.path / "endpoints", self.aws.alarm_state
        )
        fleet = LiveFleet(registry, deployer, Meter(self.aws.metrics))
        fleet.scale_with(Autoscaler(registry, self._invocations, fleet.resize).look)
        return fleet

    def _sources(self, version: str) -> Sources:
        return Sources(
            cloud=self._cloud,
            journal=self.journal,
            accounts=Accounts(self._ledger, self.aws.metrics, self.journal),
            objects=self.aws.objects,
            logs=self.aws.logs,
            metrics=self.aws.metrics,
            version=version,
        )

    def _invocations(self, region: str, endpoint: str, variant: str, seconds: float) -> float:
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        metric = Metric("AWS/SageMaker", "Invocations", dimensions)
        now = time.time()
        return sum(point.total for point in self.aws.metrics.points(region, metric, now - seconds, now))
