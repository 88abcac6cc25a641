"""XGBoost called directly, in a process of its own: the floor of training, tuning and batch transform.

``python -m benchmarks.bare WHAT ARGUMENTS`` prints a JSON object. Times start after the imports: the floor
is a notebook that has them done, not an interpreter's start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import xgboost

ROOT = Path(__file__).parent.parent


def train(data: str, model: str, parameters: dict[str, str], rounds: int) -> None:
    """What a training job does: read the CSV, boost with an evaluation a round, save.

    XGBoost's own reader is the quickest there is (see docs/benchmarks.md); one thread, as a container has.
    """
    matrix = xgboost.DMatrix(f"{data}?format=csv&label_column=0", nthread=1)
    watched = [(matrix, "train")]
    booster = xgboost.train({**parameters, "nthread": 1}, matrix, rounds, evals=watched, verbose_eval=False)
    booster.save_model(model)


def tune(data: str, model: str, trials: list[dict[str, str]], workers: int) -> None:
    """Trials in turn on warm processes: train on the one file, evaluate on the other, save."""
    with ProcessPoolExecutor(workers, initializer=_own_session) as pool:
        list(pool.map(_warm, range(workers)))
        began = time.perf_counter()
        list(pool.map(_trial, [(data, f"{model}-{number}", trial) for number, trial in enumerate(trials)]))
        seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "cpu": _cpu() - _AT_START}))


def transform(data: str, model: str, output: str) -> None:
    """A notebook's pipeline; pandas and XGBoost may use what cores they like."""
    booster = xgboost.Booster(model_file=model)
    rows = pd.read_csv(data, header=None)
    pd.Series(booster.predict(xgboost.DMatrix(rows.to_numpy()))).to_csv(output, header=False, index=False)


def _own_session() -> None:
    if hasattr(os, "setsid"):
        os.setsid()


def _warm(number: int) -> None:
    time.sleep(0.1)  # so that each worker takes one


def _trial(order: tuple[str, str, dict[str, str]]) -> None:
    folder, model, trial = order
    parameters = {**trial, "nthread": 1}
    rounds = int(parameters.pop("num_round"))
    channels = {
        name: xgboost.DMatrix(f"{folder}/{name}.csv?format=csv&label_column=0", nthread=1)
        for name in ("train", "validation")
    }
    watched = [(matrix, name) for name, matrix in channels.items()]
    xgboost.train(parameters, channels["train"], rounds, evals=watched, verbose_eval=False).save_model(model)


def run(what: str, *arguments: Any, threads: int | None = 1) -> dict[str, float]:
    """Run one of the above in a fresh process: its seconds and its peak memory in bytes.

    Args:
        threads: how many OpenMP may use; None for all cores.
    """
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.bare", what, json.dumps(arguments)]
    # Linux shares a busy machine among sessions, and every container of ours has its own.
    ended = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True, start_new_session=True
    )
    answer: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def main(what: str, text: str) -> None:
    work = {"train": train, "tune": tune, "transform": transform}[what]
    began = time.perf_counter()
    work(*json.loads(text))
    if what != "tune":
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "peak": _peak(), "cpu": _cpu() - _AT_START}))


def _cpu() -> float:
    """CPU seconds of this process and of those it has waited for."""
    return sum(os.times()[:4])


def _peak() -> int:
    """The most this process ever had in memory; Windows and Linux keep it, elsewhere the C library does."""
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):
        return int(memory.peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


_AT_START = _cpu()

if __name__ == "__main__":
    main(*sys.argv[1:])
