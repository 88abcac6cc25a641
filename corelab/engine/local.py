"""The engine of a local server: training in child processes of this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corelab.engine.child import Surroundings
from corelab.engine.container import environment, lay_out
from corelab.engine.contract import TrainingSpec
from corelab.engine.host import ContainerHost
from corelab.engine.process import ContainerProcess

_TRAIN = "corelab.engine.xgb.train:main"


class LocalEngine:
    """Runs the built-in algorithm, see contract.Engine."""

    def __init__(self, host: ContainerHost | None = None) -> None:
        self.host = host or ContainerHost()

    def warm(self) -> None:
        self.host.warm()

    def train(self, spec: TrainingSpec) -> ContainerProcess:
        lay_out(spec)
        plain = replace(spec, hyperparameters=dict(spec.hyperparameters), environment=dict(spec.environment))
        surroundings = Surroundings(spec.root, environment(plain), spec.memory_bytes)
        return self.host.start(_TRAIN, plain, surroundings, spec.notes)

    def close(self) -> None:
        self.host.close()


if TYPE_CHECKING:
    from corelab.engine.contract import Engine

    _: Engine = LocalEngine()
