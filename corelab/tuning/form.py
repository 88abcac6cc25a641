"""Which parts of a tuning job's request go together: one definition or several, one way to say the instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from corelab.errors import validation_error
from corelab.tuning.autotune import is_autotuned

NO_METRIC = (
    "A metric is required for this hyperparameter tuning job objective. "
    "Provide a metric in the metric definitions."
)
_ONE_CONFIG = ("InstanceType", "InstanceCount", "VolumeSizeInGB")


def check_form(request: Mapping[str, Any]) -> None:
    """Raises ValidationException for parts that exclude each other or are missing (Service spec 6.1)."""
    if ("TrainingJobDefinition" in request) == ("TrainingJobDefinitions" in request):
        raise validation_error("Provide exactly one of TrainingJobDefinition and TrainingJobDefinitions.")
    config, autotuned = request["HyperParameterTuningJobConfig"], is_autotuned(request)
    if "TrainingJobDefinition" in request:
        _check_single(config, request["TrainingJobDefinition"], autotuned)
        _check_auto_parameters(config.get("ParameterRanges", {}), autotuned)
        _check_instances(request["TrainingJobDefinition"])
        return
    _check_several(config, request["TrainingJobDefinitions"], autotuned)
    for entry in request["TrainingJobDefinitions"]:
        _check_auto_parameters(entry.get("HyperParameterRanges", {}), autotuned)
        _check_instances(entry)


def _check_single(config: Mapping[str, Any], entry: Mapping[str, Any], autotuned: bool) -> None:
    misplaced = [name for name in ("TuningObjective", "HyperParameterRanges") if name in entry]
    if misplaced:
        raise validation_error(
            "With TrainingJobDefinition, provide the objective and the ranges in HyperParameterTuningJobConfig "
            f"instead of [{', '.join(misplaced)}]."
        )
    if "HyperParameterTuningJobObjective" not in config:
        raise validation_error(NO_METRIC)
    if "ParameterRanges" not in config and not autotuned:
        raise validation_error(
            "Provide ParameterRanges in HyperParameterTuningJobConfig, or enable Autotune."
        )


def _check_several(config: Mapping[str, Any], entries: list[Mapping[str, Any]], autotuned: bool) -> None:
    misplaced = [name for name in ("HyperParameterTuningJobObjective", "ParameterRanges") if name in config]
    if misplaced:
        raise validation_error(
            "With TrainingJobDefinitions, each definition has its own TuningObjective and HyperParameterRanges; leave "
            f"[{', '.join(misplaced)}] out of HyperParameterTuningJobConfig."
        )
    counts = Counter(entry.get("DefinitionName") for entry in entries)
    if None in counts:
        raise validation_error("Each of the TrainingJobDefinitions needs a DefinitionName.")
    repeated = [str(name) for name, count in counts.items() if count > 1]
    if repeated:
        raise validation_error(
            f"The DefinitionName of a training job definition must be unique: [{', '.join(repeated)}]."
        )
    for entry in entries:
        if "TuningObjective" not in entry:
            raise validation_error(NO_METRIC)
        if "HyperParameterRanges" not in entry and not autotuned:
            raise validation_error(
                f"Provide HyperParameterRanges in the training job definition {entry['DefinitionName']}, or enable "
                "Autotune."
            )


def _check_auto_parameters(ranges: Mapping[str, Any], autotuned: bool) -> None:
    if ranges.get("AutoParameters") and not autotuned:
        raise validation_error("AutoParameters can be provided only when Autotune is Enabled.")


def _check_instances(entry: Mapping[str, Any]) -> None:
    if ("ResourceConfig" in entry) == ("HyperParameterTuningResourceConfig" in entry):
        raise validation_error(
            "Provide exactly one of ResourceConfig and HyperParameterTuningResourceConfig."
        )
    flexible = entry.get("HyperParameterTuningResourceConfig", {})
    if "InstanceConfigs" in flexible:
        doubled = [name for name in _ONE_CONFIG if name in flexible]
        if doubled:
            raise validation_error(f"Provide either InstanceConfigs or [{', '.join(doubled)}], not both.")
    elif "AllocationStrategy" in flexible:
        raise validation_error("AllocationStrategy orders InstanceConfigs; provide them too.")
    instances = flexible.get("InstanceConfigs") or [flexible or entry["ResourceConfig"]]
    for instance in instances:
        if "InstanceGroups" not in instance and not (
            instance.get("InstanceType") and instance.get("InstanceCount", 0) >= 1
        ):
            raise validation_error("Provide an InstanceType and an InstanceCount of at least 1.")
