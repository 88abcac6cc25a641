"""Jobs on several hosts: one container each, side by side."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from corelab.engine.contract import Channel, Exit, TrainingSpec

HYPERPARAMETERS = {
    "objective": "binary:logistic",
    "num_round": "5",
    "max_depth": "3",
    "eval_metric": "auc,accuracy",
}


class Cluster:
    """As many hosts as there are shards; an empty shard is a host without data."""

    def __init__(self, engine: Any, folder: Path, shards: list[np.ndarray | None], **changes: Any) -> None:
        self.roots = [folder / f"algo-{n}" for n in range(1, len(shards) + 1)]
        hosts = tuple(root.name for root in self.roots)
        self.containers = []
        for root, shard in zip(self.roots, shards, strict=True):
            channel = root / "input" / "data" / "train"
            channel.mkdir(parents=True)
            if shard is not None:
                np.savetxt(channel / "data", shard, delimiter=",", fmt="%.6g")
            channels = (Channel("train", "text/csv", distribution="ShardedByS3Key"),)
            spec = TrainingSpec(root, "a-job", "an-arn", HYPERPARAMETERS, channels, hosts, root.name)
            self.containers.append(engine.train(replace(spec, **changes)))

    def finish(self) -> tuple[list[Exit], list[list[str]]]:
        """Outputs are small enough to wait in their pipes, one after the other."""
        logs = [[line.text for line in container.lines()] for container in self.containers]
        return [container.wait(20) for container in self.containers], logs

    def models(self) -> list[Path]:
        return [path for root in self.roots for path in (root / "model").iterdir()]


def metric_lines(log: list[str]) -> list[str]:
    return [line for line in log if "\ttrain-" in line]


def test_two_hosts_train_one_model_on_both_their_shards(
    engine: Any, tmp_path: Path, rows: np.ndarray
) -> None:
    cluster = Cluster(engine, tmp_path, [rows[:150], rows[150:]])
    exits, logs = cluster.finish()
    assert [exit.code for exit in exits] == [0, 0]
    assert cluster.models() == [tmp_path / "algo-1" / "model" / "xgboost-model"]
    assert [len(metric_lines(log)) for log in logs] == [5, 0]
    # The ring's master prints through its log.
    assert ":INFO] [0]\ttrain-auc:" in metric_lines(logs[0])[0]
    model = xgboost.Booster(model_file=cluster.models()[0])
    predicted = model.predict(xgboost.DMatrix(rows[:, 1:]))
    alone = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "tree_method": "approx"},
        xgboost.DMatrix(rows[:, 1:], label=rows[:, 0]),
        5,
    )
    assert np.abs(predicted - alone.predict(xgboost.DMatrix(rows[:, 1:]))).mean() < 0.05


def test_every_host_says_who_trains_together(engine: Any, tmp_path: Path, rows: np.ndarray) -> None:
    _, logs = Cluster(engine, tmp_path, [rows[:150], rows[150:]]).finish()
    for log in logs:
        assert any(
            line.endswith("Distributed node training with 2 hosts: ['algo-1', 'algo-2']") for line in log
        )
        assert any(line.endswith("Train matrix has 150 rows and 4 columns") for line in log)


def test_hosts_without_data_drop_out_and_the_next_one_is_master(
    engine: Any, tmp_path: Path, rows: np.ndarray
) -> None:
    cluster = Cluster(engine, tmp_path, [None, rows[:150], rows[150:]])
    exits, logs = cluster.finish()
    assert [exit.code for exit in exits] == [0, 0, 0]
    assert cluster.models() == [tmp_path / "algo-2" / "model" / "xgboost-model"]
    assert any("Host algo-1 does not have training data." in line for line in logs[0])
    assert len(metric_lines(logs[1])) == 5


def test_a_single_host_with_data_trains_alone(engine: Any, tmp_path: Path, rows: np.ndarray) -> None:
    cluster = Cluster(engine, tmp_path, [None, rows])
    exits, logs = cluster.finish()
    assert [exit.code for exit in exits] == [0, 0]
    assert cluster.models() == [tmp_path / "algo-2" / "model" / "xgboost-model"]
    assert metric_lines(logs[1])[0].startswith("[0]\t")


def test_without_any_data_every_host_ends_well_and_without_a_model(engine: Any, tmp_path: Path) -> None:
    cluster = Cluster(engine, tmp_path, [None, None])
    exits, _ = cluster.finish()
    assert [exit.code for exit in exits] == [0, 0]
    assert cluster.models() == []


def test_hosts_with_different_checkpoints_start_anew_together(
    engine: Any, tmp_path: Path, rows: np.ndarray
) -> None:
    (tmp_path / "algo-1" / "checkpoints").mkdir(parents=True)
    old = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(rows[:, 1:], label=rows[:, 0]), 3)
    old.save_model(tmp_path / "algo-1" / "checkpoints" / "xgboost-checkpoint.2")
    cluster = Cluster(engine, tmp_path, [rows[:150], rows[150:]], checkpoint_path="/opt/ml/checkpoints")
    exits, logs = cluster.finish()
    assert [exit.code for exit in exits] == [0, 0]
    assert any("The hosts hold different checkpoints." in line for line in logs[0])
    assert xgboost.Booster(model_file=cluster.models()[0]).num_boosted_rounds() == 5


def test_a_host_that_fails_takes_the_ring_with_it(engine: Any, tmp_path: Path, rows: np.ndarray) -> None:
    broken = rows[:150].copy()
    broken[:, 0] = 7
    exits, _ = Cluster(engine, tmp_path, [rows[150:], broken]).finish()
    assert [exit.code for exit in exits] == [1, 1]
    assert "label must be in [0,1] for logistic regression" in (exits[1].failure or "")


def test_a_host_that_is_killed_takes_the_ring_with_it(engine: Any, tmp_path: Path, rows: np.ndarray) -> None:
    endless = {**HYPERPARAMETERS, "num_round": "1000000000"}
    cluster = Cluster(engine, tmp_path, [rows[:150], rows[150:]], hyperparameters=endless)
    lines = cluster.containers[0].lines()
    next(line for line in lines if "[3]\ttrain-" in line.text)
    cluster.containers[1].kill()
    for _ in lines:
        pass
    survivor = cluster.containers[0].wait(20)
    assert (survivor.code, cluster.containers[1].wait(20).code) == (1, -signal.SIGKILL)
    assert "Allreduce failed" in survivor.failure
