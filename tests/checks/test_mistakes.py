"""The debugging labs' checks on real broken jobs: the right reading passes, every wrong one hears why."""

from __future__ import annotations

import importlib
import json

import pytest

from corelab import checks, churn
from corelab.checks import CheckFailed
from corelab.checks.mistakes import HOMES, MISTAKES, log_of, mistake_of
from corelab.checks.tables import read_table

GOOD = ["from sagemaker_core.resources import TrainingJob", "from sagemaker_core.shapes import Channel"]
GOOD += ["from sagemaker.image_uris import retrieve"]
CAUSE = "label must be in [0,1] for logistic regression"


def truth(student="ada"):
    return {name: mistake_of(read_table(text.encode())) for name, text in churn.spoilt(student).items()}


def test_every_student_gets_the_four_mistakes_in_an_order_of_their_own():
    orders = {tuple(truth(student).values()) for student in ("ada", "grace", "alan", "edsger", "barbara")}
    assert all(sorted(order) == sorted(MISTAKES) for order in orders)
    assert len(orders) > 1
    assert churn.spoilt("Ada ") == churn.spoilt("ada")


def test_every_accepted_import_works(monkeypatch):
    monkeypatch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")  # SDK 2 warns that there is a 3
    for name, modules in HOMES.items():
        for module in modules:
            assert hasattr(importlib.import_module(module), name), (module, name)
    checks.imports(GOOD)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (None, "a list of 3 import lines"),
        (GOOD[:2], "a list of 3 import lines"),
        (["from sagemaker_core.shapes import TrainingJob", *GOOD[1:]], "resources are what exists"),
        (["from sagemaker_core.resources import *", *GOOD[1:]], "no star"),
        (["import sagemaker_core.resources", *GOOD[1:]], "an import of TrainingJob"),
        (["from sagemaker_core.resources import TrainingJob; print(1)", *GOOD[1:]], "one line, one name"),
        (["not python at all (", *GOOD[1:]], "an import of TrainingJob"),
        ([7, *GOOD[1:]], "an import of TrainingJob"),
    ],
)
def test_an_import_that_does_not_help_hears_why(lines, words):
    with pytest.raises(CheckFailed, match=words):
        checks.imports(lines)


@pytest.fixture(scope="module")
def place(connected):
    for name, text in churn.spoilt("ada").items():
        connected.client("s3").put_object(Bucket=connected.bucket, Key=f"four/{name}", Body=text.encode())
    return f"s3://{connected.bucket}/four"


def test_lines_and_mistakes_are_compared_with_the_files_in_s3(place):
    lines = {name: text.splitlines()[0] for name, text in churn.spoilt("ada").items()}
    checks.first_lines(lines, place)
    checks.diagnosis(truth(), f"{place}/")
    swapped = dict(zip(truth(), [*list(truth().values())[1:], next(iter(truth().values()))], strict=True))
    for question, answer, words in [
        (checks.first_lines, lines | {"coral.csv": "1,2"}, "first line of coral.csv"),
        (checks.first_lines, None, "first line of amber.csv"),
        (checks.diagnosis, swapped, "the mistake that amber.csv has"),
        (checks.diagnosis, truth() | {"denim.csv": "no idea"}, "one of header, label last, words, ids"),
        (checks.diagnosis, [], "for amber.csv"),
    ]:
        with pytest.raises(CheckFailed, match=words):
            question(answer, place)
    with pytest.raises(CheckFailed, match="run the cell that uploads"):
        checks.diagnosis(truth(), place + "-elsewhere")


@pytest.fixture(scope="module")
def ended(connected, place):
    """Names of jobs that have ended, by what they trained on and as whom."""
    sagemaker, iam, s3 = (connected.client(service) for service in ("sagemaker", "iam", "s3"))
    last = next(name for name, mistake in truth().items() if mistake == "label last")
    rows = [line.rsplit(",", 1) for line in churn.spoilt("ada")[last].splitlines()]
    mended = [f"{label},{cells}" for cells, label in rows]
    for key, lines in {"mended": mended, "fewer": mended[:300]}.items():
        s3.put_object(Bucket=connected.bucket, Key=f"{key}.csv", Body="\n".join(lines).encode())
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    listing = {"Effect": "Allow", "Action": ["s3:ListBucket", "logs:*"], "Resource": "*"}
    weak = iam.create_role(RoleName="cannot-read", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [listing]})
    iam.put_role_policy(RoleName="cannot-read", PolicyName="weak", PolicyDocument=document)
    lab_role = "arn:aws:iam::123456789012:role/LabRole"
    asked = {"last": (f"four/{last}", lab_role), "mended": ("mended.csv", lab_role)}
    asked |= {"fewer": ("fewer.csv", lab_role), "denied": ("mended.csv", weak)}
    names = {label: connected.name(label) for label in asked}
    for label, (key, role) in asked.items():
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{connected.bucket}/{key}"}
        channel = {"ChannelName": "train", "ContentType": "csv", "DataSource": {"S3DataSource": source}}
        sagemaker.create_training_job(
            TrainingJobName=names[label],
            RoleArn=role,
            AlgorithmSpecification={
                "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
                "TrainingInputMode": "File",
            },
            InputDataConfig=[channel],
            OutputDataConfig={"S3OutputPath": f"s3://{connected.bucket}/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
            HyperParameters={"objective": "binary:logistic", "num_round": "3"},
        )
    for name in names.values():
        while sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
            pass  # the server holds a repeated question until something changes
    return names


def test_a_failure_is_read_from_its_log(ended):
    checks.failed_training(ended["last"], CAUSE)
    checks.failed_training(ended["last"], next(line for line in log_of(ended["last"]) if CAUSE in line))
    for name, line, words in [
        (ended["mended"], CAUSE, "a job that Failed"),
        ("no-such-job", CAUSE, "a training job of this name"),
        (ended["last"], "I think the label is wrong", "a line of the job's log"),
        (ended["last"], None, "a line of the job's log"),
        (ended["last"], "Reporting training FAILURE", "names the cause"),
    ]:
        with pytest.raises(CheckFailed, match=words):
            checks.failed_training(name, line)


def test_a_mended_file_holds_everybody_and_its_job_is_completed(ended):
    checks.mended_training(ended["mended"], ended["last"])
    for name, words in [("fewer", "leave nobody out"), ("denied", "status Completed")]:
        with pytest.raises(CheckFailed, match=words):
            checks.mended_training(ended[name], ended["last"])


def test_moments_are_what_became_of_the_requests(ended):
    jobs = {"role": ended["denied"], "prefix": "never-started"}
    checks.moments({"role": "failed", "prefix": "refused"}, jobs)
    for named in ({"role": "refused", "prefix": "refused"}, {"role": "failed"}, None):
        with pytest.raises(CheckFailed, match="what became of"):
            checks.moments(named, jobs)
    with pytest.raises(CheckFailed, match="run the cell that starts the four"):
        checks.moments({"prefix": "refused"}, {"prefix": "never-started"})


def test_only_the_role_itself_may_be_mended(ended):
    with pytest.raises(CheckFailed, match="mend the role, not the job"):
        checks.allowed_training(ended["mended"], ended["denied"])
    with pytest.raises(CheckFailed, match="denied its data"):
        checks.allowed_training(ended["mended"], ended["last"])
    with pytest.raises(CheckFailed, match="403 Forbidden"):
        checks.allowed_training(ended["denied"], ended["denied"])
