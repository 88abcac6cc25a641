"""The WSGI bridge behind uvicorn: nothing of a request or an answer is changed on its way."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import uvicorn

from corelab.aws.bridge import Application, WsgiBridge

MB = 1024 * 1024
Serve = Callable[[Application], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves WSGI applications on ports of their own until the test ends."""
    with ExitStack() as stack:

        def start(app: Application) -> int:
            bridge = WsgiBridge(app, 4)
            stack.callback(bridge.close)
            listener = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            config = uvicorn.Config(bridge, log_level="critical", lifespan="off", http="httptools")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            port: int = listener.getsockname()[1]
            return port

        yield start


def exchange(port: int, request: bytes) -> bytes:
    """Send bytes as they are and read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def get(port: int, target: str, method: str = "GET", headers: str = "") -> tuple[bytes, bytes]:
    """Head and body of the answer to a bodiless request."""
    request = f"{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n"
    head, _, body = exchange(port, request.encode("latin-1")).partition(b"\r\n\r\n")
    return head.lower(), body


def echo(*names: str) -> Application:
    """Answers with some of the environ."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return ["\n".join(str(environ.get(name)) for name in names).encode("latin-1")]

    return app


@pytest.mark.parametrize(
    "target",
    ["/b/a%2Fb", "/b//x", "/b/./..//x", "/b/%E2%82%AC?x=%20&y=a+b", "/b/%00", "/b/a;p?q", "/b/~!$&'()*,=:@"],
)
def test_the_path_and_query_arrive_as_they_were_sent(serve: Serve, target: str) -> None:
    assert get(serve(echo("RAW_URI")), target)[1] == target.encode()


def test_the_decoded_path_is_there_too(serve: Serve) -> None:
    assert get(serve(echo("PATH_INFO", "QUERY_STRING")), "/b/a%2Fb?x=1")[1] == b"/b/a/b\nx=1"


def test_underscored_metadata_is_kept_apart_and_never_stands_in_for_a_dashed_header(serve: Serve) -> None:
    port = serve(echo("HTTP_X_AMZ_META_MY_KEY", "moto.preserved_header_names", "HTTP_X_AMZ_DATE"))
    headers = "x-amz-meta-my_key: v\r\nX-Amz-Date: true\r\nX_Amz_Date: false\r\n"
    body = get(port, "/", headers=headers)[1].decode()
    assert body == "v\n{'HTTP_X_AMZ_META_MY_KEY': 'x-amz-meta-my_key'}\ntrue"


def test_repeated_headers_are_joined_and_bytes_beyond_ascii_pass(serve: Serve) -> None:
    body = get(
        serve(echo("HTTP_X_TWICE", "HTTP_X_LATIN")),
        "/",
        headers="X-Twice: a\r\nX-Twice: b\r\nX-Latin: \xfc\r\n",
    )
    assert body[1] == "a,b\nü".encode("latin-1")


def test_a_body_is_handed_on_before_its_end_has_come(serve: Serve) -> None:
    begun = threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        size = len(environ["wsgi.input"].read(MB))
        begun.set()
        while piece := environ["wsgi.input"].read(MB):
            size += len(piece)
        start_response("200 OK", [])
        return [str(size).encode()]

    with socket.create_connection(("127.0.0.1", serve(app)), timeout=20) as connection:
        connection.sendall(f"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: {3 * MB}\r\n\r\n".encode())
        connection.sendall(b"x" * (MB + 100_000))
        assert begun.wait(20)
        connection.sendall(b"x" * (2 * MB - 100_000))
        assert connection.recv(65536).endswith(str(3 * MB).encode())


def test_a_client_that_asks_is_told_to_continue(serve: Serve) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [body]

    with socket.create_connection(("127.0.0.1", serve(app)), timeout=20) as connection:
        connection.sendall(b"PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 100")
        connection.sendall(b"body")
        assert connection.recv(65536).endswith(b"body")


def test_an_answer_is_sent_while_it_is_made(serve: Serve) -> None:
    taken = threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        yield b"a"
        yield b"b"
        assert taken.wait(20)
        yield b"c"

    connection = http.client.HTTPConnection("127.0.0.1", serve(app), timeout=20)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.read(2) == b"ab"
    taken.set()
    assert answer.read() == b"c"
    connection.close()


def test_a_large_answer_arrives_whole(serve: Serve) -> None:
    piece = bytes(range(256)) * 4096

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", str(len(piece) * 20))])
        yield from [piece] * 20

    assert get(serve(app), "/")[1] == piece * 20


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 None"), ("GET", "304 Same")])
def test_answers_that_have_no_body_get_none(serve: Serve, method: str, status: str) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(status, [("Content-Length", "5"), ("ETag", "e")])
        return [] if method == "HEAD" else [b""]

    head, body = get(serve(app), "/", method)
    assert body == b""
    assert (b"content-length: 5" in head) is (method == "HEAD")
    assert b"etag: e" in head


def test_a_short_answer_tells_its_length(serve: Serve) -> None:
    assert b"content-length: 4" in get(serve(echo("REQUEST_METHOD")), "/", "POST", "Content-Length: 0\r\n")[0]


def test_a_header_cannot_smuggle_a_second_one(serve: Serve) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("X-Key", "a\r\nSet-Cookie: b"), ("X-Text", "日本")])
        return [b""]

    head = get(serve(app), "/")[0]
    assert b"x-key: a  set-cookie: b" in head
    assert "日本".encode() in head


def test_an_application_that_fails_ends_its_own_request_only(serve: Serve) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/bad":
            raise RuntimeError("broken")
        start_response("200 OK", [])
        return [b"fine"]

    port = serve(app)
    assert get(port, "/bad")[0].startswith(b"http/1.1 500")
    assert get(port, "/good")[1] == b"fine"


def test_a_client_that_goes_away_is_no_end_of_body(serve: Serve) -> None:
    outcome: list[BaseException] = []
    done = threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            while environ["wsgi.input"].read(MB):
                pass
        except ConnectionError as error:
            outcome.append(error)
        done.set()
        start_response("400 Bad", [])
        return [b""]

    with socket.create_connection(("127.0.0.1", serve(app)), timeout=20) as connection:
        connection.sendall(b"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 600_000)
    assert done.wait(20)
    assert isinstance(outcome[0], ConnectionAbortedError)


def test_an_iterable_is_closed_when_it_was_sent(serve: Serve) -> None:
    closed = threading.Event()

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            yield from [b"a", b"b", b"c"]
        finally:
            closed.set()

    assert b"abc" in get(serve(app), "/")[1].replace(b"\r\n1\r\n", b"").replace(b"1\r\n", b"")
    assert closed.wait(20)


def test_lines_are_read_one_by_one(serve: Serve) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        lines = [body.readline(), body.readline(2), body.read(1), *body]
        start_response("200 OK", [])
        return [repr(lines).encode()]

    request = (
        b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 15\r\n\r\none\ntwo\nthree\nx"
    )
    assert exchange(serve(app), request).endswith(
        repr([b"one\n", b"tw", b"o", b"\n", b"three\n", b"x"]).encode()
    )
