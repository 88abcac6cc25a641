"""A local SageMaker of its own for one benchmark, and what its processes cost."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import psutil
from botocore.config import Config

from corelab.connection import launch
from corelab.home import Home, ServerInfo

ROLE = "arn:aws:iam::123456789012:role/LabRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
BUCKET = "bench"
KEY = "AKIALOCALSAGEMAKER00"
_TICK_SECONDS = 0.01


def client(service: str, url: str, **settings: Any) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=KEY,
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, **settings),
    )


@dataclass(frozen=True)
class Lab:
    """A running server with an empty bucket."""

    home: Home
    server: ServerInfo

    def client(self, service: str, **settings: Any) -> Any:
        return client(service, self.server.url, **settings)

    def name(self, prefix: str) -> str:
        return f"{prefix}-{uuid.uuid4().hex[:8]}"

    def upload(self, file: Path, key: str) -> str:
        self.client("s3").upload_file(str(file), BUCKET, key)
        return f"s3://{BUCKET}/{key}"

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.server.pid)


@contextmanager
def running(environment: Mapping[str, str] | None = None) -> Iterator[Lab]:
    """A server on a fresh home, warm: its worker parent has loaded the algorithm."""
    with tempfile.TemporaryDirectory() as folder, _variables(environment or {}):
        home = Home(Path(folder) / "home")
        lab = Lab(home, launch.ensure(home))
        try:
            lab.client("s3").create_bucket(Bucket=BUCKET)
            settle(lab)
            yield lab
        finally:
            launch.stop(home)


def settle(lab: Lab) -> None:
    """Wait until the server and its children have done what they do at their start."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 0.5:
        before = _busy(lab.process)
        time.sleep(0.1)
        if _busy(lab.process) - before > 0.03:
            quiet_since = time.monotonic()


def spent(lab: Lab) -> float:
    """CPU seconds of the server, its worker parent and every container that has ended.

    Only Linux counts the containers to their parent.
    """
    return sum(sum(process.cpu_times()[:4]) for process in tree(lab.process))


def worker_parent(lab: Lab) -> int:
    """Bytes of the processes that wait with the algorithm loaded, as the bare process has it loaded."""
    return sum(resident(lab.process.children(recursive=True)).values())


def _busy(process: psutil.Process) -> float:
    total = 0.0
    for each in tree(process):
        with contextlib.suppress(psutil.Error):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def tree(process: psutil.Process) -> list[psutil.Process]:
    """The process and all that descend from it."""
    return [process, *process.children(recursive=True)]


def resident(processes: list[psutil.Process]) -> dict[int, int]:
    """Bytes in memory by process id; pages that processes share count for each."""
    found = {}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            found[process.pid] = process.memory_info().rss
    return found


class Peak:
    """Watches a process tree while the block runs.

    Attributes:
        by_process: the most that each process was seen to have in memory, in bytes.
        together: the most that all had at once.
    """

    def __init__(self, root: psutil.Process) -> None:
        self._root, self._done = root, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.by_process: dict[int, int] = {}
        self.together = 0

    def __enter__(self) -> Self:
        self.before = resident(tree(self._root))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    @property
    def grown(self) -> int:
        """The most that the tree grew by, in bytes: new processes whole, old ones by their growth."""
        return sum(peak - self.before.get(pid, 0) for pid, peak in self.by_process.items())

    def _watch(self) -> None:
        while not self._done.wait(_TICK_SECONDS):
            with contextlib.suppress(psutil.Error):
                now = resident(tree(self._root))
                self.together = max(self.together, sum(now.values()))
                for pid, size in now.items():
                    self.by_process[pid] = max(size, self.by_process.get(pid, 0))


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
