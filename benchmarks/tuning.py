"""A tuning job of 20 trials, two at a time, against a bare loop over the same trials, two at a time.

ours    CreateHyperParameterTuningJob ─▶ 20 training jobs ─▶ a waiting client returns
floor   two warm processes: read both CSV files, boost with an evaluation a round, save; 20 times
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import bare, data, training
from benchmarks.figures import Figure, ratio_at_most
from benchmarks.lab import BUCKET, Lab, running, spent

TRIALS = 20
PARALLEL = 2
_STATIC = {"objective": "binary:logistic", "eval_metric": "auc", "num_round": "100"}
# The course's sizes: 7,000 rows to train on, 1,500 to validate, the container's default tree method.
_ROWS = {"train": 7000, "validation": 1500}


def measure(quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, running() as lab:
        folder = Path(name)
        for seed, (channel, rows) in enumerate(_ROWS.items()):
            data.write_training(folder / f"{channel}.csv", rows, seed)
            lab.upload(folder / f"{channel}.csv", f"tune/{channel}/data.csv")
        if quick:
            return _compared(lab, folder, "Bayesian", trials=6, repeats=1)
        return [
            figure
            for strategy in ("Random", "Bayesian")
            for figure in _compared(lab, folder, strategy, TRIALS, repeats=2)
        ]


def _compared(lab: Lab, folder: Path, strategy: str, trials: int, repeats: int) -> list[Figure]:
    ours, ours_cpu, floor = [], [], []
    for _ in range(repeats):
        before = spent(lab)
        seconds, tried = _tune(lab, strategy, trials)
        ours.append(seconds)
        ours_cpu.append(spent(lab) - before)
        floor.append(bare.run("tune", str(folder), str(folder / "model"), tried, PARALLEL))
    label = f"{strategy}: {trials} trials, {PARALLEL} at a time"
    return [
        Figure(label, "s", ours, [each["seconds"] for each in floor], bar=ratio_at_most(1.25)),
        Figure(f"{label}, CPU", "s", ours_cpu, [each["cpu"] for each in floor]),
    ]


def request(name: str, strategy: str, trials: int) -> dict[str, Any]:
    """CreateHyperParameterTuningJob over four hyperparameters."""
    job = training.request("", "tune/train")
    channels = [
        {
            "ChannelName": channel,
            "ContentType": "text/csv",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/tune/{channel}/"}
            },
        }
        for channel in _ROWS
    ]
    passed_on = (
        "AlgorithmSpecification",
        "RoleArn",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
    )
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "RandomSeed": 1,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": PARALLEL},
            "ParameterRanges": {
                "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "3", "MaxValue": "8"}],
                "ContinuousParameterRanges": [
                    {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"},
                    {"Name": "subsample", "MinValue": "0.5", "MaxValue": "1"},
                    {"Name": "min_child_weight", "MinValue": "1", "MaxValue": "10"},
                ],
            },
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": _STATIC,
            "InputDataConfig": channels,
            **{member: job[member] for member in passed_on},
        },
    }


def _tune(lab: Lab, strategy: str, trials: int) -> tuple[float, list[dict[str, str]]]:
    """Seconds until a client knows that it is over, and every trial's hyperparameters in launch order."""
    sagemaker, name = lab.client("sagemaker"), lab.name("tune")
    began = time.perf_counter()
    sagemaker.create_hyper_parameter_tuning_job(**request(name, strategy, trials))
    while (told := _described(sagemaker, name))["HyperParameterTuningJobStatus"] == "InProgress":
        pass  # the server holds the answer until there is news
    seconds = time.perf_counter() - began
    assert told["TrainingJobStatusCounters"]["Completed"] == trials, told
    children = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100, SortBy="CreationTime", SortOrder="Ascending"
    )["TrainingJobSummaries"]
    return seconds, [{**_STATIC, **child["TunedHyperParameters"]} for child in children]


def _described(sagemaker: Any, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return answer
