"""SageMaker SDK 3 lives in an environment of its own (`make sdk3`), beside a server that runs already."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from importlib.metadata import version

import pytest

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the SDK asks for one when it is imported
# The project's own environment holds SDK 2, which uses the same package name.
collect_ignore_glob = [] if version("sagemaker").startswith("3.") else ["test_*.py"]

BUCKET = "sdk3-data"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::123456789012:role/LabRole"


def rows(count: int, seed: int, label: bool = True) -> str:
    """CSV rows of two features, the label first when asked for; the same seed gives the same rows."""
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        a, b, noise = chance.random(), chance.random(), chance.random()
        features = f"{a:.4f},{b:.4f}"
        lines.append(f"{int(a + 0.3 * noise > 0.6)},{features}" if label else features)
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    import boto3

    import corelab

    corelab.connect(quietly=True)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/a.csv", Body=rows(300, 1).encode())
    s3.put_object(Bucket=BUCKET, Key="validation/a.csv", Body=rows(100, 2).encode())
    s3.put_object(Bucket=BUCKET, Key="test/a.csv", Body=rows(20, 3, label=False).encode())
    yield BUCKET
    corelab.disconnect()
