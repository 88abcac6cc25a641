"""Model containers as child processes, each behind one socket of its own.

    server ◀──frames──▶ socket pair ◀──frames──▶ model process (forked with XGBoost loaded)
    LocalModelServer.start ──▶ ModelProcess ──▶ AsyncModelClient.connect(process.connection)

The socket pair is made before the child: nothing listens, so nobody else can ask, and when either side ends
the other sees it at once.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from corelab.engine.child import Surroundings
from corelab.engine.host import ContainerHost
from corelab.engine.serving_contract import ModelProcess, ServingSpec, Startup

_SERVE = "corelab.engine.xgb.serve.worker:main"


class LocalModelServer:
    """Starts model processes on this machine, see serving_contract.ModelServer."""

    def __init__(self, host: ContainerHost) -> None:
        self._host = host

    def start(self, spec: ServingSpec) -> ModelProcess:
        """Raises OSError when the system has no process, memory or descriptor left."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                container = self._host.start(
                    _SERVE,
                    Startup(theirs, spec.root / "model", spec.cpu_count),
                    Surroundings(spec.root, _environment(spec), spec.memory_bytes),
                    spec.notes,
                )
        except BaseException:
            ours.close()
            raise
        return ModelProcess(container, ours)


def _environment(spec: ServingSpec) -> dict[str, str]:
    platform = {"SAGEMAKER_BATCH": "true"} if spec.batch else {}
    return {**spec.environment, **platform}


if TYPE_CHECKING:
    from corelab.engine.serving_contract import ModelServer

    _: ModelServer = LocalModelServer(ContainerHost())
