from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost

from corelab.engine.xgb.checkpoints import Checkpoints
from corelab.engine.xgb.model_file import ModelFolder


@pytest.fixture(scope="module")
def model() -> xgboost.Booster:
    return xgboost.train({"nthread": 1}, xgboost.DMatrix(np.arange(8.0).reshape(4, 2), label=[0, 1, 0, 1]), 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path


def test_the_model_is_in_the_engines_binary_format(folder: Path, model: xgboost.Booster) -> None:
    ModelFolder(folder / "model", folder / "scratch").store(model)
    assert (folder / "model" / "xgboost-model").read_bytes().startswith(b"binf")
    assert xgboost.Booster(model_file=folder / "model" / "xgboost-model").num_boosted_rounds() == 2


def test_image_3_writes_ubjson(folder: Path, model: xgboost.Booster) -> None:
    ModelFolder(folder / "model", folder / "scratch", ubj=True).store(model)
    assert (folder / "model" / "xgboost-model").read_bytes().startswith(b"{L")
    again = xgboost.Booster()
    again.load_model(bytearray((folder / "model" / "xgboost-model").read_bytes()))
    assert again.num_boosted_rounds() == 2


def test_models_of_folds_are_numbered(folder: Path, model: xgboost.Booster) -> None:
    models = ModelFolder(folder / "model", folder / "scratch")
    for fold in range(3):
        models.store(model, fold)
    assert sorted(path.name for path in (folder / "model").iterdir()) == [
        f"xgboost-model-{n}" for n in range(3)
    ]


def test_nothing_unfinished_is_left_anywhere(folder: Path, model: xgboost.Booster) -> None:
    ModelFolder(folder / "model", folder / "scratch").store(model)
    assert list((folder / "scratch").iterdir()) == []


def test_clean_up_leaves_models_alone(folder: Path) -> None:
    models = ModelFolder(folder / "model", folder / "scratch")
    for name in ("tmp1", "tmp2", "xgboost-model", "xgboost-model-3"):
        (folder / "model" / name).touch()
    models.keep_only_models()
    assert sorted(path.name for path in (folder / "model").iterdir()) == ["xgboost-model", "xgboost-model-3"]


@pytest.mark.parametrize(
    ("names", "newest", "rounds"),
    [
        (
            [
                "xgboost-checkpoint.100",
                "xgboost-checkpoint.989",
                "xgboost-checkpoint.101",
                "xgboost-checkpoint.99",
            ],
            ".989",
            990,
        ),
        (["xgboost-checkpoint_0.json"], "_0.json", 1),
        (["xgboost-checkpoint_0.ubj", "xgboost-checkpoint.3"], ".3", 4),
    ],
)
def test_the_highest_round_is_resumed(
    names: list[str], newest: str, rounds: int, tmp_path: Path, model: xgboost.Booster
) -> None:
    for name in names:
        model.save_model(tmp_path / name)
    assert Checkpoints(tmp_path).latest() == (tmp_path / f"xgboost-checkpoint{newest}", rounds)


@pytest.mark.parametrize(
    "name",
    [
        "xgboost-checkpoint",
        "xgboost-checkpoint.x",
        "xgboost-checkpoint.3.sagemaker-ignore",
        "my-xgboost-checkpoint.3",
    ],
)
def test_other_files_are_no_checkpoints(name: str, tmp_path: Path, model: xgboost.Booster) -> None:
    model.save_model(tmp_path / name)
    assert Checkpoints(tmp_path).latest() is None


def test_an_empty_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "new").latest() is None
