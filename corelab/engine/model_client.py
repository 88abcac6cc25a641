"""Asking a model process: one client for the event loop, one for threads.

Both send every request at once and match answers by id, so that the process can predict all waiting rows in
one go. When the process ends, every waiting caller learns it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from concurrent import futures
from itertools import count
from typing import Self, cast

from corelab.engine.frames import CorruptFrame, FrameSplitter, Verb, read_response, request_head
from corelab.engine.serving_contract import (
    InvocationRequest,
    InvocationResponse,
    InvocationTimeout,
    ModelProcessDied,
)

INVOCATION_SECONDS = 60.0  # the platform's limit for one invocation (Service spec 8.1)
PING_SECONDS = 2.0
_SWEEP_SECONDS = 0.25
_JOINED = 16 << 10  # bytes: up to here one write of a copy beats two writes
_CHUNK = 256 << 10
_NOTHING = InvocationRequest(b"")


class AsyncModelClient(asyncio.Protocol):
    """The only client of one model process, for one event loop.

    Attributes:
        ended: resolved once the connection is gone, whoever closed it.
    """

    ended: asyncio.Future[None]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.WriteTransport | None = None
        self._splitter = FrameSplitter()
        self._waiting: dict[int, tuple[asyncio.Future[InvocationResponse], float]] = {}
        self._numbers = count()
        self._sweeper: asyncio.TimerHandle | None = None
        self.ended = loop.create_future()

    @classmethod
    async def connect(cls, connection: socket.socket) -> Self:
        """Take over the connection of a model process, see ``serving.ModelProcess``."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(loop), sock=connection)
        return client

    @property
    def pending(self) -> int:
        """How many requests wait for an answer, those whose caller has given up included."""
        return len(self._waiting)

    def invoke(
        self, request: InvocationRequest, timeout: float = INVOCATION_SECONDS
    ) -> asyncio.Future[InvocationResponse]:
        """Send POST /invocations now; await the result for the answer, whatever its status.

        The future raises InvocationTimeout after ``timeout`` seconds, to the nearest quarter, and
        ModelProcessDied when the process ends first.
        """
        return self._ask(Verb.INVOKE, request, timeout)

    def ping(self, timeout: float = PING_SECONDS) -> asyncio.Future[InvocationResponse]:
        """GET /ping, answered once the model is loaded; raises as ``invoke``."""
        return self._ask(Verb.PING, _NOTHING, timeout)

    def execution_parameters(self, timeout: float = PING_SECONDS) -> asyncio.Future[InvocationResponse]:
        """GET /execution-parameters; raises as ``invoke``."""
        return self._ask(Verb.EXECUTION_PARAMETERS, _NOTHING, timeout)

    def close(self) -> None:
        """Hang up, which ends the process; whoever still waits gets ModelProcessDied."""
        if self._transport is not None:
            self._transport.abort()

    def _ask(
        self, verb: Verb, request: InvocationRequest, timeout: float
    ) -> asyncio.Future[InvocationResponse]:
        future: asyncio.Future[InvocationResponse] = self._loop.create_future()
        if self._transport is None or self.ended.done():
            future.set_exception(_died())
            return future
        number = next(self._numbers) & 0xFFFFFFFF
        self._waiting[number] = future, self._loop.time() + timeout
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)
        for part in _parts(number, verb, request):
            self._transport.write(part)
        return future

    def _sweep(self) -> None:
        """Give up on what is overdue. One timer for all requests costs less than one for each."""
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep) if self._waiting else None
        now = self._loop.time()
        for future, deadline in self._waiting.values():
            if now >= deadline and not future.done():
                future.set_exception(InvocationTimeout())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._splitter.feed(data):
                number, response = read_response(frame)
                future, _ = self._waiting.pop(number)
                if not future.done():
                    future.set_result(response)
        except (CorruptFrame, KeyError):  # no frame, or an answer that nobody asked for
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        waiting, self._waiting = self._waiting, {}
        for future, _ in waiting.values():
            if not future.done():
                future.set_exception(_died())
        self.ended.set_result(None)


class BlockingModelClient:
    """The only client of one model process, for any number of threads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting: dict[int, futures.Future[InvocationResponse]] = {}
        self._numbers = count()
        self._ended = False
        self._state, self._sending = threading.Lock(), threading.Lock()
        self._reader = threading.Thread(target=self._read, name="model-answers", daemon=True)
        self._reader.start()

    def invoke(self, request: InvocationRequest, timeout: float = INVOCATION_SECONDS) -> InvocationResponse:
        """POST /invocations, whatever the answer's status.

        Raises:
            InvocationTimeout: no answer after ``timeout`` seconds.
            ModelProcessDied: the process ended first.
        """
        return self._ask(Verb.INVOKE, request, timeout)

    def ping(self, timeout: float = PING_SECONDS) -> InvocationResponse:
        """GET /ping, answered once the model is loaded; raises as ``invoke``."""
        return self._ask(Verb.PING, _NOTHING, timeout)

    def execution_parameters(self, timeout: float = PING_SECONDS) -> InvocationResponse:
        """GET /execution-parameters; raises as ``invoke``."""
        return self._ask(Verb.EXECUTION_PARAMETERS, _NOTHING, timeout)

    def close(self) -> None:
        """Hang up, which ends the process; whoever still waits gets ModelProcessDied."""
        with contextlib.suppress(OSError):  # the process hung up first
            self._connection.shutdown(socket.SHUT_RDWR)
        self._reader.join()

    def _ask(self, verb: Verb, request: InvocationRequest, timeout: float) -> InvocationResponse:
        answer: futures.Future[InvocationResponse] = futures.Future()
        number = next(self._numbers) & 0xFFFFFFFF
        with self._state:
            if self._ended:
                raise _died()
            self._waiting[number] = answer
        try:
            with self._sending:
                for part in _parts(number, verb, request):
                    self._connection.sendall(part)
        except OSError as error:
            raise _died() from error
        try:
            return answer.result(timeout)
        except futures.TimeoutError as error:
            raise InvocationTimeout() from error

    def _read(self) -> None:
        splitter = FrameSplitter()
        try:
            while data := self._connection.recv(_CHUNK):
                for frame in splitter.feed(data):
                    number, response = read_response(frame)
                    with self._state:
                        answer = self._waiting.pop(number)
                    answer.set_result(response)
        except (OSError, KeyError):  # reset, no frame, or an answer that nobody asked for
            pass
        finally:
            with self._state:
                self._ended = True
                waiting, self._waiting = self._waiting, {}
            for answer in waiting.values():
                answer.set_exception(_died())
            self._connection.close()


def _parts(number: int, verb: Verb, request: InvocationRequest) -> tuple[bytes, ...]:
    head = request_head(number, verb, request)
    return (head + request.body,) if len(request.body) <= _JOINED else (head, request.body)


def _died() -> ModelProcessDied:
    return ModelProcessDied("the model process ended before it answered")
