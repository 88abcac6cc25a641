"""Preflight, budget and clean-up of a run on AWS, against a live server that is known by its address only."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import corelab
from corelab.account import estimate
from corelab.account.cloud import Account
from corelab.account.estimate import Instances, Plan
from corelab.account.policy import Place
from corelab.account.preflight import examine
from corelab.account.rehearsal import rehearse
from corelab.account.spending import Watch, sweep
from corelab.cli import app
from corelab.core.findings import Finding
from corelab.errors import AccountError
from corelab.home import Home
from tests.conftest import IMAGE, Lab
from tests.contract import two_clouds

REGION = "us-west-2"  # of this module alone: what is swept here must not be another test's
HERE = Place(region=REGION)
OTHERS = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
PLAN = Plan((Instances("a1", "training-job", "ml.m5.large", 3, 2),))


@pytest.fixture(scope="module")
def account(lab: Lab) -> Iterator[Account]:
    """A role of its own in the lab, reached as AWS would be."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **two_clouds.credentials(lab.url, two_clouds.EVERYTHING, HERE),
            "AWS_ENDPOINT_URL": lab.url,
            "AWS_DEFAULT_REGION": REGION,
            "CORELAB_RUN": "run-1",
        }.items():
            patch.setenv(name, value)
        connection = corelab.connect("aws", quietly=True)
        yield Account("aws", REGION, False, "run-1", connection.identity)
        corelab.disconnect()
    two_clouds.remove_role(lab.url, "CoreLab")


def findings(account: Account, plan: Plan = PLAN) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(account, plan)}


def test_an_account_that_is_ready_is_found_well(account: Account) -> None:
    found = findings(account)
    assert {what for what, finding in found.items() if not finding.well} == set()
    assert {"identity", "region", "trust", "permissions", "bucket", "quota", "leftovers"} <= set(found)
    assert "ml.m5.large for training job usage: 8, the course uses 2 at once" in found["quota"].found


def test_a_quota_that_is_too_small_says_which_to_ask_for(account: Account) -> None:
    found = findings(account, Plan((Instances("a1", "training-job", "ml.p3.2xlarge", 1, 1),)))
    assert "'ml.p3.2xlarge for training job usage'" in found["quota"].cure


def test_a_role_that_lacks_actions_or_trust_is_told_which(lab: Lab, account: Account) -> None:
    iam = lab.client("iam")
    little = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    try:
        iam.put_role_policy(RoleName="CoreLab", PolicyName="jobs", PolicyDocument=document(little))
        iam.put_role_policy(
            RoleName="CoreLab",
            PolicyName="calls",
            PolicyDocument=json.dumps(two_clouds.all_but("sagemaker:CreateModel", "ecr:BatchGetImage")),
        )
        iam.update_assume_role_policy(RoleName="CoreLab", PolicyDocument=document(OTHERS))
        found = [finding for finding in examine(account, PLAN) if not finding.well]
    finally:
        two_clouds.make_role(lab.url, "CoreLab")
        two_clouds.credentials(lab.url, two_clouds.EVERYTHING, HERE)
    said = {finding.found for finding in found}
    assert "calls lack sagemaker:CreateModel" in said
    assert any(text.endswith("does not trust SageMaker") for text in said)
    assert "jobs lack ecr:BatchGetImage" in said
    assert any("corelab policy --jobs --account 123456789012" in finding.cure for finding in found)


def test_a_user_is_told_to_become_a_role(account: Account) -> None:
    user = Account("aws", REGION, False, "", "arn:aws:iam::123456789012:user/kim")
    assert "assume one" in findings(user)["role"].cure


IMAGE_HERE = IMAGE.replace("683313688378", "246618743249").replace("us-east-1", REGION)
CORE_LAB = "arn:aws:iam::123456789012:role/CoreLab"


def document(statement: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def job(lab: Lab, account: Account) -> str:
    """A training job that has run to its end."""
    name, s3 = lab.name("job"), lab.client("s3", REGION)
    bucket = f"sagemaker-{REGION}-{account.number}"  # of the role's policy
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body=b"1,1,2\n0,3,4\n1,0,1\n0,5,5\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}
    account.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE_HERE, "TrainingInputMode": "File"},
        RoleArn=CORE_LAB,
        InputDataConfig=[
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"num_round": "5", "objective": "binary:logistic"},
    )
    while account.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
        continue  # the server holds a repeated Describe until there is news
    return name


def model(account: Account, name: str) -> None:
    account.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE_HERE},
        ExecutionRoleArn=CORE_LAB,
    )


def test_what_a_run_makes_is_tagged_whatever_the_request_says_and_swept(lab: Lab, account: Account) -> None:
    mine, theirs = lab.name("mine"), lab.name("theirs")
    model(account, mine)
    lab.client("sagemaker", REGION).create_model(
        ModelName=theirs,
        PrimaryContainer={
            "Image": IMAGE.replace("683313688378", "246618743249").replace("us-east-1", REGION)
        },
        ExecutionRoleArn=CORE_LAB,
        Tags=[{"Key": "course", "Value": "corelab"}, {"Key": "corelab-run", "Value": "another"}],
    )
    said: list[str] = []
    assert sweep(account, said.append) == []
    assert said == [f"delete model {mine}"]
    account.sagemaker.describe_model(ModelName=theirs)


def test_a_run_ends_at_its_budget_and_names_it(lab: Lab, account: Account) -> None:
    name = job(lab, account)
    model(account, lab.name("spent"))
    watch = Watch(account, budget=1e-9)
    watch.check()
    watch.look()
    assert [charge.name for charge in watch.charges] == [name]
    with pytest.raises(AccountError, match=r"the budget of \$0.00 is spent"):
        watch.check()
    assert sweep(account, lambda _: None) == [], "the budget's end has removed the model already"


def test_nothing_is_started_over_budget_or_before_a_grave_ill_is_cured(
    lab: Lab, account: Account, tmp_path: Path
) -> None:
    def run(budget: float) -> list[str]:
        said: list[str] = []
        started: list[object] = []
        with pytest.raises(AccountError, match="nothing was started"):
            rehearse(
                Home(tmp_path / "h"),
                ["a1_training_job"],
                budget,
                lambda check: started.append(check) or 0,
                out=tmp_path,
                agree=lambda: None,
                say=said.append,
            )
        assert started == []
        return said

    assert any(line.startswith("estimate") for line in run(0.0))
    iam = lab.client("iam")
    iam.update_assume_role_policy(RoleName="CoreLab", PolicyDocument=document(OTHERS))
    try:
        assert not any(line.startswith("estimate") for line in run(5.0))
    finally:
        two_clouds.make_role(lab.url, "CoreLab")


def test_the_command_says_what_it_will_cost_and_asks(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORELAB_HOME", str(tmp_path / "h"))
    told = CliRunner().invoke(app, ["smoke", "a0_xgboost_local", "--target", "aws"], input="n\n")
    assert told.exit_code == 1
    assert told.output.index("estimate  $") < told.output.index("costs money")
    assert "Run smoke-" not in told.output


def test_a_run_that_fails_or_is_interrupted_is_cleaned_up_and_reported(
    lab: Lab, account: Account, tmp_path: Path
) -> None:
    said: list[str] = []

    def notebooks(_check: Callable[[], None]) -> int:
        assert os.environ["CORELAB_RUN"].startswith("smoke-")
        model(account, lab.name("left"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearse(
            Home(tmp_path / "h"), ["a0_xgboost_local"], 5.0, notebooks,
            out=tmp_path, agree=lambda: None, say=said.append,
        )  # fmt: skip
    assert any(line.startswith("delete model left") for line in said)
    assert os.environ["CORELAB_RUN"] == "run-1"


def test_machines_are_counted_from_a_bill_and_priced() -> None:
    line = {"kind": "training-job", "what": "2 \N{MULTIPLICATION SIGN} ml.m5.large"}
    lines = [
        {**line, "began": 0.0, "ended": 10.0},
        {**line, "began": 5.0, "ended": 9.0},
        {**line, "began": 10.0, "ended": 11.0},
        {"kind": "endpoint", "what": "serverless, 2048 MB", "began": 0.0, "ended": None},
    ]
    assert estimate.counted(lines) == [
        {"kind": "training-job", "type": "ml.m5.large", "count": 6, "at_once": 4}
    ]
    assert PLAN.usd() == pytest.approx(3 * 0.115 * 180 / 3600)
    assert estimate.plan().usd() > estimate.plan(["a1_training_job"]).usd() > 0
