"""A training job's turnaround and memory against XGBoost called directly on the same file.

ours    sagemaker-core: TrainingJob.create ─▶ wait() returns
floor   one process: read the CSV, boost, save
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import corelab
from benchmarks import bare, data
from benchmarks.figures import Figure, at_most_over, ratio_at_most
from benchmarks.lab import BUCKET, IMAGE, ROLE, Lab, Peak, client, running, spent, worker_parent

ROUNDS = 100
_SIZES = {10_000: 5, 100_000: 3, 1_000_000: 2}  # rows: repeats
_QUICK = {10_000: 3}
_BARS = {10_000: at_most_over(1.5, "s"), 1_000_000: ratio_at_most(1.3)}
_MEGABYTE = 1e6


def measure(quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, running() as lab, connected(lab):
        for rows, repeats in (_QUICK if quick else _SIZES).items():
            figures += _of_size(lab, Path(folder), rows, repeats)
        figures += _ends(lab, repeats=2 if quick else 5)
    return figures


@contextlib.contextmanager
def connected(lab: Lab) -> Iterator[None]:
    """The SDKs of this process talk to the lab."""
    corelab.connect(home=lab.home.path, quietly=True)
    import sagemaker_core.resources  # noqa: F401 (it sets its logger's level)

    logging.getLogger("sagemaker_core.main.resources").setLevel(logging.WARNING)
    try:
        yield
    finally:
        corelab.disconnect()


def _of_size(lab: Lab, folder: Path, rows: int, repeats: int) -> list[Figure]:
    file = folder / f"{rows}.csv"
    data.write_training(file, rows)
    lab.upload(file, f"{rows}/train.csv")
    seconds: list[float] = []
    memory: list[float] = []
    cpu: list[float] = []
    floor: list[dict[str, float]] = []
    _job(lab, rows)  # what is loaded on first use is not the job's cost
    idle = worker_parent(lab)  # the bare process's peak holds its imports too
    for _ in range(repeats):
        floor.append(bare.run("train", str(file), str(folder / "model"), data.PARAMETERS, ROUNDS))
        before = spent(lab)
        with Peak(lab.process) as peak:
            seconds.append(_job(lab, rows))
        cpu.append(spent(lab) - before)
        memory.append((peak.grown + idle) / _MEGABYTE)
    return [
        Figure(
            f"{rows:,} rows: Create to wait()",
            "s",
            seconds,
            [f["seconds"] for f in floor],
            bar=_BARS.get(rows),
        ),
        Figure(f"{rows:,} rows: CPU of server and job", "s", cpu, [f["cpu"] for f in floor]),
        Figure(
            f"{rows:,} rows: peak memory",
            "MB",
            memory,
            [f["peak"] / _MEGABYTE for f in floor],
            typical="worst",
            bar=ratio_at_most(1.3) if rows >= 1_000_000 else None,
        ),
    ]


def request(name: str, prefix: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """CreateTrainingJob on one CSV file."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}/"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {**data.PARAMETERS, "num_round": str(rounds)},
    }


def _job(lab: Lab, rows: int) -> float:
    """Seconds from Create until wait() has returned, by sagemaker-core."""
    job, began = _created(request(lab.name("train"), str(rows)))
    _wait(job)
    seconds = time.perf_counter() - began
    assert job.training_job_status == "Completed", job.failure_reason
    return seconds


def _created(wanted: dict[str, Any]) -> tuple[Any, float]:
    from sagemaker_core.main.utils import pascal_to_snake
    from sagemaker_core.resources import TrainingJob

    members = {pascal_to_snake(key): _snake(value, key) for key, value in wanted.items()}
    began = time.perf_counter()
    return TrainingJob.create(**members), began


def _snake(value: Any, key: str = "") -> Any:
    from sagemaker_core.main.utils import pascal_to_snake

    if key == "HyperParameters":
        return value
    if isinstance(value, dict):
        return {pascal_to_snake(name): _snake(part, name) for name, part in value.items()}
    return [_snake(part) for part in value] if isinstance(value, list) else value


def _wait(job: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        job.wait()


def _ends(lab: Lab, repeats: int) -> list[Figure]:
    """From a job's end, as Describe tells it, until each client's waiting is over."""
    late: dict[str, list[float]] = {"sagemaker-core": [], "boto3 waiter": []}
    describe: list[float] = []
    sagemaker = client("sagemaker", lab.server.url)
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    for _ in range(repeats):
        job, _ = _created(request(lab.name("core"), "10000", 200))
        _wait(job)
        late["sagemaker-core"].append(time.time() - job.training_end_time.timestamp())
        name = lab.name("waiter")
        sagemaker.create_training_job(**request(name, "10000", 200))
        waiter.wait(TrainingJobName=name)
        returned = time.time()
        began = time.perf_counter()
        told = sagemaker.describe_training_job(TrainingJobName=name)
        describe.append(time.perf_counter() - began)
        late["boto3 waiter"].append(returned - told["TrainingEndTime"].timestamp())
    return [
        Figure(
            f"job's end to wait(), {who} (floor: one Describe)",
            "ms",
            [value * 1e3 for value in values],
            [value * 1e3 for value in describe],
            typical="median",
        )
        for who, values in late.items()
    ]
