"""A serverless endpoint's first answer after it was idle, against a fresh process that loads the same booster."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks import serving
from benchmarks.figures import Figure
from benchmarks.lab import Lab, running

_IDLE_SECONDS = 1.0
_FRESH = """
import sys, numpy, xgboost
booster = xgboost.Booster(model_file=sys.argv[1])
row = numpy.array([[float(cell) for cell in sys.argv[2].split(",")]])
print(booster.predict(xgboost.DMatrix(row)).tolist())
"""


def measure(quick: bool) -> list[Figure]:
    cold, warm, fresh = [], [], []
    idle = {"CORELAB_SERVERLESS_IDLE_SECONDS": str(_IDLE_SECONDS)}
    with tempfile.TemporaryDirectory() as name, running(idle) as lab:
        folder = Path(name)
        serving.train(folder)
        others = {process.pid for process in lab.process.children(recursive=True)}
        endpoint = serving.create_endpoint(lab, serving.create_model(lab, folder), **serving.serverless(2))
        runtime = lab.client("sagemaker-runtime")
        for _ in range(2 if quick else 8):
            _wait_until_idle(lab, others)
            cold.append(_invoke(runtime, endpoint))
            warm.append(_invoke(runtime, endpoint))
            began = time.perf_counter()
            command = [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                _FRESH,
                str(folder / "xgboost-model"),
                serving.ROW,
            ]
            subprocess.run(command, check=True, capture_output=True)
            fresh.append((time.perf_counter() - began) * 1e3)
    return [
        Figure("first answer after idling (floor: a fresh process)", "ms", cold, fresh, typical="median"),
        Figure("next answer", "ms", warm, typical="median"),
    ]


def _wait_until_idle(lab: Lab, others: set[int]) -> None:
    """Until no model process is left. Raises TimeoutError when one stays."""
    deadline = time.monotonic() + 60
    while any(
        _lives(process) for process in lab.process.children(recursive=True) if process.pid not in others
    ):
        if time.monotonic() > deadline:
            raise TimeoutError("a model process does not end though nobody asks it")
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _invoke(runtime: object, endpoint: str) -> float:
    """Milliseconds of one boto3 call, its answer read."""
    began = time.perf_counter()
    answer = runtime.invoke_endpoint(  # type: ignore[attr-defined]
        EndpointName=endpoint, ContentType="text/csv", Body=serving.ROW
    )
    answer["Body"].read()
    return (time.perf_counter() - began) * 1e3
