"""A million rows through a batch transform job against a bare pandas and XGBoost pipeline, in turns.

ours    CreateTransformJob ─▶ a waiting client returns: S3 in, two model processes, S3 out
floor   one process: pandas reads the CSV, XGBoost predicts on all cores, pandas writes the CSV
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import bare, data, serving
from benchmarks.figures import Figure, at_most, ratio_at_least
from benchmarks.lab import BUCKET, Lab, Peak, running

_MEGABYTE = 1e6


def measure(quick: bool) -> list[Figure]:
    rows, repeats = (100_000, 2) if quick else (1_000_000, 3)
    ours, floor, memory = [], [], []
    with tempfile.TemporaryDirectory() as name, running() as lab:
        folder = Path(name)
        serving.train(folder)
        data.write_features(folder / "in.csv", rows)
        lab.upload(folder / "in.csv", "batch/in.csv")
        model = serving.create_model(lab, folder)
        arguments = [str(folder / file) for file in ("in.csv", "xgboost-model", "bare.csv")]
        for _ in range(repeats):
            bare_run = bare.run("transform", *arguments, threads=None)
            floor.append(rows / bare_run["seconds"])
            with Peak(lab.process) as peak:
                ours.append(rows / _job(lab, model))
            memory.append((peak.together / _MEGABYTE, bare_run["peak"] / _MEGABYTE))
        _compare(lab, folder)
    return [
        Figure(f"{rows:,} rows", "rows/s", ours, floor, better="more", bar=ratio_at_least(0.8)),
        Figure(
            "peak memory: server, worker parent and model processes",
            "MB",
            [of_ours for of_ours, _ in memory],
            [of_floor for _, of_floor in memory],
            typical="worst",
            bar=at_most(500, "MB"),
        ),
    ]


def _job(lab: Lab, model: str) -> float:
    sagemaker, name = lab.client("sagemaker"), lab.name("transform")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/in.csv"}}
    began = time.perf_counter()
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        BatchStrategy="MultiRecord",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/predicted/", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=name)
    return time.perf_counter() - began


def _compare(lab: Lab, folder: Path) -> None:
    """A quick wrong answer is no answer."""
    lab.client("s3").download_file(BUCKET, "predicted/in.csv.out", str(folder / "ours.csv"))
    ours, floor = (np.loadtxt(folder / file, np.float32) for file in ("ours.csv", "bare.csv"))
    assert np.allclose(ours, floor), "batch transform and XGBoost disagree"
