"""The web console's pages for a home that was used for a term: 500 training jobs, 10,000 objects.

The jobs are real: trials of three tuning jobs, with their logs, metrics and models. A page is timed as a browser
gets it, on a connection of its own, until its last byte.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks import data, serving, tuning
from benchmarks.figures import Figure, at_most
from benchmarks.lab import BUCKET, Lab, running

_TRIALS = (300, 100, 100)
_OBJECTS = 10_000
_ENDED = ("Completed", "Failed", "Stopped")
_BAR = at_most(200, "ms")


def measure(quick: bool) -> list[Figure]:
    """Each page's median over its repeats, in milliseconds."""
    trials, objects, repeats = ((6,), 200, 3) if quick else (_TRIALS, _OBJECTS, 15)
    with tempfile.TemporaryDirectory() as name, running() as lab:
        folder = Path(name)
        for seed, channel in enumerate(("train", "validation")):
            data.write_training(folder / f"{channel}.csv", 300, seed)
            lab.upload(folder / f"{channel}.csv", f"tune/{channel}/data.csv")
        _fill_bucket(lab, objects)
        tuned = [_tune(lab, count) for count in trials]
        serving.train(folder)
        endpoint = serving.create_endpoint(lab, serving.create_model(lab, folder), **serving.serverless(2))
        lab.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Body=serving.ROW
        )
        return [
            Figure(words, "ms", _times(lab, path, repeats), typical="median", bar=_BAR)
            for words, path in _pages(lab, tuned[0], endpoint)
        ]


def _fill_bucket(lab: Lab, count: int) -> None:
    """Small objects, a hundred to a folder."""
    s3 = lab.client("s3", max_pool_connections=8)

    def put(number: int) -> None:
        s3.put_object(Bucket=BUCKET, Key=f"many/{number // 100:03d}/{number}.csv", Body=b"0,1,2\n" * 20)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(count)))


def _tune(lab: Lab, trials: int) -> str:
    """The name of a tuning job that has ended."""
    name, sagemaker = lab.name("tune"), lab.client("sagemaker")
    asked: dict[str, Any] = tuning.request(name, "Random", trials)
    asked["TrainingJobDefinition"]["StaticHyperParameters"]["num_round"] = "20"
    asked["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"] = 4
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    while True:
        told = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if told["HyperParameterTuningJobStatus"] in _ENDED:
            break
        time.sleep(0.2)
    if told["TrainingJobStatusCounters"]["Completed"] != trials:
        raise RuntimeError(f"expected {trials} completed trials, got {told['TrainingJobStatusCounters']}")
    return name


def _pages(lab: Lab, tuned: str, endpoint: str) -> Iterator[tuple[str, str]]:
    trial = lab.client("sagemaker").list_training_jobs(MaxResults=1)["TrainingJobSummaries"][0]
    yield "first page", ""
    yield "training jobs", "training"
    yield "training jobs by name", "training?q=nothing-of-this-name"
    yield "one training job", f"training/{trial['TrainingJobName']}"
    yield "tuning jobs", "tuning"
    yield "one tuning job, all its trials", f"tuning/{tuned}"
    yield "models", "models"
    yield "transform jobs", "transform"
    yield "endpoints", "endpoints"
    yield "one endpoint", f"endpoints/{endpoint}"
    yield "buckets", "s3"
    yield "a folder", f"s3/{BUCKET}?prefix=many/"
    yield "an object", f"s3/{BUCKET}?key=many/000/1.csv"
    yield "log groups", "logs"
    yield "log streams", "logs?group=/aws/sagemaker/TrainingJobs"
    yield "calls", "calls"
    yield "calls that failed", "calls?failed=1"
    yield "calls about a job", f"calls?resource={trial['TrainingJobName']}"
    yield "bill", "bill"


def _times(lab: Lab, path: str, repeats: int) -> list[float]:
    times = []
    for _ in range(repeats + 1):
        connection = HTTPConnection("127.0.0.1", lab.server.port, timeout=60)
        began = time.perf_counter()
        connection.request("GET", f"/_corelab/console/{path}")
        answer = connection.getresponse()
        content = answer.read()
        times.append((time.perf_counter() - began) * 1e3)
        connection.close()
        if answer.status != 200 or b"</html>" not in content:
            raise RuntimeError(f"/{path} answered {answer.status}")
    return times[1:]  # the first one compiles the template
