"""A client that costs next to nothing, in a process of its own: raw requests over loopback connections.

``python -m benchmarks.load SPEC`` runs one ``Spec`` (JSON) and prints one ``Result`` (JSON).
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).parent.parent
# As botocore signs it; the server reads the key, the region and the service from it.
SIGNED = {
    "User-Agent": "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11.8 m/Z,b,D",
    "X-Amz-Date": "20260101T000000Z",
    "Amz-Sdk-Invocation-Id": "0f2b5a4e-6d0c-4a45-a0c6-3a9bbd6f9a10",
    "Amz-Sdk-Request": "attempt=1",
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIALOCALSAGEMAKER00/20260101/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, Signature=" + "0" * 64,
}
_ERROR_TYPE = re.compile(rb"\r\nx-amzn-errortype: ([A-Za-z]+)", re.IGNORECASE)
_SILENCE_SECONDS = 90.0  # longer than any limit of the platform: past it, an answer will not come


@dataclass(frozen=True)
class Spec:
    """What to send.

    Args:
        seconds: for how long, at least.
        requests: how many, at least.
        expected: the body of every right answer; None takes any.
    """

    port: int
    path: str
    body: str
    connections: int
    seconds: float
    headers: Mapping[str, str]
    requests: int = 0
    expected: str | None = None


@dataclass(frozen=True)
class Result:
    """What came back; times in milliseconds.

    Args:
        errors: answers that are AWS-shaped errors, by status and code.
        wrong: answers that are neither that nor right.
        silent: requests that were never answered.
    """

    count: int
    rate: float
    p50: float
    p99: float
    slowest: float
    errors: Mapping[str, int]
    wrong: int
    silent: int
    example: str = ""


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it is answered, until the run is over."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._received = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._began, self._received, self.waiting = time.perf_counter(), b"", True
        self._transport.write(self._run.request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        lowered = head.lower()
        length = int(lowered.partition(b"content-length: ")[2].partition(b"\r")[0])
        if len(body) < length:
            return
        self.waiting = False
        self._run.note(time.perf_counter() - self._began, head, body)
        if self._run.over():
            self.finish()
        elif b"connection: close" in lowered:  # gunicorn's sync workers keep no connection
            self._transport.close()
        else:
            self._ask()

    def finish(self) -> None:
        self._transport.close()
        if not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if self.waiting:  # closed in place of an answer
            self._run.wrong += 1
        if self._run.over():
            self.done.set_result(None)
        else:
            self._again = asyncio.get_running_loop().create_task(self._run.connect(self))


class Run:
    """All connections of one run, and what they heard."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        body = spec.body.encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in spec.headers.items())
        self.request = (
            f"POST {spec.path} HTTP/1.1\r\nHost: 127.0.0.1:{spec.port}\r\nContent-Type: text/csv\r\n{lines}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self._times: list[float] = []
        self._errors: Counter[str] = Counter()
        self._expected = None if spec.expected is None else spec.expected.encode()
        self.wrong, self._example = 0, b""

    def over(self) -> bool:
        return time.perf_counter() >= self._stop and len(self._times) >= self._spec.requests

    def note(self, seconds: float, head: bytes, body: bytes) -> None:
        self._times.append(seconds)
        right = head.startswith(b"HTTP/1.1 200")
        if right and self._expected in (None, body):
            return
        code = _ERROR_TYPE.search(head)
        if right or code is None or not _is_object(body):
            self.wrong += 1
            self._example = head + b"\n" + body
        else:
            self._errors[f"{head[9:12].decode()} {code[1].decode()}"] += 1

    async def connect(self, caller: Caller) -> None:
        await asyncio.get_running_loop().create_connection(lambda: caller, "127.0.0.1", self._spec.port)

    async def live(self) -> Result:
        began = time.perf_counter()
        self._stop = began + self._spec.seconds
        callers = [Caller(self) for _ in range(self._spec.connections)]
        for caller in callers:
            await self.connect(caller)
        _, pending = await asyncio.wait(
            [caller.done for caller in callers], timeout=self._spec.seconds + _SILENCE_SECONDS
        )
        seconds = time.perf_counter() - began
        if len(self._times) < 2:
            raise RuntimeError(f"{len(self._times)} answers in {seconds:.1f} s; hung up {self.wrong} times")
        percentiles = statistics.quantiles(self._times, n=100)
        return Result(
            count=len(self._times),
            rate=len(self._times) / seconds,
            p50=percentiles[49] * 1e3,
            p99=percentiles[98] * 1e3,
            slowest=max(self._times) * 1e3,
            errors=dict(self._errors),
            wrong=self.wrong,
            silent=len(pending),
            example=self._example.decode("utf-8", "replace")[:500],
        )


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def run(spec: Spec) -> Result:
    """One run in a process of its own."""
    return finish(start(spec))


def start(spec: Spec) -> subprocess.Popen[str]:
    """Begin a run; ``finish`` waits for it."""
    command = [sys.executable, "-m", "benchmarks.load", json.dumps(asdict(spec))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> Result:
    output, _ = process.communicate()
    assert process.returncode == 0, f"the load process ended with {process.returncode}"
    return Result(**json.loads(output))


def main(text: str) -> None:
    wanted: dict[str, Any] = json.loads(text)
    try:
        import uvloop
    except ImportError:  # not made for Windows
        result = asyncio.run(Run(Spec(**wanted)).live())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(Run(Spec(**wanted)).live())
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main(*sys.argv[1:])
