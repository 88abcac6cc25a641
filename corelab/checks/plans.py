"""Checks of a job's parts before it is created, when a mistake still costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corelab.checks.cloud import split_uri
from corelab.checks.jobs import TABULAR
from corelab.checks.outcome import CheckFailed, check


@check
def planned_channels(channels: Any) -> str:
    """Both channels point to your files and say what they hold."""
    if not isinstance(channels, Sequence) or isinstance(channels, str) or len(channels) < 2:
        raise CheckFailed("a list of two channels", channels, "one Channel for train and one for validation")
    found = {str(member(channel, "channel_name")): channel for channel in channels}
    for name in ("train", "validation"):
        if name not in found:
            raise CheckFailed(f"a channel {name!r}", ", ".join(found), "the algorithm knows these two names")
        content_type = member(found[name], "content_type")
        if content_type not in TABULAR:
            hint = 'for CSV it is "text/csv"; without it the container expects libsvm'
            raise CheckFailed(f"a content_type the container knows for {name}", content_type, hint)
    uris = [_uri(found[name]) for name in ("train", "validation")]
    for uri in uris:
        split_uri(uri)
    if uris[0].startswith(uris[1]) or uris[1].startswith(uris[0]):
        hint = "S3Prefix takes every key that starts so: give each channel a folder or file of its own"
        raise CheckFailed("two addresses, none the start of the other", " and ".join(uris), hint)
    return " and ".join(uris)


@check
def planned_resources(resources: Any, stopping: Any) -> str:
    """The machine is small and its time is limited."""
    count, volume = member(resources, "instance_count"), member(resources, "volume_size_in_gb")
    if count != 1 or not isinstance(volume, int) or volume > 50:
        raise CheckFailed("1 instance with up to 50 GB", f"{count} with {volume} GB", "7,000 rows are little")
    longest = member(stopping, "max_runtime_in_seconds")
    if not isinstance(longest, int) or longest > 3600:
        hint = "AWS allows a day if you say nothing: a job that hangs would cost that much"
        raise CheckFailed("at most 3600 seconds", longest, hint)
    return f"{member(resources, 'instance_type')}, at most {longest} s"


def member(shape: Any, name: str) -> Any:
    """A member of a sagemaker-core shape, or of the dict that boto3 takes; None when it was not set."""
    if isinstance(shape, dict):
        camel = "".join(word.capitalize() for word in name.split("_")).replace("Gb", "GB").replace("Mb", "MB")
        return shape.get(camel, shape.get(name))
    value = getattr(shape, name, None)
    return None if type(value).__name__ == "Unassigned" else value


def _uri(channel: Any) -> str:
    source = member(member(channel, "data_source"), "s3_data_source")
    return str(member(source, "s3_uri"))
