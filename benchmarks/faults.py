"""What a client sees while things break: a model process killed under load, the server killed in a tuning job."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks import data, endpoint, load, serving, tuning
from benchmarks.figures import Bar, Figure
from benchmarks.lab import Lab, running
from corelab.connection import launch

_CONNECTIONS = 16
_KILL_SECONDS = 2.0
_NONE = Bar("none", lambda ours, _: ours == 0)


def measure(quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    requests, seconds = (2_000, 5.0) if quick else (10_000, 20.0)
    with tempfile.TemporaryDirectory() as name, running() as lab:
        folder = Path(name)
        serving.train(folder)
        model = serving.create_model(lab, folder)
        for kind, variant in (("provisioned", {}), ("serverless", serving.serverless(_CONNECTIONS))):
            figures += _under_fire(lab, model, kind, variant, requests, seconds)
        figures += _server_killed(lab, folder)
    return figures


def _under_fire(
    lab: Lab, model: str, kind: str, variant: dict[str, Any], requests: int, seconds: float
) -> list[Figure]:
    others = {process.pid for process in lab.process.children(recursive=True)}
    name = serving.create_endpoint(lab, model, **variant)
    wanted = endpoint.spec(lab, name, _CONNECTIONS, seconds, serving.predicted(lab, name))
    client = load.start(load.Spec(**{**_members(wanted), "requests": requests}))
    kills = 0
    while client.poll() is None:
        time.sleep(_KILL_SECONDS)
        kills += _kill_one(lab, others)
    result = load.finish(client)
    assert result.count >= requests and kills > 0, (result, kills)
    right = serving.predicted(lab, name) == wanted.expected
    lab.client("sagemaker").delete_endpoint(EndpointName=name)
    errors = ", ".join(f"{count} x {code}" for code, count in sorted(result.errors.items())) or "none"
    return [
        Figure(f"{kind}: invocations answered at {result.rate:,.0f}/s", "", [result.count], better="more"),
        Figure(f"{kind}: model processes killed", "", [kills]),
        Figure(f"{kind}: AWS-shaped errors ({errors})", "", [sum(result.errors.values())]),
        Figure(f"{kind}: wrong answers", "", [result.wrong + (not right)], bar=_NONE),
        Figure(f"{kind}: unanswered", "", [result.silent], bar=_NONE),
        Figure(f"{kind}: slowest answer", "s", [result.slowest / 1e3]),
    ]


def _members(spec: load.Spec) -> dict[str, Any]:
    return {member: getattr(spec, member) for member in spec.__dataclass_fields__}


def _kill_one(lab: Lab, others: set[int]) -> int:
    """Kill the newest model process, if one is there; how many were killed."""
    models = [process for process in lab.process.children(recursive=True) if process.pid not in others]
    with contextlib.suppress(psutil.NoSuchProcess, IndexError):
        max(models, key=lambda process: process.create_time()).kill()
        return 1
    return 0


def _server_killed(lab: Lab, folder: Path) -> list[Figure]:
    for channel, rows in (("train", 20_000), ("validation", 2_000)):
        data.write_training(folder / f"{channel}.csv", rows)
        lab.upload(folder / f"{channel}.csv", f"tune/{channel}/data.csv")
    name = lab.name("tune")
    lab.client("sagemaker").create_hyper_parameter_tuning_job(**tuning.request(name, "Random", 20))
    descendants = lab.process.children(recursive=True)
    while not _children(lab, name, "Completed"):
        time.sleep(0.1)
    descendants += lab.process.children(recursive=True)
    lab.process.kill()
    began = time.perf_counter()
    again = Lab(lab.home, launch.ensure(lab.home))
    seconds = time.perf_counter() - began
    left = psutil.wait_procs(descendants, timeout=10)[1]
    told = again.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    states = [child["TrainingJobStatus"] for child in _children(again, name)]
    running_still = sum(state in ("InProgress", "Stopping") for state in states)
    dishonest = running_still + (told["HyperParameterTuningJobStatus"] != "Failed")
    dishonest += "stopped while this job was running" not in told.get("FailureReason", "")
    return [
        Figure("server killed in a tuning job: back after", "s", [seconds]),
        Figure("server killed: jobs that claim to run or to be done", "", [dishonest], bar=_NONE),
        Figure("server killed: processes left behind", "", [len(left)], bar=_NONE),
        Figure("server killed: finished trials kept", "", [states.count("Completed")], better="more"),
    ]


def _children(lab: Lab, name: str, status: str | None = None) -> list[dict[str, Any]]:
    wanted = {"StatusEquals": status} if status else {}
    answer = lab.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100, **wanted
    )
    found: list[dict[str, Any]] = answer["TrainingJobSummaries"]
    return found
