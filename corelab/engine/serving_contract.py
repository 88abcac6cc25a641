"""What the engine promises about serving: a model container's life without a container.

A *serving root* plays ``/opt/ml`` for one container; the model archive is unpacked in ``<root>/model``.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from corelab.engine.contract import Container


@dataclass(frozen=True, slots=True)
class ServingSpec:
    """What one model container is told when it starts with the command ``serve``."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)  # the Model's own, as AWS passes it
    memory_bytes: int = 8 << 30
    cpu_count: int = 1  # of the instance type: what /execution-parameters suggests
    batch: bool = False  # batch transform: the platform sets SAGEMAKER_BATCH=true
    notes: tuple[str, ...] = ()  # lines the platform writes to the log first (image stand-in notes)


class InvocationRequest(NamedTuple):
    """One POST /invocations; None means that the header is absent."""

    body: bytes
    content_type: str | None = None
    accept: str | None = None


class InvocationResponse(NamedTuple):
    """The container's answer: an HTTP status, its Content-Type and the raw body."""

    status: int
    content_type: str
    body: bytes


class ModelProcessDied(ConnectionError):
    """The model process ended before it answered; the request may be sent to another one."""


class InvocationTimeout(TimeoutError):
    """No answer within the limit; the process is still busy with it and should be killed."""


@dataclass(frozen=True, slots=True)
class ModelProcess:
    """One container's server process: its life, and the connection to ask it.

    The connection belongs to exactly one client of ``corelab.engine.model_client``; closing it ends the process.
    """

    container: Container
    connection: socket.socket


@dataclass(frozen=True, slots=True)
class Startup:
    """What crosses to the model process when it starts, besides its environment."""

    connection: socket.socket
    model_folder: Path
    cpu_count: int


class ModelServer(Protocol):
    """Starts model processes."""

    def start(self, spec: ServingSpec) -> ModelProcess:
        """Returns before the model is loaded: a ping tells, or the process ends because it cannot be."""
