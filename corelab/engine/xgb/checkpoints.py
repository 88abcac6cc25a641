"""Checkpoints: a model after each round, and where a restarted job goes on from (Container spec 3.6)."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from pathlib import Path

import xgboost

logger = logging.getLogger(__name__)

KEPT = 5
# The platform uploads the folder while it is written to, and leaves out what ends so.
_UNFINISHED = ".sagemaker-ignore"
# The first form is what jobs leave here; the others are what image 1.7-1 and 3.0-5 leave of their first round.
_NAME = re.compile(r"xgboost-checkpoint(?:\.([0-9]{1,18})|_([0-9]{1,18})\.(?:json|ubj))")


class Checkpoints:
    """The checkpoint folder of one training run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._found = {path.name for path in folder.iterdir()}

    def latest(self) -> tuple[Path, int] | None:
        """The newest checkpoint that opens, and the number of rounds in it; tries the newest few."""
        numbered = sorted(
            ((_round(name), name) for name in self._found if _NAME.fullmatch(name)), reverse=True
        )
        for number, name in numbered[:KEPT]:
            path = self._folder / name
            try:
                _open(path)
            except (xgboost.core.XGBoostError, OSError):
                logger.warning("Checkpoint %s does not open as a model and is left out.", path)
                continue
            return path, number + 1
        return None

    def save(self, model: xgboost.Booster, number: int) -> None:
        """Store the model after round ``number``, and drop this run's checkpoints but the newest few."""
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=_UNFINISHED)
        os.close(descriptor)
        model.save_model(name)
        Path(name).replace(self._path(number))
        old = self._path(number - KEPT)
        if old.name not in self._found:
            old.unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"xgboost-checkpoint.{number}"


def _open(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
    # The engine takes other bytes for a model of its first years, and trusts the sizes it reads there.
    if start != b"binf" and start[:1] != b"{":
        raise xgboost.core.XGBoostError("not a model")
    xgboost.Booster({"nthread": 1}).load_model(path)


def _round(name: str) -> int:
    match = _NAME.fullmatch(name)
    assert match is not None
    return int(match[1] or match[2])
