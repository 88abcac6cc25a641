"""Parts of a job are judged before it is created, as shapes of sagemaker-core or as dicts of boto3."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from corelab import checks
from corelab.checks import CheckFailed


def shape(name, uri, content_type="text/csv"):
    place = SimpleNamespace(s3_data_source=SimpleNamespace(s3_uri=uri))
    return SimpleNamespace(channel_name=name, content_type=content_type, data_source=place)


def plain(name, uri):
    source = {"S3DataSource": {"S3Uri": uri}}
    return {"ChannelName": name, "ContentType": "csv", "DataSource": source}


@pytest.mark.parametrize("make", [shape, plain])
def test_sound_channels_pass_in_either_form(make):
    checks.planned_channels([make("train", "s3://b/train/"), make("validation", "s3://b/validation/")])


@pytest.mark.parametrize("content_type", ["text/libsvm", "application/x-parquet"])
def test_channels_in_the_containers_other_formats_pass(content_type):
    uris = {"train": "s3://b/train/", "validation": "s3://b/validation/"}
    checks.planned_channels([shape(name, uri, content_type) for name, uri in uris.items()])


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ([shape("train", "s3://b/t/")], "a list of two channels"),
        (None, "a list of two channels"),
        ([shape("train", "s3://b/t/"), shape("test", "s3://b/v/")], "a channel 'validation'"),
        ([shape("train", "s3://b/t/", None), shape("validation", "s3://b/v/")], "expects libsvm"),
        (
            [shape("train", "s3://b/data/"), shape("validation", "s3://b/data/validation.csv")],
            "start of the other",
        ),
        ([shape("train", "train.csv"), shape("validation", "s3://b/v/")], "S3 address"),
    ],
)
def test_channels_that_would_fail_or_mislead_are_named(channels, words):
    with pytest.raises(CheckFailed, match=words):
        checks.planned_channels(channels)


def machine(count=1, volume=10):
    return SimpleNamespace(instance_type="ml.m5.large", instance_count=count, volume_size_in_gb=volume)


def test_a_small_machine_with_a_limit_passes_in_either_form():
    checks.planned_resources(machine(), SimpleNamespace(max_runtime_in_seconds=900))
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    checks.planned_resources(resources, {"MaxRuntimeInSeconds": 900})


@pytest.mark.parametrize(
    ("resources", "longest", "words"),
    [
        (machine(count=4), 900, "1 instance"),
        (machine(volume=500), 900, "50 GB"),
        (machine(), None, "AWS allows a day"),
        (machine(), 86_400, "3600 seconds"),
        (None, 900, "1 instance"),
    ],
)
def test_a_plan_that_may_cost_much_is_named(resources, longest, words):
    with pytest.raises(CheckFailed, match=words):
        checks.planned_resources(resources, SimpleNamespace(max_runtime_in_seconds=longest))
