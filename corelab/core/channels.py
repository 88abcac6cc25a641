"""The rows behind a channel of a training job, in whichever format the algorithm read them.

>>> parse_rows(b"1 0:2.5 2:4", "text/libsvm").to_numpy().tolist()
[[1.0, 2.5, nan, 4.0]]
"""

from __future__ import annotations

import io
from typing import Final
from urllib.parse import urlsplit

import boto3
import numpy as np
import pandas as pd

from corelab.errors import BadArgument

# What the built-in algorithm takes as ContentType (Container spec 2.1); without one it reads libsvm.
FORMATS: Final = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
}


def channel_rows(job_name: str, channel_name: str) -> pd.DataFrame:
    """All rows of a training job's channel, label in column 0, missing cells NaN.

    Args:
        job_name: a training job of the connected cloud.
        channel_name: ``train`` or ``validation``, as the job has it.

    Raises:
        BadArgument: the job has no such channel or nothing is there, or its format is none of CSV, libsvm, Parquet.
    """
    job = boto3.client("sagemaker").describe_training_job(TrainingJobName=job_name)
    channels = {channel["ChannelName"]: channel for channel in job.get("InputDataConfig", [])}
    if channel_name not in channels:
        raise BadArgument(
            f"{job_name} has no channel {channel_name!r}; it has {', '.join(channels) or 'none'}"
        )
    channel = channels[channel_name]
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    parts = [parse_rows(body, channel.get("ContentType")) for body in _files_below(uri)]
    if not parts:
        raise BadArgument(f"expected the files of {job_name} at {uri}, got none; were they deleted?")
    return pd.concat(parts, ignore_index=True)


def parse_rows(body: bytes, content_type: str | None) -> pd.DataFrame:
    """The rows of one file of a channel: floats of shape (rows, 1 + features), columns numbered from 0.

    Raises:
        BadArgument: the content type is not known here, or the bytes are not of that format.
    """
    kind = FORMATS.get((content_type or "libsvm").partition(";")[0].strip().lower())
    try:
        if kind == "csv":
            return pd.read_csv(io.BytesIO(body), header=None, dtype=float)
        if kind == "parquet":
            table = pd.read_parquet(io.BytesIO(body)).astype(float)
            return table.set_axis(range(table.shape[1]), axis="columns")
        if kind == "libsvm":
            return _libsvm(body)
    except ValueError as problem:
        raise BadArgument(f"expected rows of {content_type or 'libsvm'}, got: {problem}") from problem
    raise BadArgument(f"expected CSV, libsvm or Parquet, got {content_type}; train on one of these")


def _libsvm(body: bytes) -> pd.DataFrame:
    """What a row does not name is missing, as for the algorithm, and not 0; the first feature has index 0."""
    # Few jobs use it, and every notebook would wait for it.
    from sklearn.datasets import load_svmlight_file

    features, labels = load_svmlight_file(io.BytesIO(body), zero_based=True)
    named = features.tocoo()
    table = np.full((features.shape[0], 1 + features.shape[1]), np.nan)
    table[:, 0] = labels
    table[named.row, 1 + named.col] = named.data
    return pd.DataFrame(table)


def _files_below(uri: str) -> list[bytes]:
    place, s3 = urlsplit(uri), boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=place.netloc, Prefix=place.path.lstrip("/"))
    keys = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Size"]]
    return [s3.get_object(Bucket=place.netloc, Key=key)["Body"].read() for key in keys]
