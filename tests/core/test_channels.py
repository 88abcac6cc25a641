"""Rows of a job's channel: the same customers in CSV, libsvm and Parquet are the same numbers."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from corelab.core.channels import channel_rows, parse_rows
from corelab.errors import BadArgument

ROWS = pd.DataFrame([[1.0, 0.0, 2.5, np.nan], [0.0, 3e-05, np.nan, 7.0]])


def as_csv():
    return ROWS.to_csv(header=False, index=False).encode()


def as_libsvm():
    lines = (
        f"{row[0]:g} " + " ".join(f"{i}:{value!r}" for i, value in enumerate(row[1:]) if value == value)
        for row in ROWS.to_numpy().tolist()
    )
    return "\n".join(lines).encode()


def as_parquet():
    stream = io.BytesIO()
    ROWS.set_axis(["churn", "a", "b", "c"], axis="columns").to_parquet(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (as_csv(), "text/csv"),
        (as_csv(), "csv"),
        (as_libsvm(), None),
        (as_libsvm(), "text/x-libsvm"),
        (as_parquet(), "application/x-parquet"),
    ],
)
def test_each_format_gives_the_same_numbers_with_the_label_first(body, content_type):
    pd.testing.assert_frame_equal(parse_rows(body, content_type), ROWS)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"churn,tenure\n1,2\n", "text/csv"),
        (b"", "csv"),
        (b"a b", "libsvm"),
        (b"PAR1", "parquet"),
        (b"1", "image/png"),
    ],
)
def test_other_bytes_and_formats_are_refused_in_words(body, content_type):
    with pytest.raises(BadArgument, match="expected"):
        parse_rows(body, content_type)


def test_a_channel_may_be_a_folder_of_files(connected, job_request):
    for part in ("one", "two"):
        key = f"channels/folder/{part}.csv"
        connected.client("s3").put_object(Bucket=connected.bucket, Key=key, Body=as_csv())
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{connected.bucket}/channels/folder/"}
    channel = {"ChannelName": "train", "ContentType": "csv", "DataSource": {"S3DataSource": source}}
    request = job_request(InputDataConfig=[channel])
    connected.client("sagemaker").create_training_job(**request)
    name = request["TrainingJobName"]
    assert channel_rows(name, "train").shape == (4, 4)
    with pytest.raises(BadArgument, match="no channel 'validation'"):
        channel_rows(name, "validation")
