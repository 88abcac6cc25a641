"""The model processes of one transform instance, as many as its container would have workers."""

from __future__ import annotations

import json
import os
import queue
import threading

from corelab.engine.model_client import BlockingModelClient
from corelab.engine.serving_contract import (
    InvocationRequest,
    InvocationResponse,
    InvocationTimeout,
    ModelProcess,
    ModelProcessDied,
    ModelServer,
    ServingSpec,
)
from corelab.resources.log_pump import LogPump
from corelab.resources.usage import UsageSampler
from corelab.store.contract import LogStore, MetricStore

LOG_GROUP = "/aws/sagemaker/TransformJobs"
START_SECONDS = 240.0
# One request being answered and one waiting keep a process busy all the time.
_REQUESTS_A_PROCESS = 2


class ModelDown(Exception):
    """The model does not come up: its process ended, or its ping was not answered with 200."""


class BatchModel:
    """Answers invocations from any thread; all its processes log to ``stream``. A dead one is replaced."""

    def __init__(
        self,
        server: ModelServer,
        spec: ServingSpec,
        logs: LogStore,
        metrics: MetricStore,
        region: str,
        stream: str,
    ) -> None:
        """Starts the first process. Raises ModelDown."""
        self._server, self._spec, self._logs, self._metrics = server, spec, logs, metrics
        self._region, self._stream = region, stream
        self._lock = threading.Lock()
        self._closed = False
        self._pumps: list[LogPump] = []
        self._seats: list[_Seat] = []
        self._free: queue.SimpleQueue[_Seat] = queue.SimpleQueue()
        self._add()

    def grow(self, concurrency: int) -> None:
        """Have a process for each request that may be under way, up to the machine's cores. Raises ModelDown."""
        while len(self._seats) < min(concurrency, os.cpu_count() or 1):
            self._add()

    def invoke(self, request: InvocationRequest, seconds: float) -> InvocationResponse:
        """Raises InvocationTimeout and ModelProcessDied; a new process stands ready for the next try then."""
        seat = self._free.get()
        client = seat.client
        try:
            return client.invoke(request, seconds)
        except (InvocationTimeout, ModelProcessDied):
            self._restart(seat, client)
            raise
        finally:
            self._free.put(seat)

    def execution_parameters(self) -> dict[str, object]:
        """What the container suggests for MaxConcurrentTransforms and MaxPayloadInMB."""
        answer: dict[str, object] = json.loads(self._seats[0].client.execution_parameters(START_SECONDS).body)
        return answer

    def sampler(self, host: str) -> UsageSampler:
        return UsageSampler(
            self._seats[0].process.container,
            self._metrics,
            self._region,
            LOG_GROUP,
            {"Host": host},
            self._spec.memory_bytes,
        )

    def close(self) -> None:
        """End the processes and wait until their last lines are in the log."""
        with self._lock:
            self._closed = True
            for seat in self._seats:
                seat.client.close()
        for pump in self._pumps:
            pump.join()

    def _add(self) -> None:
        seat = _Seat(*self._start())
        self._seats.append(seat)
        for _ in range(_REQUESTS_A_PROCESS):
            self._free.put(seat)

    def _start(self) -> tuple[ModelProcess, BlockingModelClient]:
        process = self._server.start(self._spec)
        pump = LogPump(process.container, self._logs, self._region, LOG_GROUP, self._stream)
        pump.start()
        self._pumps.append(pump)
        client = BlockingModelClient(process.connection)
        try:
            answer = client.ping(START_SECONDS)
        except (InvocationTimeout, ModelProcessDied) as error:
            client.close()
            pump.join()
            raise ModelDown(str(error)) from error
        if answer.status != 200:
            client.close()
            pump.join()
            raise ModelDown(f"ping answered {answer.status}")
        return process, client

    def _restart(self, seat: _Seat, failed: BlockingModelClient) -> None:
        with self._lock:
            if seat.client is not failed or self._closed:
                return
            failed.close()
            try:
                seat.process, seat.client = self._start()
            except ModelDown:  # the caller's next try finds the dead client and reports that
                return


class _Seat:
    """A process and the client that asks it; both are replaced when it dies."""

    def __init__(self, process: ModelProcess, client: BlockingModelClient) -> None:
        self.process, self.client = process, client
