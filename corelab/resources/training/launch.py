"""Makes the record of a training job out of a checked request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from corelab.engine.xgb.metrics import default_definitions
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record
from corelab.resources.states import Kind, Status
from corelab.resources.training.timeline import entered

DAY_SECONDS = 86400
CHECKPOINTS = "/opt/ml/checkpoints"


def launch(
    cloud: Cloud,
    request: Mapping[str, Any],
    tags: Mapping[str, str],
    facts: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
) -> Record:
    """Register a job that is Starting. Raises AlreadyExists for a name that is taken."""
    name, at = request["TrainingJobName"], cloud.now()
    record = Record(
        kind=Kind.TRAINING_JOB,
        region=cloud.region,
        name=name,
        arn=cloud.arn(Kind.TRAINING_JOB, name),
        status=Status.IN_PROGRESS,
        created=at,
        modified=at,
        request=with_defaults(request),
        facts={**entered({}, "Starting", at), **(facts or {})},
        private={"id": uuid.uuid4().hex, **(private or {})},
    )
    return cloud.registry.create(record, tags)


def with_defaults(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as Describe will echo it (service spec 4.2)."""
    filled = {k: v for k, v in request.items() if k != "Tags"}
    algorithm = {"EnableSageMakerMetricsTimeSeries": False, **filled["AlgorithmSpecification"]}
    # A built-in algorithm brings its own definitions; AWS takes no others for it.
    algorithm["MetricDefinitions"] = default_definitions(algorithm["TrainingImage"])
    filled["AlgorithmSpecification"] = algorithm
    filled["OutputDataConfig"] = {"KmsKeyId": "", "CompressionType": "GZIP", **filled["OutputDataConfig"]}
    filled["StoppingCondition"] = {"MaxRuntimeInSeconds": DAY_SECONDS, **filled.get("StoppingCondition", {})}
    filled["InputDataConfig"] = [_channel(channel) for channel in filled.get("InputDataConfig", ())]
    for switch in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    ):
        filled.setdefault(switch, False)
    if "CheckpointConfig" in filled:
        filled["CheckpointConfig"] = {"LocalPath": CHECKPOINTS, **filled["CheckpointConfig"]}
    return filled


def _channel(described: Mapping[str, Any]) -> dict[str, Any]:
    filled = {"CompressionType": "None", "RecordWrapperType": "None", **described}
    source = filled["DataSource"]["S3DataSource"]
    filled["DataSource"] = {"S3DataSource": {"S3DataDistributionType": "FullyReplicated", **source}}
    return filled
