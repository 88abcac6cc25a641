"""S3 buckets: names, regions, owners, configuration (checks 1 to 13, 68, 75, 76, 80, 81)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.aws.checks.register import check
from tests.aws.conftest import KEY, Server

ME, OTHER = "123456789012", "210987654321"


def refused(code: str, status: int | None = None) -> Any:
    """Expect a ClientError of this code."""

    def fits(error: BaseException) -> bool:
        assert isinstance(error, ClientError)
        answer = error.response
        return answer["Error"]["Code"] == code and status in (
            None,
            answer["ResponseMetadata"]["HTTPStatusCode"],
        )

    return pytest.raises(ClientError, check=fits)


def new_name() -> str:
    return f"bucket-{uuid.uuid4().hex[:16]}"


@check(1, 3)
def test_a_bucket_of_us_east_1_has_no_location(s3: Any) -> None:
    name = new_name()
    s3.create_bucket(Bucket=name)
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None


@check(2)
def test_a_bucket_is_made_in_the_region_of_its_constraint(server: Server) -> None:
    europe, name = server.client("s3", "eu-west-1"), new_name()
    europe.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert europe.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"


@check(4)
def test_elsewhere_a_bucket_needs_a_constraint(server: Server) -> None:
    with refused("IllegalLocationConstraintException", 400):
        server.client("s3", "eu-west-1").create_bucket(Bucket=new_name())


@check(5)
def test_making_ones_own_bucket_again_in_us_east_1_is_fine(s3: Any, bucket: str) -> None:
    assert s3.create_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200


@check(6)
def test_elsewhere_ones_own_bucket_is_owned_already(server: Server) -> None:
    europe, name = server.client("s3", "eu-west-1"), new_name()
    where = {"LocationConstraint": "eu-west-1"}
    europe.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    with refused("BucketAlreadyOwnedByYou", 409):
        europe.create_bucket(Bucket=name, CreateBucketConfiguration=where)


@check(7)
@pytest.mark.parametrize("name", ["Upper-Case", "under_score", "a..b", "192.168.1.1", "xn--bucket", "ends-"])
def test_a_bad_bucket_name_is_refused(s3: Any, name: str) -> None:
    with refused("InvalidBucketName", 400):
        s3.create_bucket(Bucket=name)


@check(8)
def test_a_bucket_is_listed_with_its_creation_date(server: Server, s3: Any, bucket: str) -> None:
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    resource = boto3.resource(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key="s",
    )
    assert resource.Bucket(bucket).creation_date is not None
    assert resource.Bucket(new_name()).creation_date is None


@check(9)
def test_head_bucket_tells_the_region(s3: Any, bucket: str) -> None:
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"


@check(10)
def test_head_bucket_of_a_missing_one_is_a_plain_404(s3: Any) -> None:
    with refused("404", 404) as caught:
        s3.head_bucket(Bucket=new_name())
    assert caught.value.response["Error"]["Message"] == "Not Found"


@check(11)
def test_the_owner_is_expected(s3: Any, bucket: str) -> None:
    assert s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=ME)["BucketRegion"] == "us-east-1"


@check(12)
def test_head_bucket_for_another_owner_is_forbidden(s3: Any, bucket: str) -> None:
    with refused("403", 403) as caught:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=OTHER)
    assert caught.value.response["Error"]["Message"] == "Forbidden"


@check(13)
def test_a_listing_for_another_owner_is_denied(s3: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner=OTHER)


@check(68)
def test_bucket_tags_are_kept_and_none_is_an_error(s3: Any, bucket: str) -> None:
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)
    tags = [{"Key": "course", "Value": "essentials"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags


@check(75)
def test_versions_are_kept_deleted_by_markers_and_brought_back(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"two")["VersionId"]
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in versions] == [(second, True), (first, False)]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"one"
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"]
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="k")
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"


def test_suspended_versioning_replaces_the_null_version_only(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"null one")
    s3.put_object(Bucket=bucket, Key="k", Body=b"null two")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=kept)["Body"].read() == b"kept"
    versions = [entry["VersionId"] for entry in s3.list_object_versions(Bucket=bucket)["Versions"]]
    assert versions == ["null", kept]
    s3.delete_object(Bucket=bucket, Key="k")
    listing = s3.list_object_versions(Bucket=bucket)
    assert [entry["VersionId"] for entry in listing["DeleteMarkers"]] == ["null"]
    assert [entry["VersionId"] for entry in listing["Versions"]] == [kept]


@check(76)
def test_a_bucket_s_configuration_comes_back_as_it_was_put(s3: Any, bucket: str) -> None:
    put_configuration(s3, bucket)
    check_configuration(s3, bucket)


@check(80)
def test_a_bucket_is_seen_from_any_region(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"seen")
    europe = server.client("s3", "eu-west-1")
    assert europe.get_object(Bucket=bucket, Key="k")["Body"].read() == b"seen"


@check(81)
def test_waiters_see_buckets_and_objects_and_an_empty_bucket_can_go(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.get_waiter("bucket_exists").wait(Bucket=bucket)
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key="k")
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    s3.get_waiter("bucket_not_exists").wait(Bucket=bucket)


POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}],
}
CORS = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": False,
}


def put_configuration(s3: Any, bucket: str) -> None:
    """One of everything a bucket can be told."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCKED)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(POLICY))
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": CORS})
    lifecycle = {
        "Rules": [{"ID": "old", "Filter": {"Prefix": "tmp/"}, "Status": "Enabled", "Expiration": {"Days": 7}}]
    }
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=lifecycle)


def check_configuration(s3: Any, bucket: str) -> None:
    """All of ``put_configuration`` is still there."""
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    block = s3.get_public_access_block(Bucket=bucket)
    assert block["PublicAccessBlockConfiguration"] == BLOCKED
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == POLICY
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == CORS
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [(rule["ID"], rule["Expiration"]["Days"]) for rule in rules] == [("old", 7)]
