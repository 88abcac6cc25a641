"""Bill, clean-up and explanations, against a live cloud and through botocore's own checks for AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

import corelab
from corelab.account.bill import aws_bill, local_bill
from corelab.account.cleanup import leftovers, remove
from corelab.account.cloud import Account
from corelab.account.explain import explain_by_name
from corelab.cli import app
from corelab.errors import AccountError, BadArgument
from tests.conftest import IMAGE, ROLE, Lab

REGION = "eu-north-1"  # of this module alone: a clean-up here must not touch another test's things
TAGS = [{"Key": "course", "Value": "corelab"}]


@pytest.fixture(scope="module", autouse=True)
def here(lab: Lab) -> Iterator[None]:
    corelab.connect(home=lab.home.path, region=REGION, quietly=True)
    yield
    corelab.disconnect()


@pytest.fixture
def local() -> Account:
    return Account("local", REGION, whole=True)


@pytest.fixture
def like_aws() -> Account:
    """The code's way to AWS, answered by the local cloud: only what is tagged is the course's."""
    return Account("aws", REGION, whole=False)


@pytest.fixture(scope="module")
def failed(lab: Lab) -> str:
    sagemaker, name, bucket = lab.client("sagemaker", REGION), lab.name("failed"), lab.name("data")
    s3 = lab.client("s3", REGION)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body=b"5,1,2\n6,3,4\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": IMAGE.replace("683313688378", "662702820516").replace("us-east-1", REGION),
            "TrainingInputMode": "File",
        },
        RoleArn=ROLE,
        InputDataConfig=[
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"num_round": "5", "objective": "binary:logistic"},
        Tags=TAGS,
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").config.delay = 0
    while sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
        continue  # the server holds a repeated Describe until there is news
    return name


def model(lab: Lab, tagged: bool, **container: str) -> str:
    name = lab.name("model")
    image = IMAGE.replace("683313688378", "662702820516").replace("us-east-1", REGION)
    lab.client("sagemaker", REGION).create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, **container},
        ExecutionRoleArn=ROLE,
        Tags=TAGS if tagged else [],
    )
    return name


def run(lab: Lab, *arguments: str) -> Result:
    before = os.environ.get("AWS_DEFAULT_REGION")
    assert before == REGION
    return CliRunner().invoke(app, [*arguments, "--home", str(lab.home.path)], catch_exceptions=False)


def test_a_failure_is_explained_by_its_log(local: Account, failed: str) -> None:
    story = explain_by_name(local, failed)
    assert (story.kind, story.status) == ("training job", "Failed")
    assert story.explanation is not None
    assert "label must be in [0,1]" in story.explanation.line
    assert "first column" in story.explanation.meaning


def test_a_name_that_nothing_bears_is_said_so(local: Account) -> None:
    with pytest.raises(BadArgument, match="no job and no endpoint named 'nobody'"):
        explain_by_name(local, "nobody")


def test_a_dry_run_changes_nothing_and_a_real_one_removes(lab: Lab, local: Account) -> None:
    name = model(lab, tagged=False)
    dry = run(lab, "cleanup")
    assert f"would delete model {name}" in dry.output
    assert name in [found.name for found in leftovers(local)]
    done = run(lab, "cleanup", "--yes")
    assert f"delete model {name}\n" in done.output
    assert list(leftovers(local)) == []
    assert run(lab, "cleanup").output == "Nothing is left.\n"


def test_on_aws_only_what_bears_the_course_s_tag_is_touched(lab: Lab, like_aws: Account) -> None:
    mine, theirs = model(lab, tagged=True), model(lab, tagged=False)
    found = {leftover.name: leftover for leftover in leftovers(like_aws)}
    assert mine in found
    assert theirs not in found
    assert remove(like_aws, found[mine]) is None
    assert remove(like_aws, found[mine]) is not None  # it is gone: AWS's words, and no traceback


def test_the_bill_on_aws_prices_what_describe_says(like_aws: Account, failed: str, lab: Lab) -> None:
    charges = {charge.name: charge for charge in aws_bill(like_aws)}
    here = {charge.name: charge for charge in local_bill(lab.home)}
    assert charges[failed].usd == pytest.approx(here[failed].usd, rel=1e-3)
    assert charges[failed].what == "1 x ml.m5.large"


def serve(lab: Lab, name: str) -> datetime:
    """An endpoint of two instances, Creating no more; gives its creation time."""
    sagemaker = lab.client("sagemaker", REGION)
    variant = {
        "VariantName": "v",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=TAGS)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=TAGS)
    while (endpoint := sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
        continue  # held until there is news
    created: datetime = endpoint["CreationTime"]
    return created


def test_an_endpoint_on_aws_is_priced_by_the_clock_and_a_failed_one_is_free(
    lab: Lab, like_aws: Account, model_data: str
) -> None:
    up, broken = model(lab, tagged=True, ModelDataUrl=model_data), model(lab, tagged=True)
    serve(lab, broken)
    charges = {c.name: c for c in aws_bill(like_aws, serve(lab, up) + timedelta(hours=1))}
    assert charges[up].what == "2 x ml.m5.large"
    assert (charges[up].usd, charges[up].runs) == (pytest.approx(2 * 0.115), True)
    assert (charges[broken].usd, charges[broken].runs) == (0, False)
    assert run(lab, "cleanup", "--yes").exit_code == 0


def test_a_refused_call_names_the_permission(like_aws: Account) -> None:
    def refuse(**_context: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        body = json.dumps({"__type": "AccessDeniedException", "message": "no"}).encode()
        answer = AWSResponse("http://127.0.0.1/", 400, {}, None)
        answer._content = body
        return answer

    like_aws.sagemaker.meta.events.register_first("before-send.sagemaker.*", refuse)
    with pytest.raises(AccountError, match=r"ListHyperParameterTuningJobs was refused: AccessDenied"):
        list(leftovers(like_aws))
    with pytest.raises(AccountError, match="Search was refused"):
        aws_bill(like_aws, datetime.now(UTC))


def test_the_verbs_speak(lab: Lab, failed: str) -> None:
    told = run(lab, "explain", failed).output
    assert f"The training job {failed} is Failed." in told
    assert f"{lab.url}/_corelab/console/training/{failed}" in told
    assert "cure     Write the CSV with the label first" in told
    bill = json.loads(run(lab, "bill", "--json").output)
    assert failed in [line["name"] for line in bill["lines"]]
    assert "had it run on AWS" in run(lab, "bill").output
    assert run(lab, "console", "--no-browser").output == f"{lab.url}/_corelab/console/\n"
