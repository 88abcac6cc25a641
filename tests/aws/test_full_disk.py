"""A full disk answers an error and loses nothing."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.checks.test_identity import TRUST
from tests.aws.conftest import Server

MB = 1024 * 1024
BODY = bytes(range(256)) * 4 * 1024  # 1 MB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB, where this process may make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs root to make a small disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("this machine lets nobody make a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def full(small_disk: Path) -> Iterator[Server]:
    server = Server(small_disk / "aws")
    server.client("s3").create_bucket(Bucket="disk")
    yield server
    if server.process.poll() is None:
        server.stop()


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return filler


def refused(call: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call()
    answer: dict[str, Any] = caught.value.response
    return answer


def test_a_put_that_does_not_fit_is_an_error_and_all_before_it_stays(full: Server) -> None:
    s3, kept = full.client("s3"), []
    for number in range(40):
        try:
            s3.put_object(Bucket="disk", Key=f"{number:02}", Body=BODY)
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 500
            assert error.response["Error"]["Code"] == "InternalError"
            assert "No space left on device" in error.response["Error"]["Message"]
            break
        kept.append(f"{number:02}")
    assert 5 < len(kept) < 30
    check(full, kept)
    s3.delete_object(Bucket="disk", Key=kept.pop())
    s3.put_object(Bucket="disk", Key="after", Body=BODY)
    full.restart()
    check(full, [*kept, "after"])


def check(server: Server, keys: list[str]) -> None:
    s3 = server.client("s3")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="disk")["Contents"]] == keys
    assert all(s3.get_object(Bucket="disk", Key=key)["Body"].read() == BODY for key in keys)


def test_no_service_says_yes_to_what_it_could_not_keep(full: Server, small_disk: Path) -> None:
    s3, iam, logs = (full.client(name) for name in ("s3", "iam", "logs"))
    cloudwatch, sts = full.client("cloudwatch"), full.client("sts")
    logs.create_log_group(logGroupName="/g")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    filler = fill(small_disk)
    big = [{"timestamp": int(time.time() * 1000), "message": "x" * 200_000} for _ in range(4)]
    data = [{"MetricName": f"m{number}", "Value": 1.0} for number in range(900)]
    role = {"RoleName": "Full", "AssumeRolePolicyDocument": TRUST, "Description": "d" * 900}
    calls = {
        "an object": lambda: s3.put_object(Bucket="disk", Key="k", Body=b"x" * 30_000),
        "a large object": lambda: s3.put_object(Bucket="disk", Key="k", Body=BODY),
        "a role": lambda: iam.create_role(**role),
        "events": lambda: logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=big),
        "metrics": lambda: cloudwatch.put_metric_data(Namespace="N", MetricData=data),
    }
    for what, call in calls.items():
        assert refused(call)["ResponseMetadata"]["HTTPStatusCode"] == 500, what
    assert refused(lambda: s3.head_object(Bucket="disk", Key="k"))["Error"]["Code"] == "404"
    assert refused(lambda: iam.get_role(RoleName="Full"))["Error"]["Code"] == "NoSuchEntity"
    assert sts.get_caller_identity()["Arn"].endswith("LabRole/student")
    filler.unlink()
    for call in calls.values():
        call()
    full.restart()
    assert full.client("s3").get_object(Bucket="disk", Key="k")["Body"].read() == BODY
    assert full.client("iam").get_role(RoleName="Full")["Role"]["Description"] == "d" * 900
    assert len(full.client("logs").get_log_events(logGroupName="/g", logStreamName="s")["events"]) == 4


def test_a_bucket_setting_that_could_not_be_kept_is_not_in_force(full: Server, small_disk: Path) -> None:
    s3 = full.client("s3")
    filler = fill(small_disk)
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": [f"http://{n}{'x' * 200}" for n in range(60)]}]
    answer = refused(lambda: s3.put_bucket_cors(Bucket="disk", CORSConfiguration={"CORSRules": rules}))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert refused(lambda: s3.get_bucket_cors(Bucket="disk"))["Error"]["Code"] == "NoSuchCORSConfiguration"
    filler.unlink()
    s3.put_bucket_cors(Bucket="disk", CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket="disk")["CORSRules"] == rules
