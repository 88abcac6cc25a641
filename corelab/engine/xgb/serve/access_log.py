"""The web server's line for each invocation, written a quarter of a second later at most."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from corelab.engine.serving_contract import InvocationResponse

_DELAY_SECONDS = 0.25
_ENDPOINT = ("169.254.178.2", "AHC/2.0")
_BATCH = ("169.254.255.130", "Go-http-client/1.1")


class AccessLog:
    """Collects lines: a write for each would wake the server's reader at every request."""

    def __init__(self, batch: bool) -> None:
        # Endpoints and batch transform reach a container from two addresses, with two clients.
        self._address, self._agent = _BATCH if batch else _ENDPOINT
        self.waiting: list[str] = []
        self._due = 0.0
        self._second = 0
        self._stamp = ""

    def noted(self, response: InvocationResponse) -> InvocationResponse:
        """Add the line of one answered invocation."""
        now = time.time()
        if not self.waiting:
            self._due = now + _DELAY_SECONDS
        elif now > self._due:
            self.write()
            self._due = now + _DELAY_SECONDS
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
        self.waiting.append(
            f'{self._address} - - [{self._stamp}] "POST /invocations HTTP/1.1" '
            f'{response.status} {len(response.body)} "-" "{self._agent}"\n'
        )
        return response

    def seconds_left(self) -> float:
        """How long the waiting lines may wait."""
        return max(self._due - time.time(), 0.0)

    def write(self) -> None:
        """Write what waits."""
        sys.stdout.write("".join(self.waiting))
        sys.stdout.flush()
        self.waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write()
