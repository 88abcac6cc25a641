"""What was acknowledged is there after ``kill -9``: 29 kinds of state, and writers killed in the act."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.aws.checks.test_identity import TRUST, allow
from tests.aws.checks.test_logs import now, read, write
from tests.aws.checks.test_s3_buckets import CORS, check_configuration, put_configuration, refused
from tests.aws.conftest import Server

MB = 1024 * 1024
ODD = ["a//b", "ü/日本 😀", "../../x", "per%2Fcent+plus"]
LARGE = bytes(range(256)) * (9 * MB // 256)
ARN = "arn:aws:iam::123456789012:policy/reader"


class World:
    """Clients of one server, and what was noted while it was written to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.noted: dict[str, Any] = {}
        self.connect()

    def connect(self) -> None:
        for name in ("s3", "iam", "sts", "logs", "cloudwatch", "ecr"):
            setattr(self, name, self.server.client(name))

    def __getattr__(self, name: str) -> Any:  # the clients set by connect
        raise AttributeError(name)

    def body(self, key: str, **options: Any) -> bytes:
        body: bytes = self.s3.get_object(Bucket="full", Key=key, **options)["Body"].read()
        return body

    def listed(self, **options: Any) -> list[str]:
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket="full", **options)["Contents"]]


def write_objects(world: World) -> None:
    s3 = world.s3
    s3.create_bucket(Bucket="full")
    s3.create_bucket(Bucket="empty")
    europe = world.server.client("s3", "eu-west-1")
    europe.create_bucket(Bucket="europe", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="full", Key="small", Body=b"small", Tagging="a=1")
    s3.put_object(Bucket="full", Key="medium", Body=LARGE[:500_000])
    headers = {"ContentType": "text/csv", "CacheControl": "no-cache", "Metadata": {"my_key": "1"}}
    s3.put_object(Bucket="full", Key="described", Body=b"", **headers)
    world.noted["head"] = s3.head_object(Bucket="full", Key="described")
    for key in ODD:
        s3.put_object(Bucket="full", Key=f"odd/{key}", Body=key.encode())
    for body in (b"first", b"second"):
        s3.put_object(Bucket="full", Key="overwritten", Body=body)
    s3.put_object(Bucket="full", Key="deleted", Body=b"x")
    s3.delete_object(Bucket="full", Key="deleted")
    s3.copy_object(Bucket="full", Key="copied", CopySource="full/medium")
    s3.put_object(Bucket="full", Key="public", Body=b"p", ACL="public-read")


def write_uploads(world: World) -> None:
    for key in ("finished", "unfinished"):
        upload = world.s3.create_multipart_upload(Bucket="full", Key=key)["UploadId"]
        name = {"Bucket": "full", "Key": key, "UploadId": upload}
        pieces = [LARGE[: 6 * MB], LARGE[6 * MB :]]
        parts = [
            {"PartNumber": number, "ETag": world.s3.upload_part(**name, PartNumber=number, Body=body)["ETag"]}
            for number, body in enumerate(pieces, start=1)
        ]
        world.noted[key] = (name, {"Parts": parts})
    name, parts_of = world.noted["finished"]
    world.noted["etag"] = world.s3.complete_multipart_upload(**name, MultipartUpload=parts_of)["ETag"]


def write_versions(world: World) -> None:
    s3 = world.s3
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    world.noted["version"] = s3.put_object(Bucket="versioned", Key="k", Body=b"old")["VersionId"]
    s3.put_object(Bucket="versioned", Key="k", Body=b"new")
    world.noted["marker"] = s3.delete_object(Bucket="versioned", Key="k")["VersionId"]
    s3.put_bucket_tagging(Bucket="full", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    put_configuration(s3, "full")
    europe = world.server.client("s3", "eu-west-1")
    europe.put_bucket_cors(Bucket="empty", CORSConfiguration={"CORSRules": CORS})
    s3.delete_bucket_cors(Bucket="empty")


def write_identities(world: World) -> None:
    iam = world.iam
    role = iam.create_role(RoleName="Kept", Path="/service-role/", AssumeRolePolicyDocument=TRUST)["Role"]
    iam.put_role_policy(RoleName="Kept", PolicyName="inline", PolicyDocument=allow("s3:GetObject"))
    iam.create_policy(PolicyName="reader", PolicyDocument=allow("s3:List*"))
    iam.attach_role_policy(RoleName="Kept", PolicyArn=ARN)
    iam.create_role(RoleName="Gone", AssumeRolePolicyDocument=TRUST)
    iam.delete_role(RoleName="Gone")
    iam.create_user(UserName="kim")
    key = iam.create_access_key(UserName="kim")["AccessKey"]
    session = world.sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
    world.noted.update(role=role, key=key, session=session, learner=world.sts.get_caller_identity()["UserId"])


def write_watch(world: World) -> None:
    world.logs.create_log_group(logGroupName="/kept", tags={"a": "1"})
    world.logs.put_retention_policy(logGroupName="/kept", retentionInDays=7)
    write(world.logs, "/kept", "s", ["one", "two\nlines", "ü"], now() - 1000)
    data = [{"MetricName": "m", "Value": value, "Unit": "Count"} for value in (1.0, 2.0, 6.0)]
    world.cloudwatch.put_metric_data(Namespace="Kept", MetricData=data)
    alarm = {"Namespace": "Kept", "MetricName": "m", "Statistic": "Maximum", "Period": 3600}
    rule = {"EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold"}
    world.cloudwatch.put_metric_alarm(AlarmName="high", **alarm, **rule)
    world.noted["alarm"] = world.cloudwatch.describe_alarms()["MetricAlarms"][0]
    world.ecr.create_repository(repositoryName="kept")
    world.noted["repository"] = world.ecr.describe_repositories()["repositories"][0]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server that was written to, killed and started again."""
    world = World(Server(tmp_path_factory.mktemp("killed")))
    for step in (write_objects, write_uploads, write_versions, write_identities, write_watch):
        step(world)
    world.server.restart()
    world.connect()
    yield world
    world.server.stop()


def finish_upload(world: World) -> None:
    name, parts = world.noted["unfinished"]
    world.s3.complete_multipart_upload(**name, MultipartUpload=parts)
    assert world.body("unfinished") == LARGE


def no_cors(world: World) -> None:
    with refused("NoSuchCORSConfiguration"):
        world.s3.get_bucket_cors(Bucket="empty")


def check_alarm(world: World) -> None:
    alarm = world.cloudwatch.describe_alarms(AlarmNames=["high"])["MetricAlarms"][0]
    assert alarm["StateValue"] == "ALARM"
    for name in ("StateUpdatedTimestamp", "AlarmConfigurationUpdatedTimestamp"):
        assert abs(alarm[name] - world.noted["alarm"][name]) < timedelta(seconds=1)


def identity(world: World, key: dict[str, str]) -> str:
    token = {"aws_session_token": key["SessionToken"]} if "SessionToken" in key else {}
    client = world.server.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"], **token)
    arn: str = client.get_caller_identity()["Arn"]
    return arn


def average(world: World) -> float:
    span = {
        "StartTime": datetime.now(UTC) - timedelta(hours=1),
        "EndTime": datetime.now(UTC) + timedelta(hours=1),
    }
    points = world.cloudwatch.get_metric_statistics(
        Namespace="Kept", MetricName="m", Period=3600 * 3, Statistics=["Average"], **span
    )["Datapoints"]
    value: float = points[0]["Average"]
    return value


def head(world: World, key: str) -> dict[str, Any]:
    answer: dict[str, Any] = world.s3.head_object(Bucket="full", Key=key)
    return answer


EXPECTED = {"full", "empty", "europe", "versioned"}
FULL = ["copied", "described", "medium", "overwritten", "public", "small"]
KINDS: dict[str, Callable[[World], Any]] = {
    "buckets": lambda w: {b["Name"] for b in w.s3.list_buckets()["Buckets"]} == EXPECTED,
    "an empty bucket": lambda w: w.s3.list_objects_v2(Bucket="empty")["KeyCount"] == 0,
    "a bucket's region": lambda w: w.s3.head_bucket(Bucket="europe")["BucketRegion"] == "eu-west-1",
    "a small body": lambda w: w.body("small") == b"small",
    "a 500 KB body": lambda w: w.body("medium") == LARGE[:500_000],
    "type, metadata, cache control": lambda w: (
        head(w, "described")["Metadata"] == {"my_key": "1"}
        and head(w, "described")["ContentType"] == "text/csv"
        and head(w, "described")["CacheControl"] == "no-cache"
    ),
    "an etag": lambda w: head(w, "described")["ETag"] == w.noted["head"]["ETag"],
    "last modified": lambda w: head(w, "described")["LastModified"] == w.noted["head"]["LastModified"],
    "object tags": lambda w: w.s3.get_object_tagging(Bucket="full", Key="small")["TagSet"][0]["Value"] == "1",
    "an object's acl": lambda w: w.server.raw("GET", "/full/public")[2] == b"p",
    "a body in parts": lambda w: hashlib.md5(w.body("finished")).digest() == hashlib.md5(LARGE).digest(),
    "the etag of a body in parts": lambda w: head(w, "finished")["ETag"] == w.noted["etag"],
    "odd keys": lambda w: all(w.body(f"odd/{key}") == key.encode() for key in ODD),
    "an overwrite": lambda w: w.body("overwritten") == b"second",
    "a deletion": lambda w: "deleted" not in w.listed(),
    "the whole listing": lambda w: [k for k in w.listed() if "/" not in k and "finished" not in k] == FULL,
    "a copy": lambda w: w.body("copied") == LARGE[:500_000],
    "versioning": lambda w: w.s3.get_bucket_versioning(Bucket="versioned")["Status"] == "Enabled",
    "an old version": lambda w: (
        w.s3.get_object(Bucket="versioned", Key="k", VersionId=w.noted["version"])["Body"].read() == b"old"
    ),
    "a delete marker": lambda w: (
        w.s3.list_object_versions(Bucket="versioned")["DeleteMarkers"][0]["VersionId"] == w.noted["marker"]
    ),
    "bucket tags": lambda w: w.s3.get_bucket_tagging(Bucket="full")["TagSet"] == [{"Key": "a", "Value": "1"}],
    "cors, lifecycle, policy, encryption, blocks": lambda w: check_configuration(w.s3, "full") is None,
    "the absence of deleted settings": lambda w: no_cors(w) is None,
    "an upload in progress": lambda w: finish_upload(w) is None,
    "a role, its id and date": lambda w: (
        w.iam.get_role(RoleName="Kept")["Role"]["RoleId"] == w.noted["role"]["RoleId"]
        and w.iam.get_role(RoleName="Kept")["Role"]["CreateDate"] == w.noted["role"]["CreateDate"]
    ),
    "the absence of a deleted role": lambda w: (
        {r["RoleName"] for r in w.iam.list_roles()["Roles"]} == {"LabRole", "Kept"}
    ),
    "an inline policy": lambda w: w.iam.list_role_policies(RoleName="Kept")["PolicyNames"] == ["inline"],
    "an attached policy": lambda w: (
        w.iam.list_attached_role_policies(RoleName="Kept")["AttachedPolicies"][0]["PolicyArn"] == ARN
    ),
    "the learner's own id": lambda w: w.sts.get_caller_identity()["UserId"] == w.noted["learner"],
    "a user's key": lambda w: identity(w, w.noted["key"]).endswith(":user/kim"),
    "a session": lambda w: identity(w, w.noted["session"]).endswith(":assumed-role/Kept/session"),
    "log events": lambda w: read(w.logs, "/kept", "s") == ["one", "two\nlines", "ü"],
    "a group's retention": lambda w: w.logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 7,
    "a group's tags": lambda w: w.logs.list_tags_log_group(logGroupName="/kept")["tags"] == {"a": "1"},
    "metrics": lambda w: average(w) == 3.0,
    "an alarm, its state and dates": lambda w: check_alarm(w) is None,
    "a repository": lambda w: w.ecr.describe_repositories()["repositories"] == [w.noted["repository"]],
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_survives_kill_9(world: World, kind: str) -> None:
    assert KINDS[kind](world)


class Writer(threading.Thread):
    """Overwrites its keys for ever and remembers what was acknowledged, and what was merely sent."""

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.server: Server | None = None
        self.acknowledged: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        self.stopping = False

    def run(self) -> None:
        count = 0
        while not self.stopping:
            server = self.server
            if server is None:
                time.sleep(0.01)
                continue
            s3 = server.client("s3")
            with contextlib.suppress(BotoCoreError, ClientError):
                while self.server is server and not self.stopping:
                    count += 1
                    key = f"w{self.number}/{count % 5}"
                    self.sent[key] = count
                    s3.put_object(Bucket="kills", Key=key, Body=body_of(count))
                    self.acknowledged[key] = count


def body_of(count: int) -> bytes:
    """A body that tells which it is, and whether all of it is there; some inline, some in a file."""
    return f"{count}:".encode() * (20_000 if count % 2 else 10) + b"end"


def test_writers_killed_in_the_act_lose_nothing_acknowledged_and_leave_nothing_torn(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Server(tmp_path_factory.mktemp("kills"))
    server.client("s3").create_bucket(Bucket="kills")
    writers = [Writer(number) for number in range(4)]
    for writer in writers:
        writer.start()
    for _ in range(3):
        for writer in writers:
            writer.server = server
        time.sleep(0.8)
        for writer in writers:
            writer.server = None
        server.restart()
        compare(server, writers)
    for writer in writers:
        writer.stopping = True
        writer.join()
    assert sum(writer.sent[key] for writer in writers for key in writer.sent) > 0
    server.stop()


def compare(server: Server, writers: list[Writer]) -> None:
    """Each key holds the last acknowledged body, or the one that was on its way, whole."""
    s3 = server.client("s3")
    for writer in writers:
        for key, count in dict(writer.acknowledged).items():
            answer = s3.get_object(Bucket="kills", Key=key)
            body = answer["Body"].read()
            found = int(body.partition(b":")[0])
            assert found in (count, writer.sent[key])
            assert body == body_of(found)
            assert answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'


def test_a_start_sweeps_away_bodies_that_never_got_their_row(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Server(tmp_path_factory.mktemp("orphans"))
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=LARGE)
    server.kill()
    orphan = server.folder / "blobs" / "aa" / ("a" * 32)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"half a body")
    server.start()
    assert not orphan.exists()
    assert server.client("s3").get_object(Bucket="kept", Key="k")["Body"].read() == LARGE
    server.stop()
