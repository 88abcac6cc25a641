"""The services in one process with the server: what it writes is seen over the wire, and the reverse."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.s3 import models as moto_models

from corelab.aws.app import AwsServices
from corelab.aws.identity import Principals
from corelab.errors import ServerError
from corelab.store.contract import Datum, LogEvent, ObjectNotFound
from tests.aws.checks.test_identity import TRUST, allow
from tests.aws.checks.test_s3_buckets import refused

LAB_ROLE = "arn:aws:iam::123456789012:role/LabRole"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServices]:
    services = AwsServices(tmp_path_factory.mktemp("home") / "aws")
    yield services
    services.close()


@pytest.fixture(scope="module")
def client(services: AwsServices) -> Any:
    """Makes boto3 clients whose requests go straight into ``services.wsgi``."""

    def make(name: str, region: str = "us-east-1") -> Any:
        made = boto3.client(
            name,
            region_name=region,
            endpoint_url="http://127.0.0.1:1",
            aws_access_key_id="AKIALOCALSAGEMAKER00",
            aws_secret_access_key="s",
            config=Config(retries={"total_max_attempts": 1}),
        )
        made.meta.events.register("before-send", lambda request, **_: answer(services, request))
        return made

    return make


def answer(services: AwsServices, request: Any) -> AWSResponse:
    """Carry a botocore request through WSGI."""
    target = request.url.removeprefix("http://127.0.0.1:1")
    path, _, query = target.partition("?")
    body = request.body.read() if hasattr(request.body, "read") else request.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    environ = {
        f"HTTP_{name.upper().replace('-', '_')}": _text(value) for name, value in request.headers.items()
    }
    environ |= {"CONTENT_TYPE": environ.pop("HTTP_CONTENT_TYPE", ""), "CONTENT_LENGTH": str(len(body))}
    environ |= {"REQUEST_METHOD": request.method, "RAW_URI": target, "PATH_INFO": path, "QUERY_STRING": query}
    environ["wsgi.input"] = io.BytesIO(body)
    head: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        head.update(status=int(status[:3]), headers=headers)

    content = b"".join(services.wsgi(environ, start_response))
    return AWSResponse(request.url, head["status"], dict(head["headers"]), _Raw(content))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Raw(io.BytesIO):
    def stream(self, amount: int = 1024, decode_content: Any = None) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture
def bucket(services: AwsServices) -> str:
    services.objects.create_bucket("made-by-the-server", "eu-west-1")
    return "made-by-the-server"


def test_a_bucket_of_the_server_is_there_for_everybody(client: Any, bucket: str) -> None:
    s3 = client("s3")
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "eu-west-1"
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    with refused("BucketAlreadyOwnedByYou"):
        client("s3", "eu-west-1").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )


def test_an_object_of_the_server_is_there_for_everybody(
    services: AwsServices, client: Any, bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"model" * 20_000)
    services.objects.put_file(bucket, "out/model.tar.gz", tmp_path / "model.tar.gz", "application/gzip")
    found = client("s3").get_object(Bucket=bucket, Key="out/model.tar.gz")
    assert found["Body"].read() == b"model" * 20_000
    assert found["ContentType"] == "application/gzip"
    services.objects.put_bytes(bucket, "out/metrics.json", b"{}")
    assert client("s3").head_object(Bucket=bucket, Key="out/metrics.json")["ContentLength"] == 2


def test_an_object_of_the_learner_is_there_for_the_server_with_its_writer(
    services: AwsServices, client: Any, bucket: str, tmp_path: Path
) -> None:
    client("s3").put_object(Bucket=bucket, Key="data/train.csv", Body=b"1,2\n" * 20_000)
    services.objects.put_bytes(bucket, "data/own", b"")
    assert {entry.key: entry.writer for entry in services.objects.list(bucket, "data/")} == {
        "data/own": "service",
        "data/train.csv": "AKIALOCALSAGEMAKER00",
    }
    services.objects.fetch(bucket, "data/train.csv", tmp_path / "train.csv")
    assert (tmp_path / "train.csv").read_bytes() == b"1,2\n" * 20_000


def test_the_server_s_writes_keep_to_versioning(services: AwsServices, client: Any) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="versioned-too")
    s3.put_bucket_versioning(Bucket="versioned-too", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        services.objects.put_bytes("versioned-too", "k", body)
    assert len(s3.list_object_versions(Bucket="versioned-too")["Versions"]) == 2
    s3.delete_object(Bucket="versioned-too", Key="k")
    with pytest.raises(ObjectNotFound):
        services.objects.open("versioned-too", "k")


def test_log_lines_of_a_job_are_read_as_they_come(services: AwsServices, client: Any) -> None:
    logs, group = client("logs"), "/aws/sagemaker/TrainingJobs"
    now = int(time.time() * 1000)
    services.logs.append("us-east-1", group, "job/algo-1", [LogEvent(now, "first")])
    page = logs.get_log_events(logGroupName=group, logStreamName="job/algo-1", startFromHead=True)
    services.logs.append("us-east-1", group, "job/algo-1", [LogEvent(now + 1, "second")])
    following = logs.get_log_events(
        logGroupName=group, logStreamName="job/algo-1", nextToken=page["nextForwardToken"]
    )
    assert [event["message"] for event in page["events"] + following["events"]] == ["first", "second"]
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="job/")["logStreams"]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (now, now + 1)


def test_metrics_of_a_job_are_seen_and_raise_alarms(services: AwsServices, client: Any) -> None:
    cloudwatch = client("cloudwatch", "eu-west-1")
    cloudwatch.put_metric_alarm(
        AlarmName="auc",
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="validation:auc",
        Dimensions=[{"Name": "TrainingJobName", "Value": "job"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.8,
        ComparisonOperator="GreaterThanThreshold",
    )
    assert services.alarm_state("eu-west-1", "auc") == "INSUFFICIENT_DATA"
    datum = Datum("validation:auc", 0.85, time.time(), dimensions={"TrainingJobName": "job"})
    services.metrics.put("eu-west-1", "/aws/sagemaker/TrainingJobs", [datum])
    assert services.alarm_state("eu-west-1", "auc") == "ALARM"
    assert services.alarm_state("us-east-1", "auc") is None
    points = cloudwatch.get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="validation:auc",
        Dimensions=[{"Name": "TrainingJobName", "Value": "job"}],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=60,
        Statistics=["Average"],
    )["Datapoints"]
    assert [point["Average"] for point in points] == [0.85]


def test_an_alarm_may_watch_an_expression(services: AwsServices, client: Any) -> None:
    def stat(name: str) -> dict[str, Any]:
        return {"Metric": {"Namespace": "Rate", "MetricName": name}, "Period": 60, "Stat": "Sum"}

    client("cloudwatch").put_metric_alarm(
        AlarmName="rate",
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Metrics=[
            {"Id": "rate", "Expression": "100 * errors / calls"},
            {"Id": "errors", "MetricStat": stat("errors"), "ReturnData": False},
            {"Id": "calls", "MetricStat": stat("calls"), "ReturnData": False},
        ],
    )
    at = time.time()
    services.metrics.put("us-east-1", "Rate", [Datum("errors", 1.0, at), Datum("calls", 20.0, at)])
    assert services.alarm_state("us-east-1", "rate") == "OK"
    services.metrics.put("us-east-1", "Rate", [Datum("errors", 1.0, at)])
    assert services.alarm_state("us-east-1", "rate") == "ALARM"


@pytest.fixture
def roles(client: Any) -> Iterator[dict[str, str]]:
    """A role without any policy, and one that SageMaker may not assume."""
    iam = client("iam")
    foreign = json.loads(TRUST)
    foreign["Statement"][0]["Principal"] = {"Service": "lambda.amazonaws.com"}
    made = {
        "bare": iam.create_role(RoleName="Bare", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"],
        "foreign": iam.create_role(RoleName="Foreign", AssumeRolePolicyDocument=json.dumps(foreign))["Role"][
            "Arn"
        ],
    }
    yield made
    for name in ("Bare", "Foreign"):
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def test_sagemaker_assumes_only_roles_that_exist_and_trust_it(
    services: AwsServices, roles: dict[str, str]
) -> None:
    identity = services.identity
    assert identity.role_exists(roles["foreign"])
    assert not identity.role_exists(roles["bare"] + "x")
    assert identity.can_assume(LAB_ROLE)
    assert identity.can_assume(roles["bare"])
    assert not identity.can_assume(roles["foreign"])
    assert identity.can_assume(roles["foreign"], "lambda.amazonaws.com")
    assert not identity.can_assume(roles["bare"] + "x")


def test_a_role_may_what_its_policies_say(services: AwsServices, client: Any, roles: dict[str, str]) -> None:
    identity, iam, bare = services.identity, client("iam"), roles["bare"]
    data = "arn:aws:s3:::data/train.csv"
    assert identity.allows(LAB_ROLE, "s3:GetObject", data)
    assert not identity.allows(bare, "s3:GetObject", data)
    iam.put_role_policy(
        RoleName="Bare", PolicyName="read", PolicyDocument=allow("s3:Get*", "arn:aws:s3:::data/*")
    )
    assert identity.allows(bare, "s3:GetObject", data)
    assert identity.allows("arn:aws:sts::123456789012:assumed-role/Bare/any", "s3:GetObject", data)
    assert not identity.allows(bare, "s3:PutObject", data)
    deny = allow("s3:*").replace("Allow", "Deny")
    iam.put_role_policy(RoleName="Bare", PolicyName="deny", PolicyDocument=deny)
    assert not identity.allows(bare, "s3:GetObject", data)


def test_a_permissions_boundary_and_a_group_count_too(services: AwsServices, client: Any) -> None:
    identity, iam = services.identity, client("iam")
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=allow("s3:GetObject"))["Policy"]["Arn"]
    role = iam.create_role(RoleName="Bound", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary)[
        "Role"
    ]
    iam.put_role_policy(RoleName="Bound", PolicyName="all", PolicyDocument=allow("s3:*"))
    assert identity.allows(role["Arn"], "s3:GetObject", "arn:aws:s3:::b/k")
    assert not identity.allows(role["Arn"], "s3:PutObject", "arn:aws:s3:::b/k")
    user = iam.create_user(UserName="member")["User"]["Arn"]
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=allow("s3:List*"))
    assert not identity.allows(user, "s3:ListBucket", "arn:aws:s3:::b")
    iam.add_user_to_group(GroupName="readers", UserName="member")
    assert identity.allows(user, "s3:ListBucket", "arn:aws:s3:::b")


def test_a_bucket_s_policy_gives_and_takes(
    services: AwsServices, client: Any, roles: dict[str, str], bucket: str
) -> None:
    def policy(effect: str, principal: Any) -> str:
        statement = {"Effect": effect, "Principal": principal, "Action": "s3:GetObject"}
        return json.dumps({"Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket}/*"}]})

    s3, identity, key = client("s3"), services.identity, f"arn:aws:s3:::{bucket}/k"
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy("Allow", {"AWS": roles["bare"]}))
    assert identity.allows(roles["bare"], "s3:GetObject", key)
    assert not identity.allows(roles["foreign"], "s3:GetObject", key)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy("Deny", "*"))
    assert not identity.allows(LAB_ROLE, "s3:GetObject", key)
    with refused("AccessDenied", 403):
        s3.get_object(Bucket=bucket, Key="k")
    s3.delete_bucket_policy(Bucket=bucket)


def test_a_caller_is_known_by_the_key(services: AwsServices, client: Any) -> None:
    identity, iam = services.identity, client("iam")
    learner = identity.caller("AKIALOCALSAGEMAKER00")
    assert learner is not None
    assert learner.arn == "arn:aws:sts::123456789012:assumed-role/LabRole/student"
    assert identity.caller(None) is None
    assert identity.caller("AKIASTRANGER00000000") is None
    iam.create_user(UserName="key-owner")
    key = iam.create_access_key(UserName="key-owner")["AccessKey"]["AccessKeyId"]
    owner = identity.caller(key)
    assert owner is not None
    assert owner.arn.endswith(":user/key-owner")
    iam.update_access_key(UserName="key-owner", AccessKeyId=key, Status="Inactive")
    assert identity.caller(key) is None


def test_only_the_trusted_may_assume_a_role(services: AwsServices, client: Any) -> None:
    iam = client("iam")
    iam.create_user(UserName="outsider")
    key = iam.create_access_key(UserName="outsider")["AccessKey"]
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    sts.meta.events.register("before-send", lambda request, **_: answer(services, request))
    with refused("AccessDenied", 403):
        sts.assume_role(RoleArn=LAB_ROLE, RoleSessionName="attempt")
    with refused("AccessDenied", 403):
        client("sts").assume_role(RoleArn=LAB_ROLE + "x", RoleSessionName="attempt")


def test_a_process_has_one_set_of_services(services: AwsServices, tmp_path: Path) -> None:
    assert isinstance(services.identity, Principals)
    with pytest.raises(ServerError, match="another one open"):
        AwsServices(tmp_path)


def test_what_moto_tracks_does_not_grow(client: Any, bucket: str) -> None:
    for number in range(20):
        client("s3").put_object(Bucket=bucket, Key=f"many/{number}", Body=b"x")
    assert moto_models.FakeGrant.instances_tracked == []
