"""A proxy in front of a server, which is all that the AWS path knows of it; it writes down what passes."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "keep-alive", "host", "content-length", "expect"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Recorder(ThreadingHTTPServer):
    """Forwards every request to ``target`` and keeps it."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self.requests = urlsplit(target).netloc, list[Request]()
        self.url = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def recording(target: str) -> Iterator[Recorder]:
    recorder = Recorder(target)
    thread = threading.Thread(target=recorder.serve_forever, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        recorder.shutdown()
        recorder.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def _forward(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _HOP}
        request = Request(self.command, self.path, headers, self._body())
        self.server.requests.append(request)
        status, reason, answered, content = send(self.server.target, request)
        self.send_response_only(status, reason)
        for name, value in answered:
            if name.lower() not in _HOP or (name.lower() == "content-length" and self.command == "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return body

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


for _verb in ("GET", "PUT", "POST", "DELETE", "HEAD"):
    setattr(_Handler, f"do_{_verb}", _Handler._forward)


def send(netloc: str, request: Request) -> tuple[int, str, list[tuple[str, str]], bytes]:
    """Status, reason, headers and body of the answer."""
    connection = http.client.HTTPConnection(netloc, timeout=120)
    try:
        connection.request(request.method, request.path, request.body or None, request.headers)
        answer = connection.getresponse()
        return answer.status, answer.reason, answer.getheaders(), answer.read()
    finally:
        connection.close()
