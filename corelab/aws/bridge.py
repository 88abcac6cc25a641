"""A WSGI application on an ASGI server, for S3's sake: nothing of a request is folded, decoded or buffered twice.

    event loop                      worker thread
    receive ──▶ queue of pieces ──▶ wsgi.input
    send    ◀── pieces, awaited ◀── the iterable the application returned

a2wsgi was measured against this and does not keep raw paths and underscored headers, and takes a broken
connection for the end of the body.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any
from urllib.parse import unquote_to_bytes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Environ = dict[str, Any]
_Error = tuple[type[BaseException], BaseException, TracebackType]
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# A body up to this size is read before a thread is taken, so that slow senders hold none.
SMALL = 256 * 1024
_PRESERVED = "moto.preserved_header_names"


class WsgiBridge:
    """An ASGI application that runs a WSGI one in its own threads.

    Args:
        app: the WSGI application.
        workers: how many requests it may work on at a time.
    """

    def __init__(self, app: Application, workers: int) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="wsgi")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"expected an http scope, got {scope['type']!r}")
        body = RequestBody(receive, asyncio.get_running_loop())
        await body.prefetch(SMALL)
        # One hop to a thread serves most requests whole: begin() brings back all of a short answer.
        exchange = _Exchange(self._app, build_environ(scope, body), send, asyncio.get_running_loop())
        head, first, more = await asyncio.get_running_loop().run_in_executor(self._pool, exchange.begin)
        await send(head)
        await send({"type": "http.response.body", "body": first, "more_body": more})
        if more:
            await asyncio.get_running_loop().run_in_executor(self._pool, exchange.stream)

    def close(self) -> None:
        """Let running requests end and free the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class RequestBody:
    """``wsgi.input``: read by one worker thread, fed by the event loop one message at a time.

    Reading raises ConnectionAbortedError when the client went away before the end.
    """

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._receive = receive
        self._loop = loop
        self._buffer = bytearray()
        self._more = True

    async def prefetch(self, limit: int) -> None:
        """Take messages until the body ends or ``limit`` is reached."""
        while self._more and len(self._buffer) < limit:
            self._take(await self._receive())

    def read(self, size: int = -1) -> bytes:
        while self._more and (size < 0 or len(self._buffer) < size):
            self._wait()
        return self._cut(len(self._buffer) if size < 0 else size)

    def readline(self, limit: int = -1) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0 and self._more:
            if 0 <= limit <= len(self._buffer):
                break
            searched = len(self._buffer)
            self._wait()
        length = end + 1 if end >= 0 else len(self._buffer)
        return self._cut(length if limit < 0 else min(length, limit))

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> RequestBody:
        return self

    def __next__(self) -> bytes:
        if line := self.readline():
            return line
        raise StopIteration

    def _wait(self) -> None:
        self._take(asyncio.run_coroutine_threadsafe(_awaited(self._receive), self._loop).result())

    def _take(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError("the client went away before its request was complete")
        self._buffer += message.get("body", b"")
        self._more = message.get("more_body", False)

    def _cut(self, size: int) -> bytes:
        # Through a view, so that the bytes are copied once.
        piece = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return piece


class _Exchange:
    """One call of the application: begun in a worker thread, and streamed from there if it is long."""

    def __init__(
        self, app: Application, environ: Environ, send: Send, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._app = app
        self._environ = environ
        self._send = send
        self._loop = loop
        self._head: Message = {}
        self._result: Iterable[bytes] = ()
        self._pieces: Iterator[bytes] = iter([])
        self._next = b""

    def begin(self) -> tuple[Message, bytes, bool]:
        """Head, first piece, and whether more pieces follow."""
        self._result = self._app(self._environ, self._start_response)
        try:
            self._pieces = iter(self._result)
            first = next(self._pieces, b"")
            # One piece ahead, to know now whether the answer is complete.
            self._next = next(self._pieces, b"")
        except BaseException:
            self._close()
            raise
        if not self._next:
            self._close()
        if self._environ["REQUEST_METHOD"] == "HEAD":
            first = b""
        self._complete_head(len(first))
        return self._head, first, bool(self._next)

    def stream(self) -> None:
        """Send what is left, piece by piece, no faster than the client takes it."""
        try:
            while self._next:
                self._post(self._next, more=True)
                self._next = next(self._pieces, b"")
            self._post(b"", more=False)
        finally:
            self._close()

    def _post(self, body: bytes, *, more: bool) -> None:
        message = {"type": "http.response.body", "body": body, "more_body": more}
        asyncio.run_coroutine_threadsafe(_sent(self._send, message), self._loop).result()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], error: _Error | None = None
    ) -> Callable[[bytes], object]:
        self._head = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(name.lower().encode("latin-1"), _header_value(value)) for name, value in headers],
        }
        return _refuse_write

    def _complete_head(self, length: int) -> None:
        """A short answer tells its length; one without a body, such as HEAD's, has told it already."""
        names = {name for name, _ in self._head["headers"]}
        bodiless = self._head["status"] in (204, 304)
        if bodiless:
            self._head["headers"] = [pair for pair in self._head["headers"] if pair[0] != b"content-length"]
        elif b"content-length" not in names and not self._next:
            self._head["headers"].append((b"content-length", str(length).encode()))

    def _close(self) -> None:
        close = getattr(self._pieces, "close", None) or getattr(self._result, "close", None)
        if close is not None:
            close()


def build_environ(scope: Message, body: RequestBody) -> Environ:
    """The request as WSGI has it, plus RAW_URI, the spelling of underscored metadata headers, and the front's own."""
    query = scope["query_string"].decode("latin-1")
    # raw_path is optional in ASGI, but a decoded path cannot tell %2F from a slash.
    raw = scope.get("raw_path") or scope["path"].encode()
    host, port = scope.get("server") or ("127.0.0.1", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "RAW_URI": raw.decode("latin-1") + (f"?{query}" if query else ""),
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ.update(scope.get("corelab.environ", {}))
    _add_headers(environ, scope["headers"])
    return environ


def _add_headers(environ: Environ, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Fold names as WSGI does, but never let ``X_Amz_Date`` stand in for ``X-Amz-Date``."""
    spelled: dict[str, str] = {}
    dashed = {_key(name.decode("latin-1")) for name, _ in headers if b"_" not in name}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        key = _key(name)
        if "_" in name:
            if key in dashed or not name.lower().startswith("x-amz-meta-"):
                continue
            spelled[key] = name
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ[_PRESERVED] = spelled


def _key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _header_value(value: object) -> bytes:
    """Text as it came in; what never was a header's bytes goes out as UTF-8. No line break gets through."""
    text = str(value).replace("\r", " ").replace("\n", " ").strip()
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _refuse_write(data: bytes) -> object:
    raise NotImplementedError("expected a returned iterable, got a call of WSGI's write()")


async def _awaited(receive: Receive) -> Message:
    return await receive()


async def _sent(send: Send, message: Message) -> None:
    await send(message)
