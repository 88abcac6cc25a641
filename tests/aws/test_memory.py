"""What the services hold in memory and in open files does not follow what is stored."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws.conftest import KEY, Server

MB = 1024 * 1024
PIECE = bytes(range(256)) * 4096
SIGNED = {
    "authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20261122/us-east-1/s3/aws4_request, Signature=0"
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("memory"))
    server.client("s3").create_bucket(Bucket="memory")
    yield server
    server.stop()


def kilobytes(server: Server, name: str) -> int:
    """``VmRSS`` is what the process holds now, ``VmHWM`` the most it ever held."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(name)


def put_streaming(server: Server, key: str, megabytes: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {**SIGNED, "content-length": str(megabytes * MB)}
    connection.request("PUT", f"/memory/{key}", (PIECE for _ in range(megabytes)), headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    connection.close()


def get_streaming(server: Server, key: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"/memory/{key}", headers=SIGNED)
    answer, size = connection.getresponse(), 0
    while piece := answer.read(MB):
        size += len(piece)
    connection.close()
    return size


def test_the_idle_services_stay_small(fresh: Server) -> None:
    assert kilobytes(fresh, "VmRSS") < 110 * 1024


def test_a_large_body_passes_through_without_being_held(fresh: Server) -> None:
    put_streaming(fresh, "warm", 2)
    before = kilobytes(fresh, "VmHWM")
    put_streaming(fresh, "large", 96)
    assert get_streaming(fresh, "large") == 96 * MB
    fresh.client("s3").copy_object(Bucket="memory", Key="copy", CopySource="memory/large")
    fresh.client("s3").list_object_versions(Bucket="memory")
    assert kilobytes(fresh, "VmHWM") - before < 24 * 1024


def test_stored_bodies_keep_no_files_open(fresh: Server) -> None:
    def opened() -> int:
        return len(list(Path(f"/proc/{fresh.process.pid}/fd").iterdir()))

    s3 = fresh.client("s3")
    s3.put_object(Bucket="memory", Key="first", Body=PIECE)
    before = opened()
    for number in range(20):
        s3.put_object(Bucket="memory", Key=f"file/{number}", Body=PIECE[:100_000])
        s3.get_object(Bucket="memory", Key=f"file/{number}")["Body"].read()
    assert opened() <= before + 2
