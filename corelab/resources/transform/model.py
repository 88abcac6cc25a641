"""The model container of one transform instance, started again when it dies."""

from __future__ import annotations

import json
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


class ModelDown(Exception):
    """The model does not come up: its process ended, or its ping was not answered with 200."""


class BatchModel:
    """Answers invocations from any thread; its log goes to ``stream``."""

    def __init__(
        self,
        server: ModelServer,
        spec: ServingSpec,
        logs: LogStore,
        metrics: MetricStore,
        region: str,
        stream: str,
    ) -> None:
        self._server, self._spec, self._logs, self._metrics = server, spec, logs, metrics
        self._region, self._stream = region, stream
        self._lock = threading.Lock()
        self._closed = False
        self._pumps: list[LogPump] = []
        self._process, self._client = self._start()

    def invoke(self, request: InvocationRequest, seconds: float) -> InvocationResponse:
        """Raises InvocationTimeout and ModelProcessDied; a new process stands ready for the next try then."""
        client = self._client
        try:
            return client.invoke(request, seconds)
        except (InvocationTimeout, ModelProcessDied):
            self._restart(client)
            raise

    def execution_parameters(self) -> dict[str, object]:
        """What the container suggests for MaxConcurrentTransforms and MaxPayloadInMB."""
        answer: dict[str, object] = json.loads(self._client.execution_parameters(START_SECONDS).body)
        return answer

    def sampler(self, host: str) -> UsageSampler:
        return UsageSampler(
            self._process.container,
            self._metrics,
            self._region,
            LOG_GROUP,
            {"Host": host},
            self._spec.memory_bytes,
        )

    def close(self) -> None:
        """End the process and wait until its last line is in the log."""
        with self._lock:
            self._closed = True
            self._client.close()
        for pump in self._pumps:
            pump.join()

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

    def _restart(self, failed: BlockingModelClient) -> None:
        with self._lock:
            if self._client is not failed or self._closed:
                return
            failed.close()
            try:
                self._process, self._client = self._start()
            except ModelDown:  # the caller's next try finds the dead client and reports that
                return
