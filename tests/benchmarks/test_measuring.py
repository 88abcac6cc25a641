"""Benchmarks on sizes that take a moment: what they print and write is what the page describes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import psutil
import xgboost
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import bare, data
from benchmarks.lab import Peak

ROOT = Path(__file__).parent.parent.parent


def test_a_benchmark_prints_a_table_and_writes_its_file(folder: Path) -> None:
    ended = CliRunner().invoke(command.main, ["cold_start", "--quick"])
    assert ended.exit_code == 0, ended.output
    assert "first answer after idling" in ended.output
    content = json.loads((folder / "build/bench/cold_start.json").read_text("utf-8"))
    first, _ = content["figures"]
    assert len(first["samples"]["ours"]) == len(first["samples"]["floor"]) == 2
    assert all(sample > 0 for samples in first["samples"].values() for sample in samples)


def test_an_unknown_benchmark_is_refused_with_the_known_ones() -> None:
    ended = CliRunner().invoke(command.main, ["latency"])
    assert ended.exit_code == 2
    assert all(name in ended.output for name in command.TITLES)


def test_the_page_describes_every_benchmark() -> None:
    page = (ROOT / "docs/benchmarks.md").read_text("utf-8")
    assert [name for name in command.TITLES if f"`{name}`" not in page] == []


def test_the_floor_of_training_is_a_plain_training(tmp_path: Path) -> None:
    file, model = tmp_path / "train.csv", tmp_path / "model"
    data.write_training(file, 500)
    told = bare.run("train", str(file), str(model), data.PARAMETERS, 5)
    assert told["seconds"] > 0
    assert told["peak"] > 10e6
    assert xgboost.Booster(model_file=model).num_boosted_rounds() == 5


def test_the_floor_of_tuning_trains_every_trial(tmp_path: Path) -> None:
    for channel in ("train", "validation"):
        data.write_training(tmp_path / f"{channel}.csv", 300)
    trials = [{"objective": "binary:logistic", "num_round": str(rounds)} for rounds in (2, 3)]
    bare.run("tune", str(tmp_path), str(tmp_path / "model"), trials, 2)
    rounds = [xgboost.Booster(model_file=tmp_path / f"model-{n}").num_boosted_rounds() for n in (0, 1)]
    assert rounds == [2, 3]


def test_the_table_is_the_same_for_the_same_seed_and_can_be_learnt() -> None:
    table = data.features(2000, seed=3)
    assert np.array_equal(table, data.features(2000, seed=3))
    labels = data.labels(table, seed=3)
    booster = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(table, labels), 30
    )
    unseen = data.features(1000, seed=4)
    agreed = (booster.predict(xgboost.DMatrix(unseen)) > 0.5) == data.labels(unseen, seed=4)
    assert agreed.mean() > 0.65


def test_a_peak_is_seen_after_the_memory_is_given_back() -> None:
    with Peak(psutil.Process()) as peak:
        block = np.ones(20_000_000)
        block += 1
        seen = block.nbytes
        time.sleep(0.2)
        del block
    assert peak.grown > 0.8 * seen
