"""The built-in algorithm's ``train`` command, in the container's order (Container spec 0.3, 0.4).

config ─▶ hyperparameters ─▶ channels ─▶ first lines ─▶ matrices ─▶ boost ─▶ xgboost-model
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from corelab.engine.container import private_path
from corelab.engine.contract import TrainingSpec
from corelab.engine.instances import instance_type
from corelab.engine.xgb import channels, data_files, folds, hyperparameters, ring
from corelab.engine.xgb.boosting import Booster, Matrices
from corelab.engine.xgb.content_types import Format, parse_content_type
from corelab.engine.xgb.failures import AlgorithmError, PlatformError, UserError, report
from corelab.engine.xgb.log import start_logging
from corelab.engine.xgb.matrices import Loader
from corelab.engine.xgb.model_file import ModelFolder
from corelab.errors import BadArgument

Trained = list[tuple[int | None, xgboost.Booster]]

logger = logging.getLogger(__name__)

# What the container takes for a mistake in the user's data when the engine says it.
_USER_FAULTS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
)
_SCRIPT_MODE = (
    "Script mode (sagemaker_program) is not supported by the local SageMaker: it runs the built-in XGBoost algorithm. "
    "Leave out entry_point and source_dir."
)


def main(spec: TrainingSpec) -> int:
    """Train as one host of a job; the exit code."""
    start_logging()
    try:
        _Run(spec).run()
    except Exception as error:  # noqa: BLE001 - whatever ends a container is told in its failure file
        return report(spec.root, error)
    return 0


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the config files and the environment say, checked."""

    config: dict[str, Any]
    channels: dict[str, dict[str, str]]
    data_format: Format
    train: Path
    validation: Path | None

    @property
    def piped(self) -> bool:
        return self.channels["train"]["TrainingInputMode"] == "Pipe"


class _Run:
    def __init__(self, spec: TrainingSpec) -> None:
        self._spec, self._root = spec, spec.root
        self._scratch = Path.cwd()

    def run(self) -> None:
        inputs = self._inputs()
        if inputs.validation is not None and (not inputs.piped or inputs.train == inputs.validation):
            data_files.warn_of_same_data(inputs.train, inputs.validation)
        logger.info("Determined 0 GPU(s) available on the instance.")
        if inputs.config.get("use_dask_gpu_training") == "true":
            refused = dask_refusals(inputs.config, inputs.channels, inputs.data_format, len(self._spec.hosts))
            raise UserError(
                f"Some configurations unsuitable for Dask GPU training were found: {'. '.join(refused)}"
            )
        matrices = self._matrices(inputs)
        if len(self._spec.hosts) > 1:
            self._train_with_others(inputs, matrices)
        elif matrices is None:
            raise UserError(f"No data in training channel path {inputs.train}")
        elif inputs.validation is not None and matrices.validation is None:
            raise UserError(f"No data in validation channel path {inputs.validation}")
        else:
            logger.info("Single node training.")
            self._train(inputs, matrices, master=True)

    def _inputs(self) -> _Inputs:
        logger.info("Imported framework sagemaker_xgboost_container.training")
        given = self._read("hyperparameters")
        _log_plain_values(given)
        logger.info("No GPUs detected (normal if no gpus installed)")
        if "sagemaker_program" in given or "SAGEMAKER_PROGRAM" in os.environ:
            raise UserError(_SCRIPT_MODE)
        logger.info("Running XGBoost Sagemaker in algorithm mode")
        described = self._read("inputdataconfig")
        train, validation = os.environ["SM_CHANNEL_TRAIN"], os.environ.get("SM_CHANNEL_VALIDATION")
        config = hyperparameters.validate(given)
        checked = channels.validate(described)
        return _Inputs(
            config=config,
            channels=checked,
            data_format=parse_content_type(checked["train"]["ContentType"]),
            train=Path(train),
            validation=Path(validation) if validation is not None else None,
        )

    def _read(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            (self._root / "input" / "config" / f"{name}.json").read_text("utf-8")
        )
        return content

    def _matrices(self, inputs: _Inputs) -> Matrices | None:
        """The channels' rows; None without training data. A validation channel without rows has no matrix."""
        weighted = inputs.config.get("csv_weights") == 1
        loader = Loader(self._scratch, inputs.data_format, weighted, inputs.piped)
        sized = {path: loader.size(path) for path in (inputs.train, inputs.validation) if path is not None}
        # All sizes, then all first lines, then all rows: what is wrong first is told first.
        present = [path for path, size in sized.items() if size > 0]
        for path in present:
            loader.check(path)
        loaded = {path: loader.load([path]) for path in present}
        train = loaded.get(inputs.train)
        if train is None:
            return None
        validation = loaded.get(inputs.validation) if inputs.validation is not None else None
        combined = train
        if "_kfold" in inputs.config and validation is not None:
            logger.info("Read both train and validation data into one DMatrix")
            combined = loader.load(list(loaded)) or train
        return Matrices(train, validation, combined)

    def _train_with_others(self, inputs: _Inputs, matrices: Matrices | None) -> None:
        hosts, me = self._spec.hosts, self._spec.current_host
        logger.info("Distributed node training with %d hosts: %s", len(hosts), list(hosts))
        missing = "training" if matrices is None else "validation"
        has_data = matrices is not None and (inputs.validation is None or matrices.validation is not None)
        if not has_data:
            logger.warning(
                "Host %s does not have %s data. It tells the others and takes no part in training; divide the data so "
                "that every host has some.",
                me,
                missing,
            )
        meeting = self._root.parent / "ring"
        members = ring.members(meeting, hosts, me, has_data)
        if matrices is None or not has_data:
            return  # with success, even when no host has data and there will be no model
        if len(members) == 1:
            self._train(inputs, matrices, master=True)
            return
        with ring.joined(meeting, members, me):
            self._train(inputs, matrices, master=me == members[0])

    def _train(self, inputs: _Inputs, matrices: Matrices, master: bool) -> None:
        models = ModelFolder(self._root / "model", self._scratch, ubj=self._is_3())
        booster = Booster(
            inputs.config,
            threads(inputs.config, self._spec.instance_type),
            models,
            self._checkpoint_folder(),
            master,
            self._is_3(),
        )
        logger.info(
            "Train matrix has %d rows and %d columns", matrices.train.num_row(), matrices.train.num_col()
        )
        if matrices.validation is not None:
            logger.info("Validation matrix has %d rows", matrices.validation.num_row())
        try:
            if "_kfold" in inputs.config:
                output = self._root / "output" / "data"
                trained: Trained = list(enumerate(folds.cross_validate(booster, matrices, output)))
            else:
                trained = [(None, booster.train(matrices.train, matrices.watched())[0])]
        except Exception as error:
            if any(fault in str(error) for fault in _USER_FAULTS):
                raise UserError(str(error)) from error
            raise AlgorithmError(f"XGB train call failed with exception:\n {error}") from error
        if master:
            for fold, model in trained:
                models.store(model, fold)

    def _checkpoint_folder(self) -> Path | None:
        shown = self._spec.checkpoint_path
        return private_path(self._root, shown) if shown is not None else None

    def _is_3(self) -> bool:
        return self._spec.image_version.startswith("3.")


def threads(config: Mapping[str, Any], instance: str) -> int:
    """One thread a job, or what the user asks for as far as instance type and machine have it.

    Raises:
        PlatformError: no such instance type.
    """
    try:
        vcpus = instance_type(instance).vcpus
    except BadArgument as error:
        raise PlatformError(str(error)) from error
    return min(int(config.get("nthread", 1)), vcpus, os.cpu_count() or 1)


def dask_refusals(
    config: Mapping[str, Any], described: Mapping[str, Mapping[str, str]], data_format: Format, hosts: int
) -> list[str]:
    """Why Dask GPU training cannot be; never empty, as no instance here has a GPU (Container spec 3.8)."""
    refused = ["Dask training is only available for `gpu_hist` training on GPU instances."]
    if described["train"]["TrainingInputMode"] == "Pipe":
        refused.append("Dask training is not supported for pipe mode input. Please use File mode.")
    if data_format not in ("csv", "parquet"):
        refused.append("Dask training is only supported for CSV and Parquet input.")
    if hosts > 1 and any(
        channel["S3DistributionType"] != "FullyReplicated" for channel in described.values()
    ):
        refused.append("Dask distributed training requires FullyReplicated data.")
    return refused


def _log_plain_values(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        try:
            json.loads(value)
        except (ValueError, TypeError, RecursionError):
            logger.info(
                "Failed to parse hyperparameter %s value %s to Json.\nReturning the value itself", name, value
            )
