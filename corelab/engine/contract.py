"""What the engine promises: a container's life without a container.

A *job root* plays ``/opt/ml`` for one host: ``input/config``, ``input/data/<channel>``, ``model``, ``output``,
``checkpoints``. Hosts of one job have sibling roots. Nothing here knows AWS; paths, plain dicts and process
outcomes only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Channel:
    """One entry of ``inputdataconfig.json``.

    The files are already in ``<root>/input/data/<name>``; in Pipe mode the FIFO ``<root>/input/data/<name>_0`` is
    there, and somebody writes to it.
    """

    name: str
    content_type: str | None = None
    input_mode: str = "File"  # File | Pipe; FastFile looks like File to a container
    distribution: str = "FullyReplicated"  # FullyReplicated | ShardedByS3Key
    record_wrapper: str = "None"  # None | RecordIO


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """What one host of a training job is told, as the container's config files will say it."""

    root: Path
    job_name: str
    job_arn: str
    hyperparameters: Mapping[str, str]
    channels: tuple[Channel, ...]
    hosts: tuple[str, ...] = ("algo-1",)
    current_host: str = "algo-1"
    instance_type: str = "ml.m5.large"
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int = 8 << 30
    checkpoint_path: str | None = None  # as the container sees it, usually /opt/ml/checkpoints
    image_version: str = "1.7-1"  # whose outward differences to show, see images.Image
    notes: tuple[str, ...] = ()  # lines the platform writes to the log first (image stand-in notes)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a container's output; tabs are still tabs."""

    timestamp_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ended. ``failure`` is the text of ``output/failure``, if one was written."""

    code: int  # negative: ended by that signal, as subprocess reports it
    failure: str | None = None
    out_of_memory: bool = False

    @property
    def shown_code(self) -> int:
        """The code as a container platform shows it: 128 and the signal's number, 137 for a kill."""
        return self.code if self.code >= 0 else 128 - self.code


@dataclass(frozen=True, slots=True)
class Usage:
    """One reading of a container's resources."""

    timestamp: float
    cpu_percent: float  # 0 to 100 x cores
    memory_bytes: int


class Container(Protocol):
    """A running child process that keeps a container's contract."""

    @property
    def pid(self) -> int: ...

    def lines(self) -> Iterator[LogLine]:
        """Yield output lines as they come, until the process has ended and all was read.

        To be iterated once; nobody else reads the output, so a container whose lines are left waits for a reader.
        """

    def usage(self) -> Usage | None:
        """Read CPU and memory now; None once it has ended."""

    def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL after the grace; returns at once. May be repeated with a shorter grace."""

    def wait(self, timeout: float | None = None) -> Exit | None:
        """The outcome, or None when it still runs after ``timeout`` seconds."""


class Engine(Protocol):
    """Starts containers. One engine a server; ``warm()`` pays the interpreter's start beforehand."""

    def warm(self) -> None: ...

    def train(self, spec: TrainingSpec) -> Container:
        """Write the config files of ``spec`` under its root and start training there."""

    def close(self) -> None:
        """Kill whatever still runs and free the worker parent."""
