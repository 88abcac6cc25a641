"""Opening what a model archive holds; pickles stay closed."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import xgboost

MODEL_PATH = "/opt/ml/model"

_PICKLES_REFUSED = (
    "pickled models are not opened here, because unpickling runs code from the archive; "
    "save the booster with Booster.save_model"
)
_NOT_A_MODEL = "not an XGBoost model: expected its binary (binf), JSON or UBJSON format"

logger = logging.getLogger(__name__)


class UnloadableModel(Exception):
    """A file of the model folder is no model, or there is none; the text is the container's."""


def load_boosters(folder: Path, ensemble: bool) -> list[xgboost.Booster]:
    """The models of the folder, by file name; only the first one unless ``ensemble``.

    Raises:
        UnloadableModel: container spec 4.6.
    """
    files = _model_files(folder)
    if not files:
        raise UnloadableModel("list index out of range")
    if len(files) > 1 and ensemble:
        logger.info("Found %d models, predicting with all of them", len(files))
        return [_load(path) for path in files]
    return [_load(files[0])]


def _model_files(folder: Path) -> list[Path]:
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if not entry.is_file(follow_symlinks=False):
            continue
        if entry.name.startswith("."):
            logger.warning("Ignoring hidden file %s/%s", MODEL_PATH, entry.name)
        else:
            found.append(Path(entry.path))
    return found


def _load(path: Path) -> xgboost.Booster:
    try:
        _check_header(path)
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(path)
    except (OSError, ValueError, TypeError) as error:
        shown = f"{MODEL_PATH}/{path.name}"
        raise UnloadableModel(
            f"Model {shown} cannot be loaded:\nPickle load error={_PICKLES_REFUSED}\n"
            f"XGB load model error={error}".replace(str(path), shown)
        ) from error
    return booster


def _check_header(path: Path) -> None:
    # The engine takes any other bytes for a model of its first years and trusts the sizes it reads there.
    with path.open("rb") as file:
        header = file.read(4)
    if header != b"binf" and header[:1] != b"{":
        raise ValueError(_NOT_A_MODEL)
