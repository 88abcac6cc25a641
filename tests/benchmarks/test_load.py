from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from benchmarks import load

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0.5\n"
THROTTLED = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 17\r\nx-amzn-ErrorType: ThrottlingException\r\n\r\n"
    b'{"message": null}'
)
PAGE = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\noops!"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n0.5\n"


class Answering(asyncio.Protocol):
    """Answers the n-th request of all connections with ``answer(n)``; with nothing it hangs up."""

    asked = 0

    def __init__(self, answer: Callable[[int], bytes]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        Answering.asked += 1
        answer = self._answer(Answering.asked)
        self._transport.write(answer)
        if not answer or b"close" in answer:
            self._transport.close()


@contextmanager
def serving(answer: Callable[[int], bytes]) -> Iterator[int]:
    Answering.asked = 0
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: Answering(answer), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def spec(port: int, requests: int) -> load.Spec:
    return load.Spec(port, "/invocations", "1,2", 2, 0.0, load.SIGNED, requests, "0.5\n")


def test_right_answers_are_counted_and_timed() -> None:
    with serving(lambda number: OK) as port:
        result = load.run(spec(port, 200))
    assert result.count >= 200
    assert (result.wrong, result.silent, result.errors) == (0, 0, {})
    assert 0 < result.p50 <= result.p99 <= result.slowest
    assert result.rate > 0


def test_a_server_that_keeps_no_connection_is_asked_on_new_ones() -> None:
    with serving(lambda number: CLOSING) as port:
        result = load.run(spec(port, 50))
    assert result.count >= 50
    assert (result.wrong, result.silent) == (0, 0)


def test_errors_of_aws_shape_are_told_from_wrong_answers() -> None:
    answers = {5: THROTTLED, 9: PAGE, 12: OK.replace(b"0.5", b"0.7"), 15: b""}
    with serving(lambda number: answers.get(number, OK)) as port:
        result = load.run(spec(port, 50))
    assert result.errors == {"400 ThrottlingException": 1}
    assert result.wrong == 3
    assert result.silent == 0
