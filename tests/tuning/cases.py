"""Small real requests and children that the tuning tests share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from corelab.engine.xgb import metrics
from corelab.engine.xgb.hyperparameters import hyperparameters
from corelab.tuning.algorithm import Algorithm, Tunable
from corelab.tuning.child import Child
from corelab.tuning.plan import TuningPlan
from corelab.tuning.rules import plan_tuning
from corelab.tuning.strategies import Strategy

XGBOOST = Algorithm(
    name="xgboost",
    tunables={
        row.name: Tunable(row.name, row.kind, str(row.range), row.tunable)
        for row in hyperparameters().values()
        if row.tunable
    },
    objectives=frozenset(f"validation:{name}" for name in metrics.NAMES),
)
XGBOOST_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
OWN_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
OBJECTIVE = {"Type": "Maximize", "MetricName": "validation:auc"}
LOSS = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]


def algorithm_of(definition: Mapping[str, Any]) -> Algorithm | None:
    return XGBOOST if definition["AlgorithmSpecification"].get("TrainingImage") == XGBOOST_IMAGE else None


def integer(name: str, low: str, high: str, scaling: str = "Auto") -> dict[str, str]:
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


continuous = integer


def categorical(name: str, *values: str) -> dict[str, Any]:
    return {"Name": name, "Values": list(values)}


def ranges(
    integers: list[Any] | None = None, floats: list[Any] | None = None, texts: list[Any] | None = None
) -> dict[str, Any]:
    return {
        "IntegerParameterRanges": integers or [],
        "ContinuousParameterRanges": floats or [],
        "CategoricalParameterRanges": texts or [],
    }


DEPTH_AND_ETA = ranges([integer("max_depth", "2", "8")], [continuous("eta", "0.01", "0.5")])


def definition(image: str = XGBOOST_IMAGE, **changes: Any) -> dict[str, Any]:
    entry = {
        "StaticHyperParameters": {"num_round": "50", "objective": "binary:logistic"},
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/LabRole",
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    return {key: value for key, value in {**entry, **changes}.items() if value is not None}


def own(**changes: Any) -> dict[str, Any]:
    """A definition with a container of one's own, which prints ``loss=...``."""
    algorithm = {"TrainingImage": OWN_IMAGE, "TrainingInputMode": "File", "MetricDefinitions": LOSS}
    return definition(
        OWN_IMAGE, **{"AlgorithmSpecification": algorithm, "StaticHyperParameters": {}, **changes}
    )


def config(
    strategy: str = "Bayesian",
    jobs: int | None = 20,
    parallel: int = 2,
    space: Mapping[str, Any] | None = None,
    objective: tuple[str, str] = ("Maximize", "validation:auc"),
    **changes: Any,
) -> dict[str, Any]:
    limits = {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel}
    return {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {"Type": objective[0], "MetricName": objective[1]},
        "ResourceLimits": {key: value for key, value in limits.items() if value is not None},
        "ParameterRanges": DEPTH_AND_ETA if space is None else space,
        **changes,
    }


def own_config(space: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return config(**{"space": space, "objective": ("Minimize", "loss"), **changes})


def request(
    settings: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    whole = {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": settings or config(),
        "TrainingJobDefinition": training or definition(),
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def plan(
    settings: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None, **changes: Any
) -> TuningPlan:
    return plan_tuning(request(settings, training, **changes), seed=7, algorithm_of=algorithm_of)


def named(name: str, **changes: Any) -> dict[str, Any]:
    several = {"DefinitionName": name, "TuningObjective": OBJECTIVE, "HyperParameterRanges": DEPTH_AND_ETA}
    return definition(**{**several, **changes})


def several(*definitions: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    shared = config(**settings)
    del shared["HyperParameterTuningJobObjective"], shared["ParameterRanges"]
    whole = request(shared, TrainingJobDefinitions=list(definitions))
    del whole["TrainingJobDefinition"]
    return whole


def child(number: int, *curve: float, status: str = "Completed", **changes: Any) -> Child:
    ended = None if status == "InProgress" else 100.0 + number
    return Child(**{"number": number, "curve": curve, "status": status, "ended": ended, **changes})


def tune(
    strategy: Strategy,
    objective: Callable[[Mapping[str, float]], float],
    parallel: int = 1,
    jobs: int | None = None,
) -> list[Child]:
    """Run a tuning job in which children end in turns, ``parallel`` at a time."""
    running: list[Child] = []
    over: list[Child] = []
    while len(over) < (jobs or strategy.plan.max_jobs):
        while len(running) < parallel and len(running) + len(over) < (jobs or strategy.plan.max_jobs):
            suggestion = strategy.ask()
            if suggestion is None:
                return over
            running.append(Child(suggestion.number, suggestion.tuned, suggestion.definition))
        first = running.pop(0)
        value = objective({name: float(text) for name, text in first.tuned.items()})
        done = Child(
            first.number, first.tuned, first.definition, "Completed", (value,), ended=float(first.number)
        )
        strategy.tell(done)
        over.append(done)
    return over
