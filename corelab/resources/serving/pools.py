"""The processes behind one variant: a fixed number of instances, or as many as there are requests.

ProvisionedPool   instances stay; one that dies is replaced, requests wait for it
ServerlessPool    a process a request, started on demand, ended when idle, never more than allowed
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from corelab.engine.serving_contract import InvocationRequest, InvocationResponse, ModelProcessDied
from corelab.resources.serving.plan import Serverless
from corelab.resources.serving.worker import StartFailed, Surroundings, Worker

_RETRY_SECONDS = 1.0
_WAIT_SECONDS = 60.0


class Throttled(Exception):
    """More requests at once than the variant may serve."""


class NoneReady(Exception):
    """No instance is up, and none came up in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A container's response and what it took; ``setup_seconds`` only after a cold start."""

    response: InvocationResponse
    model_seconds: float
    setup_seconds: float | None = None


class Pool(Protocol):
    """What answers for a variant. All methods belong to one event loop."""

    @property
    def size(self) -> int: ...

    async def start(self) -> None:
        """Bring it up. Raises StartFailed."""

    async def invoke(self, request: InvocationRequest) -> Answer:
        """Raises Throttled, NoneReady, StartFailed, InvocationTimeout, ModelProcessDied."""

    async def tend(self) -> None:
        """Called every second: replace, retire, report."""

    def close(self) -> None: ...


class ProvisionedPool:
    """As many processes as the variant has instances."""

    def __init__(self, place: Surroundings, count: int) -> None:
        self._place, self._count = place, count
        self._workers: list[Worker] = []
        self._changed = asyncio.Condition()
        self._starting = 0
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        return len(self._workers)

    async def start(self) -> None:
        await asyncio.gather(*(self._add() for _ in range(self._count)))

    async def invoke(self, request: InvocationRequest) -> Answer:
        workers = [worker for worker in self._workers if worker.alive] or [await self._first()]
        worker = workers[0] if len(workers) == 1 else min(workers, key=lambda w: w.pending)
        began = time.perf_counter()
        response = await worker.invoke(request)
        return Answer(response, time.perf_counter() - began)

    async def resize(self, count: int) -> None:
        """Have that many instances. Raises StartFailed."""
        self._count = count
        while len(self._workers) > count:
            self._workers.pop().close()
        await asyncio.gather(*(self._add() for _ in range(count - len(self._workers))))

    async def tend(self) -> None:
        self._workers = [worker for worker in self._workers if worker.alive]
        for _ in range(self._count - len(self._workers) - self._starting):
            self._replace()
        for worker in self._workers:
            await asyncio.to_thread(worker.sample)

    def close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for worker in self._workers:
            worker.close()

    async def _add(self) -> None:
        worker = await Worker.start(self._place)
        if self._closed:
            worker.close()
            return
        worker.ended.add_done_callback(lambda _: self._replace())
        async with self._changed:
            self._workers.append(worker)
            self._changed.notify_all()

    def _replace(self) -> None:
        self._workers = [worker for worker in self._workers if worker.alive]
        if self._closed or len(self._workers) + self._starting >= self._count:
            return
        self._starting += 1
        task = asyncio.get_running_loop().create_task(self._add_again())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add_again(self) -> None:
        try:
            await self._add()
        except StartFailed:  # the next tending tries again, not at once
            await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self._starting -= 1

    async def _first(self) -> Worker:
        async with self._changed:
            try:
                await asyncio.wait_for(
                    self._changed.wait_for(lambda: any(w.alive for w in self._workers)), _WAIT_SECONDS
                )
            except TimeoutError as error:
                raise NoneReady("no instance is in service") from error
            return next(worker for worker in self._workers if worker.alive)


class ServerlessPool:
    """One process for each request in flight, up to MaxConcurrency; idle ones end, the provisioned ones stay."""

    def __init__(self, place: Surroundings, config: Serverless, idle_seconds: float) -> None:
        self._place, self._config, self._idle_seconds = place, config, idle_seconds
        self._idle: list[Worker] = []
        self._live = 0
        self._closed = False

    @property
    def size(self) -> int:
        return self._live

    async def start(self) -> None:
        """One process proves that the model comes up; the provisioned ones stay warm."""
        await asyncio.gather(*(self._warm() for _ in range(max(1, self._config.provisioned_concurrency))))

    async def invoke(self, request: InvocationRequest) -> Answer:
        worker, cold = await self._take()
        began = time.perf_counter()
        try:
            response = await worker.invoke(request)
        except ModelProcessDied:
            if self._closed:
                raise NoneReady("the endpoint was changed or deleted meanwhile") from None
            raise
        finally:
            self._put_back(worker)
        return Answer(response, time.perf_counter() - began, worker.setup_seconds if cold else None)

    async def tend(self) -> None:
        now = asyncio.get_running_loop().time()
        self._drop_dead()
        # The longest idle come first: requests take from the other end.
        while self._live > self._config.provisioned_concurrency and self._idle:
            if now - self._idle[0].idle_since < self._idle_seconds:
                break
            self._idle.pop(0).close()
            self._live -= 1
        for _ in range(self._config.provisioned_concurrency - self._live):
            await self._warm()
        for worker in list(self._idle):
            await asyncio.to_thread(worker.sample)

    def close(self) -> None:
        self._closed = True
        for worker in self._idle:
            worker.close()

    async def _take(self) -> tuple[Worker, bool]:
        self._drop_dead()
        if self._idle:
            return self._idle.pop(), False
        if self._live >= self._config.max_concurrency:
            raise Throttled
        return await self._start_one(), True

    async def _warm(self) -> None:
        self._put_back(await self._start_one())

    async def _start_one(self) -> Worker:
        self._live += 1
        try:
            return await Worker.start(self._place)
        except BaseException:  # cancelled, failed: in every case one less
            self._live -= 1
            raise

    def _put_back(self, worker: Worker) -> None:
        if not worker.alive:
            self._live -= 1
        elif self._closed:
            worker.close()
        else:
            self._idle.append(worker)

    def _drop_dead(self) -> None:
        dead = [worker for worker in self._idle if not worker.alive]
        self._live -= len(dead)
        self._idle = [worker for worker in self._idle if worker.alive]
