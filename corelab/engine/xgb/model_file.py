"""The model folder: ``xgboost-model`` in the image's format, and nothing else (Container spec 3.6)."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import xgboost

MODEL_NAME = "xgboost-model"


class ModelFolder:
    """Where a job's model goes.

    Args:
        scratch: a folder on the same disk, for files in the making: the platform takes all of the model folder.
        ubj: write UBJSON, as image 3.0-5 does, and not the engine's old binary format.
    """

    def __init__(self, folder: Path, scratch: Path, ubj: bool = False) -> None:
        self._folder, self._scratch, self._ubj = folder, scratch, ubj
        folder.mkdir(parents=True, exist_ok=True)

    def store(self, model: xgboost.Booster, fold: int | None = None) -> None:
        """Write the model, or replace it at one stroke."""
        name = MODEL_NAME if fold is None else f"{MODEL_NAME}-{fold}"
        unfinished = self._scratch / name
        if self._ubj:
            unfinished.write_bytes(model.save_raw(raw_format="ubj"))
        else:
            model.save_model(unfinished)
        unfinished.replace(self._folder / name)

    def keep_only_models(self) -> None:
        """Delete files that are no model of this job."""
        for path in self._folder.iterdir():
            if path.is_file() and not path.name.startswith(MODEL_NAME):
                with contextlib.suppress(OSError):
                    path.unlink()

    def end_well_when_terminated(self) -> None:
        """From now on SIGTERM ends the process with code 0 and leaves the model of the last whole round."""

        def end(number: int, frame: Any) -> None:
            self.keep_only_models()
            # An exception may get lost: this may run inside a call from C code, or in the middle of a print.
            os._exit(0)

        signal.signal(signal.SIGTERM, end)
