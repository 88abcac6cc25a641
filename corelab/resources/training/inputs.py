"""Lays a training job's channels out under each host's root, or feeds them through pipes."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corelab.engine.contract import Channel
from corelab.resources.cloud import Cloud
from corelab.resources.s3_data import BadSource, Item, items, safe_path, shard
from corelab.store.contract import ObjectNotFound

_PIPE_CHUNK = 1 << 20


class DownloadFailed(Exception):
    """Training data cannot be had; the text is the job's failure reason after ``ClientError: ``."""


def channel(described: Mapping[str, Any], default_mode: str) -> Channel:
    """What the container is told of a channel; FastFile looks like File from inside."""
    mode = described.get("InputMode", default_mode)
    return Channel(
        name=described["ChannelName"],
        content_type=described.get("ContentType"),
        input_mode="Pipe" if mode == "Pipe" else "File",
        distribution=described["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
        record_wrapper=described.get("RecordWrapperType", "None"),
    )


def download(
    cloud: Cloud, role: str, described: Mapping[str, Any], roots: Sequence[Path], mode: str
) -> list[Feed]:
    """Bring one channel to every host; gives the feeds of a Pipe channel, which are yet to be started.

    Raises DownloadFailed in the words of service spec 5.2.
    """
    source = described["DataSource"]["S3DataSource"]
    try:
        found = list(items(cloud.objects, source["S3Uri"], source["S3DataType"]))
        _check_reading(cloud, role, found)
    except ObjectNotFound as error:
        raise DownloadFailed(f"Data download failed:NoSuchKey (404): Not Found: {error.args[0]}") from error
    except BadSource as error:
        raise DownloadFailed(f"Data download failed:{error}") from error
    piped = described.get("InputMode", mode) == "Pipe"
    feeds = []
    for index, root in enumerate(roots):
        mine = (
            shard(found, len(roots), index)
            if source.get("S3DataDistributionType") == "ShardedByS3Key"
            else found
        )
        folder = root / "input" / "data"
        folder.mkdir(parents=True, exist_ok=True)
        if piped:
            feeds.append(Feed(cloud, mine, folder / f"{described['ChannelName']}_0"))
        else:
            _lay_out(cloud, mine, folder / described["ChannelName"])
    return feeds


def _check_reading(cloud: Cloud, role: str, found: Sequence[Item]) -> None:
    for item in found:
        if not cloud.identity.allows(role, "s3:GetObject", f"arn:aws:s3:::{item.bucket}/{item.key}"):
            raise DownloadFailed(
                "Data download failed:failed to download data. 403 Forbidden (403): Forbidden"
            )


def _lay_out(cloud: Cloud, found: Sequence[Item], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for item in found:
        try:
            target = folder / safe_path(item.relative)
            target.parent.mkdir(parents=True, exist_ok=True)
            cloud.objects.fetch(item.bucket, item.key, target)
        except BadSource as error:
            raise DownloadFailed(f"Data download failed:{error}") from error
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            text = f"Data download failed:the keys under {item.key} name a file and a folder alike"
            raise DownloadFailed(text) from error


class Feed(threading.Thread):
    """Writes a channel's objects, one after the other, into the pipe its container reads."""

    def __init__(self, cloud: Cloud, found: Sequence[Item], pipe: Path) -> None:
        super().__init__(name=f"feed-{pipe.name}", daemon=True)
        self._cloud, self._items, self._pipe = cloud, found, pipe
        self._ended = threading.Event()
        if not hasattr(os, "mkfifo"):
            raise DownloadFailed("Pipe input needs named pipes, which this system lacks: use File input mode")
        os.mkfifo(pipe)

    def run(self) -> None:
        descriptor = self._open()
        if descriptor is None:
            return
        with open(descriptor, "wb", buffering=0) as pipe:  # noqa: PTH123 (a descriptor has no path)
            try:
                for item in self._items:
                    with self._cloud.objects.open(item.bucket, item.key) as body:
                        shutil.copyfileobj(body, pipe, _PIPE_CHUNK)
            except BrokenPipeError:  # the container has read what it wants
                return

    def end(self) -> None:
        """Give up waiting for a reader."""
        self._ended.set()

    def _open(self) -> int | None:
        while not self._ended.is_set():
            try:
                descriptor = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # ENXIO: nobody reads yet
                    raise
                time.sleep(0.005)
            else:
                os.set_blocking(descriptor, True)
                return descriptor
        return None
