"""Small and large S3 objects against plain moto, which keeps them in memory where we keep them on disk."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.lab import BUCKET, running
from benchmarks.moto_server import moto

_SMALL = b"x" * 4096
_MEGABYTE = 1 << 20


def measure(quick: bool) -> list[Figure]:
    count, megabytes, repeats = (30, 16, 2) if quick else (150, 128, 3)
    samples: dict[str, dict[str, list[float]]] = {"ours": {}, "floor": {}}
    with tempfile.TemporaryDirectory() as folder, running() as lab, moto() as floor:
        file = Path(folder) / "large"
        file.write_bytes(b"0123456789abcdef" * (megabytes << 16))
        clients = {"ours": lab.client("s3"), "floor": floor.client("s3")}
        clients["floor"].create_bucket(Bucket=BUCKET)
        for _ in range(repeats):
            for who, s3 in clients.items():
                for what, value in {**_small(s3, count), **_large(s3, file)}.items():
                    samples[who].setdefault(what, []).append(value)
    return [
        Figure(what, what.rpartition(", ")[2], values, samples["floor"][what], **_reading(what))
        for what, values in samples["ours"].items()
    ]


def _reading(what: str) -> dict[str, Any]:
    return {"better": "more"} if what.endswith("MB/s") else {"typical": "median"}


def _small(s3: Any, count: int) -> dict[str, float]:
    """Medians over ``count`` objects of 4 KB, in milliseconds."""

    def each(call: Callable[[str], Any]) -> float:
        times = []
        for number in range(count):
            began = time.perf_counter()
            call(f"small/{number}")
            times.append((time.perf_counter() - began) * 1e3)
        return statistics.median(times)

    return {
        "PUT 4 KB, ms": each(lambda key: s3.put_object(Bucket=BUCKET, Key=key, Body=_SMALL)),
        "GET 4 KB, ms": each(lambda key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()),
        "HEAD, ms": each(lambda key: s3.head_object(Bucket=BUCKET, Key=key)),
        "LIST 100 keys, ms": each(lambda _: s3.list_objects_v2(Bucket=BUCKET, MaxKeys=100)),
    }


def _large(s3: Any, file: Path) -> dict[str, float]:
    """Megabytes a second for one object, whole and in parts."""
    size = file.stat().st_size / _MEGABYTE
    back = file.with_name("back")

    def rate(call: Callable[[], Any]) -> float:
        began = time.perf_counter()
        call()
        return size / (time.perf_counter() - began)

    found = {
        "put_object, MB/s": rate(lambda: s3.put_object(Bucket=BUCKET, Key="large", Body=file.read_bytes())),
        "get_object, MB/s": rate(lambda: s3.get_object(Bucket=BUCKET, Key="large")["Body"].read()),
        "upload_file, MB/s": rate(lambda: s3.upload_file(str(file), BUCKET, "parts")),
        "download_file, MB/s": rate(lambda: s3.download_file(BUCKET, "parts", str(back))),
    }
    assert back.read_bytes() == file.read_bytes()
    return found
