"""A job root: the files a container finds under ``/opt/ml``, and those it leaves there."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from corelab.engine.contract import Channel, TrainingSpec
from corelab.engine.output import ShownPaths

SHOWN_ROOT = "/opt/ml"
_FAILURE_BYTES = 1 << 20


def lay_out(spec: TrainingSpec) -> None:
    """Write the config files and make the folders of Container spec 0.1."""
    for folder in ("input/config", "input/data", "model", "output/data"):
        (spec.root / folder).mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "hyperparameters": dict(spec.hyperparameters),
        "inputdataconfig": {channel.name: _described(channel) for channel in spec.channels},
        "resourceconfig": {
            "current_host": spec.current_host,
            "current_instance_type": spec.instance_type,
            "hosts": list(spec.hosts),
            "network_interface_name": "lo",
        },
    }
    if spec.checkpoint_path is not None:
        private_path(spec.root, spec.checkpoint_path).mkdir(parents=True, exist_ok=True)
        config["checkpointconfig"] = {"LocalPath": spec.checkpoint_path}
    for name, content in config.items():
        (spec.root / "input" / "config" / f"{name}.json").write_text(json.dumps(content), "utf-8")


def environment(spec: TrainingSpec) -> dict[str, str]:
    """The variables of a training container: the job's own, then the platform's (Container spec 0.1)."""
    platform = {
        "TRAINING_JOB_NAME": spec.job_name,
        "TRAINING_JOB_ARN": spec.job_arn,
        "SM_HOSTS": json.dumps(list(spec.hosts)),
        "SM_CURRENT_HOST": spec.current_host,
        "SM_NUM_GPUS": "0",  # whatever the instance type has: this machine lends none
        "SM_MODEL_DIR": str(spec.root / "model"),
        "SM_OUTPUT_DATA_DIR": str(spec.root / "output" / "data"),
    }
    channels = {
        f"SM_CHANNEL_{channel.name.upper()}": str(spec.root / "input" / "data" / channel.name)
        for channel in spec.channels
    }
    return {**spec.environment, **platform, **channels}


def private_path(root: Path, shown: str) -> Path:
    """Where a path that the container knows, such as ``/opt/ml/checkpoints``, really is: always under the root."""
    parts = [part for part in PurePosixPath(shown).parts if part not in ("/", "..")]
    if parts[:2] == ["opt", "ml"]:
        return root.joinpath(*parts[2:])
    return root.joinpath("elsewhere", *parts)


def shown_paths(root: Path) -> ShownPaths:
    """Turns private paths in text into the container's, and those of installed libraries into short ones."""
    return ShownPaths(
        [
            (root / "tmp", "/tmp"),  # noqa: S108 - a name to show, not a place
            (root, SHOWN_ROOT),
            (_libraries(), "site-packages"),
            (Path(sys.base_prefix), "python"),
        ]
    )


@cache
def _libraries() -> Path:
    return Path(sysconfig.get_path("purelib"))


def write_failure(root: Path, text: str) -> None:
    """Leave the reason of a failure where the platform looks for it."""
    path = root / "output" / "failure"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", errors="backslashreplace")


def read_failure(root: Path) -> str | None:
    """The text of ``output/failure`` with the container's paths, up to 1 MiB; None when there is none."""
    try:
        descriptor = os.open(root / "output" / "failure", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return shown_paths(root)(file.read(_FAILURE_BYTES).decode("utf-8", "replace"))


def _described(channel: Channel) -> dict[str, str]:
    content_type = {} if channel.content_type is None else {"ContentType": channel.content_type}
    return {
        **content_type,
        "TrainingInputMode": channel.input_mode,
        "S3DistributionType": channel.distribution,
        "RecordWrapperType": channel.record_wrapper,
    }
