from __future__ import annotations

import json
from pathlib import Path

import pytest

from corelab.engine.container import environment, lay_out, private_path, read_failure, write_failure
from corelab.engine.contract import Channel, Exit, TrainingSpec


def spec(root: Path, **rest: object) -> TrainingSpec:
    channels = (Channel("train", "text/csv"), Channel("validation", None, "Pipe", "ShardedByS3Key"))
    return TrainingSpec(root, "a-job", "an-arn", {"num_round": "10"}, channels, **rest)  # type: ignore[arg-type]


def config(root: Path, name: str) -> object:
    return json.loads((root / "input" / "config" / f"{name}.json").read_text())


def test_the_config_files_say_what_the_container_expects(tmp_path: Path) -> None:
    lay_out(spec(tmp_path, hosts=("algo-1", "algo-2"), current_host="algo-2"))
    assert config(tmp_path, "hyperparameters") == {"num_round": "10"}
    assert config(tmp_path, "inputdataconfig") == {
        "train": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        },
        "validation": {
            "TrainingInputMode": "Pipe",
            "S3DistributionType": "ShardedByS3Key",
            "RecordWrapperType": "None",
        },
    }
    resources = config(tmp_path, "resourceconfig")
    assert isinstance(resources, dict)
    assert (resources["current_host"], resources["hosts"]) == ("algo-2", ["algo-1", "algo-2"])


def test_without_a_checkpoint_path_there_is_no_checkpoint_config(tmp_path: Path) -> None:
    lay_out(spec(tmp_path))
    assert not (tmp_path / "input/config/checkpointconfig.json").exists()


def test_a_checkpoint_path_becomes_a_folder_under_the_root(tmp_path: Path) -> None:
    lay_out(spec(tmp_path, checkpoint_path="/opt/ml/checkpoints"))
    assert config(tmp_path, "checkpointconfig") == {"LocalPath": "/opt/ml/checkpoints"}
    assert (tmp_path / "checkpoints").is_dir()


@pytest.mark.parametrize(
    "shown",
    ["/opt/ml/../../etc", "/etc/passwd", "../../x", "/opt/ml/a/../../../b", "/", "relative", "/opt/mlx"],
)
def test_no_path_leaves_the_root(tmp_path: Path, shown: str) -> None:
    private = private_path(tmp_path, shown)
    assert ".." not in private.parts
    assert private.is_relative_to(tmp_path)


def test_the_platforms_variables_win_over_the_jobs_own(tmp_path: Path) -> None:
    variables = environment(spec(tmp_path, environment={"MINE": "1", "TRAINING_JOB_NAME": "forged"}))
    assert (variables["MINE"], variables["TRAINING_JOB_NAME"]) == ("1", "a-job")
    assert variables["SM_CHANNEL_TRAIN"] == str(tmp_path / "input/data/train")


def test_a_failure_is_read_with_the_containers_paths(tmp_path: Path) -> None:
    write_failure(tmp_path, f"no data in {tmp_path}/input/data/train")
    assert read_failure(tmp_path) == "no data in /opt/ml/input/data/train"


def test_no_failure_file_means_no_failure(tmp_path: Path) -> None:
    assert read_failure(tmp_path) is None


def test_a_failure_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "output/failure").symlink_to(tmp_path / "secret")
    assert read_failure(tmp_path) is None


@pytest.mark.parametrize(("code", "shown"), [(0, 0), (1, 1), (-9, 137), (-15, 143)])
def test_signals_show_as_containers_show_them(code: int, shown: int) -> None:
    assert Exit(code).shown_code == shown
