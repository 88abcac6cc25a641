"""Real containers: an engine for the session, and jobs whose channels are written by the test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corelab.engine.contract import Channel, Exit, TrainingSpec
from corelab.engine.host import ContainerHost
from corelab.engine.local import LocalEngine


@pytest.fixture(scope="session")
def host() -> Iterator[ContainerHost]:
    host = ContainerHost()
    yield host
    host.close()


@pytest.fixture(scope="session")
def engine(host: ContainerHost) -> LocalEngine:
    return LocalEngine(host)


@dataclass
class Outcome:
    """What came out of a finished container."""

    exit: Exit
    log: list[str]
    root: Path

    @property
    def text(self) -> str:
        return "\n".join(self.log)

    def metrics(self) -> list[dict[str, float]]:
        """The metric lines: name to value."""
        lines = [line for line in self.log if line.startswith("[") and "\t" in line]
        return [
            {name: float(value) for name, value in (field.rsplit(":", 1) for field in line.split("\t")[1:])}
            for line in lines
        ]

    def messages(self) -> list[str]:
        """Log messages without time and level."""
        return [re.sub(r"^\[\d{4}-[^]]*\] ", "", line) for line in self.log]


class Job:
    """A training job in the making."""

    def __init__(self, engine: LocalEngine, root: Path) -> None:
        self.engine, self.root = engine, root
        self.spec = TrainingSpec(root, "a-job", "an-arn", {}, ())

    def channel(
        self,
        name: str,
        data: str | bytes | Mapping[str, str | bytes] | np.ndarray,
        content_type: str | None = "text/csv",
        **rest: str,
    ) -> Job:
        """Add a channel of one file, or of several by name."""
        folder = self.root / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        files = data if isinstance(data, Mapping) else {"data": data}
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, np.ndarray):
                np.savetxt(path, content, delimiter=",", fmt="%.6g")
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.with_(channels=(*self.spec.channels, Channel(name, content_type, **rest)))

    def with_(self, **changes: Any) -> Job:
        self.spec = replace(self.spec, **changes)
        return self

    def start(self, **hyperparameters: Any) -> Any:
        given = {name: str(value) for name, value in hyperparameters.items()}
        return self.engine.train(replace(self.spec, hyperparameters={**self.spec.hyperparameters, **given}))

    def run(self, **hyperparameters: Any) -> Outcome:
        container = self.start(**hyperparameters)
        log = [line.text for line in container.lines()]
        outcome = container.wait(timeout=30)
        assert outcome is not None
        return Outcome(outcome, log, self.root)


@pytest.fixture
def job(engine: LocalEngine, tmp_path: Path) -> Job:
    return Job(engine, tmp_path / "algo-1")


@pytest.fixture(scope="session")
def rows() -> np.ndarray:
    """300 rows: a 0/1 label and four features, the first of which tells most."""
    random = np.random.default_rng(7)
    features = random.normal(size=(300, 4))
    label = (
        features[:, 0] + features[:, 1] * features[:, 2] + random.normal(scale=0.7, size=300) > 0
    ).astype(int)
    return np.column_stack([label, features])
