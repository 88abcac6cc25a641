"""One HTTP request and one HTTP response, as the server hands them over and takes them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A whole request: path and query as sent, still percent-encoded, and header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def with_body(self, body: bytes) -> HttpRequest:
        return HttpRequest(self.method, self.path, self.query, self.headers, body)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole response, ``Content-Length`` included."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
