"""One object after the other through a model, several payloads at a time, results in the input's order."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Literal, Self, cast

from corelab.engine.batch.failures import ObjectFailed, TransformStopped
from corelab.engine.batch.jsonpath import Path
from corelab.engine.batch.records import Split, blocks
from corelab.engine.batch.rows import Form, form_of, join_and_select, select
from corelab.engine.serving_contract import (
    InvocationRequest,
    InvocationResponse,
    InvocationTimeout,
    ModelProcessDied,
)

# Asks a model, from any thread, with a limit in seconds; raises InvocationTimeout or ModelProcessDied.
Invoke = Callable[[InvocationRequest, float], InvocationResponse]


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What a transform job says about its data; the service has checked how these go together."""

    content_type: str | None = None
    accept: str | None = None
    compression: Literal["None", "Gzip"] = "None"
    split: Split = "None"
    strategy: Literal["MultiRecord", "SingleRecord"] = "MultiRecord"
    assemble: Literal["None", "Line"] = "None"
    max_payload_bytes: int = 6 << 20  # 0 is no limit
    concurrency: int = 1
    input_filter: str = "$"
    join_input: bool = False
    output_filter: str = "$"
    timeout_seconds: float = 600.0
    max_retries: int = 3


@dataclass(frozen=True, slots=True)
class _Payload:
    body: bytes
    records: list[bytes] | None  # as they came, when the answer is to be joined with them


class Transformer:
    """Transforms objects, any number of them at a time, with ``concurrency`` requests under way in all.

    Memory holds one payload more than that, with its answer, whatever the objects' size.
    """

    def __init__(
        self, settings: BatchSettings, invoke: Invoke, stopping: threading.Event | None = None
    ) -> None:
        """Raises jsonpath.BadPath for a filter that is not understood."""
        self._settings, self._invoke = settings, invoke
        self._stopping = stopping or threading.Event()
        self._input_filter, self._output_filter = Path(settings.input_filter), Path(settings.output_filter)
        self._whole_document = settings.split == "None" and "json" in (settings.content_type or "").lower()
        self._pool = ThreadPoolExecutor(settings.concurrency, "transform")
        self._slots = threading.Semaphore(settings.concurrency + 1)

    def transform(self, source: BinaryIO, sink: BinaryIO) -> int:
        """Read one object from ``source``, write its result to ``sink``; the number of requests it took.

        Raises:
            ObjectFailed: with the data log's lines; ``sink`` holds an unfinished result.
            TransformStopped: ``stopping`` was set.
        """
        waiting: deque[tuple[_Payload, Future[InvocationResponse]]] = deque()
        requests = 0
        try:
            for block in self._blocks(source):
                requests += 1
                payload = self._prepare(block)
                while not self._slots.acquire(blocking=not waiting):
                    self._write_oldest(waiting, sink)
                waiting.append((payload, self._pool.submit(self._ask, payload.body)))
                while waiting and waiting[0][1].done():
                    self._write_oldest(waiting, sink)
            while waiting:
                self._write_oldest(waiting, sink)
        finally:
            for _, answer in waiting:
                answer.cancel()
                answer.add_done_callback(lambda _: self._slots.release())
        return requests

    def close(self) -> None:
        """Drop what waits; returns when no request is under way any more."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _blocks(self, source: BinaryIO) -> Iterator[bytes]:
        settings = self._settings
        if settings.compression == "Gzip":
            source = cast(BinaryIO, gzip.GzipFile(fileobj=source))
        single = settings.strategy == "SingleRecord"
        try:
            for block in blocks(source, settings.split, settings.max_payload_bytes, single):
                if self._stopping.is_set():
                    raise TransformStopped
                yield block
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise ObjectFailed(f"Failed to decompress the object: {error}") from error

    def _prepare(self, block: bytes) -> _Payload:
        join = self._settings.join_input
        if self._input_filter.root and not join:
            return _Payload(block, None)
        records = self._records(block)
        if self._input_filter.root:
            return _Payload(block, records)
        form = _form(self._settings.content_type, "InputFilter")
        body = b"\n".join([select(form, self._input_filter, record) for record in records])
        return _Payload(body, records if join else None)

    def _ask(self, body: bytes) -> InvocationResponse:
        settings = self._settings
        request = InvocationRequest(body, settings.content_type, settings.accept)
        failure = ObjectFailed.no_answer()
        for _ in range(1 + settings.max_retries):
            if self._stopping.is_set():
                raise TransformStopped
            try:
                response = self._invoke(request, settings.timeout_seconds)
            except (InvocationTimeout, ModelProcessDied):
                failure = ObjectFailed.no_answer()
                continue
            if response.status < 300:
                return response
            failure = ObjectFailed.bad_answer(response)
            if response.status < 500:
                break
        raise failure

    def _write_oldest(
        self, waiting: deque[tuple[_Payload, Future[InvocationResponse]]], sink: BinaryIO
    ) -> None:
        payload, answer = waiting[0]
        response = answer.result()
        sink.write(self._finished(payload, response))
        waiting.popleft()
        self._slots.release()

    def _finished(self, payload: _Payload, response: InvocationResponse) -> bytes:
        body = response.body
        if payload.records is not None or not self._output_filter.root:
            body = self._joined(payload.records, response)
        return body.removesuffix(b"\n") + b"\n" if self._settings.assemble == "Line" else body

    def _joined(self, records: list[bytes] | None, response: InvocationResponse) -> bytes:
        form = _form(response.content_type, "JoinSource and OutputFilter")
        outputs = self._records(response.body)
        if records is not None and len(records) != len(outputs):
            raise ObjectFailed(
                f"Failed to join: expected {len(records)} records in the response, got {len(outputs)}"
            )
        sources: Sequence[bytes | None] = [None] * len(outputs) if records is None else records
        pairs = zip(sources, outputs, strict=True)
        lines = [join_and_select(form, self._output_filter, record, output) for record, output in pairs]
        return b"\n".join(lines) + (b"\n" if response.body.endswith(b"\n") else b"")

    def _records(self, block: bytes) -> list[bytes]:
        return [block] if self._whole_document else block.removesuffix(b"\n").split(b"\n")


def _form(content_type: str | None, wish: str) -> Form:
    form = form_of(content_type)
    if form is None:
        raise ObjectFailed(f"{wish} know CSV and JSON only, got {content_type}")
    return form
