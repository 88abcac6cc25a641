"""Services whose state lives in moto's memory: what they accepted is journalled, and asked again at start.

request ─▶ moto, with a clock and a seed of its own ─▶ accepted? journal ─▶ answer
start   ─▶ every journalled request, with the same clock and seed ─▶ the same state, identifiers included
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import BaseResponse
from moto.moto_api._internal.moto_random import MotoRandom

from corelab.aws.authorize import Gate
from corelab.aws.call import Answer, Call, canonical_environ
from corelab.aws.intake import read_document
from corelab.aws.operations import not_implemented, operation_of
from corelab.aws.s3.answers import S3Request
from corelab.store.blobs import BlobFolder
from corelab.store.journal import Entry, Journal

log = logging.getLogger(__name__)
_READS = ("Get", "List", "Describe", "Simulate", "BatchGet", "BatchCheck", "Generate", "Filter")
_KEPT_HEADERS = ("CONTENT_TYPE", "HTTP_X_AMZ_TARGET", "HTTP_X_AMZN_QUERY_MODE", "HTTP_SMITHY_PROTOCOL")


class Occasion:
    """The clock and the source of identifiers of one moto service, held still while a request is answered."""

    def __init__(self) -> None:
        self.random = MotoRandom()
        self._at: float | None = None

    def utcnow(self) -> datetime:
        at = time.time() if self._at is None else self._at
        return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)

    @contextmanager
    def held(self, at: float, seed: int) -> Iterator[None]:
        """Answer as of ``at`` with identifiers drawn from ``seed``, then go on with real ones."""
        self._at = at
        self.random.seed(seed)
        try:
            yield
        finally:
            self._at = None
            # Else whatever is drawn next would be drawn again after a replay.
            self.random.seed(secrets.randbits(128))


class Replayed:
    """One service of moto's over the journal.

    Args:
        service: its signing name.
        answers: makes moto's responder for one request.
        occasion: the clock and identifiers its models use.
        reset: gives the service's memory back empty.
        journal: where accepted requests are kept.
        blobs: where a request's body waits while it comes in.
        gate: says whether the caller may ask.
    """

    def __init__(
        self,
        service: str,
        answers: Callable[[], BaseResponse],
        occasion: Occasion,
        reset: Callable[[], None],
        journal: Journal,
        blobs: BlobFolder,
        gate: Gate,
    ) -> None:
        self._service = service
        self._answers = answers
        self._occasion = occasion
        self._reset = reset
        self._journal = journal
        self._blobs = blobs
        self._gate = gate
        self._lock = threading.RLock()
        self.replay()

    def answer(self, call: Call) -> Answer:
        """Carry out one request and remember it if it changed anything."""
        body = read_document(call.environ, self._blobs)
        operation, parameters = operation_of(call, body)
        self._gate.check(call, operation, parameters)
        with self._lock:
            self.prepare(operation, parameters)
            # 62 bits fit SQLite's signed integers.
            at, seed = time.time(), secrets.randbits(62)
            with self._occasion.held(at, seed):
                answer = ask(self._answers(), call, body, operation)
            if answer[0] < 300 and self.changes(operation):
                entry = _entry(call, self.subject(operation, parameters), at, seed, body)
                self._remember(operation, entry)
        return answer

    def prepare(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Called before a request is answered, also when it is replayed."""

    def changes(self, operation: str) -> bool:
        """Whether a request of this kind must be asked again at start."""
        return not operation.startswith(_READS)

    def subject(self, operation: str, parameters: Mapping[str, Any]) -> str:
        """What a request is about; requests about the same subject may be forgotten together."""
        return ""

    def settles(self, operation: str) -> str:
        """What a request does to earlier ones about its subject: ``adds``, ``replaces`` or ``removes``."""
        return "adds"

    def replay(self) -> None:
        """Bring memory to the state that is on disk."""
        self._reset()
        for entry in self._journal.entries(self._service):
            call = Call.replayed(entry)
            operation, parameters = operation_of(call, entry.body)
            self.prepare(operation, parameters)
            with self._occasion.held(entry.at, entry.seed):
                status, _, _ = ask(self._answers(), call, entry.body, operation)
            # A later request may have removed what this one mentions; then both mean nothing any more.
            log.log(
                logging.DEBUG if status < 500 else logging.ERROR, "replayed %s: %s", entry.subject, status
            )

    def _remember(self, operation: str, entry: Entry) -> None:
        settles = self.settles(operation) if entry.subject else "adds"
        try:
            if settles == "removes":
                self._journal.forget(entry.service, entry.region, entry.subject)
            else:
                self._journal.append(entry, supersede=settles == "replaces")
        except (OSError, sqlite3.Error):
            # Memory has it, the disk has not: the client must not see what will be gone at the next start.
            self.replay()
            raise


def ask(answers: BaseResponse, call: Call, body: bytes, operation: str) -> Answer:
    """Let moto answer a request whose body is in memory. Raises AWSError for what moto does not implement."""
    request = S3Request(canonical_environ(call, body))
    try:
        status, headers, content = answers._dispatch(request, request.raw_url, request.headers)
    except NotImplementedError as error:
        raise not_implemented(call.service, operation) from error
    headers = {name: value for name, value in headers.items() if name != "status"}
    return int(status), headers, [content.encode() if isinstance(content, str) else bytes(content)]


def _entry(call: Call, subject: str, at: float, seed: int, body: bytes) -> Entry:
    environ = call.environ
    headers = {name: environ[name] for name in _KEPT_HEADERS if name in environ}
    query = environ.get("QUERY_STRING", "")
    raw = environ["RAW_URI"]
    return Entry(call.service, call.region, subject, at, seed, call.method, raw, query, headers, body)
