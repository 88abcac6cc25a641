"""Checks that ask a live cloud: right state passes, wrong state is named, no answer is nobody's fault."""

from __future__ import annotations

import boto3
import pandas as pd
import pytest
from botocore.exceptions import WaiterError

from corelab import checks, churn
from corelab.checks import CannotTell, CheckFailed
from corelab.checks.logs import validation_auc_of_log

CUSTOMERS = churn.load().head(3000)


def training_table():
    features = pd.get_dummies(CUSTOMERS.drop(columns=["customer_id", "churn"]), dtype=int)
    return pd.concat([CUSTOMERS["churn"], features], axis="columns")


@pytest.fixture(scope="module")
def data(connected):
    """Addresses of sound training and validation files, and a function that uploads others."""
    table = training_table()

    def upload(key, frame, **settings):
        body = frame.to_csv(index=False, **{"header": False} | settings)
        connected.client("s3").put_object(Bucket=connected.bucket, Key=f"checks/{key}", Body=body.encode())
        return f"s3://{connected.bucket}/checks/{key}"

    upload.train = upload("train/part.csv", table[:2000])
    upload.validation = upload("validation/part.csv", table[2000:])
    upload.table = table
    return upload


def channel(name, uri, content_type="text/csv"):
    described = {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
    }
    return described | ({"ContentType": content_type} if content_type else {})


@pytest.fixture
def submit(connected, data, job_request):
    """Create a job on sound data, with the changes asked for; answers its name."""

    def create(train=None, validation=None, **changes):
        channels = [
            channel("train", train or data.train),
            channel("validation", validation or data.validation),
        ]
        request = job_request(**{"InputDataConfig": channels} | changes)
        connected.client("sagemaker").create_training_job(**request)
        return request["TrainingJobName"]

    return create


@pytest.fixture(scope="module")
def finished(connected, data):
    """A sound job that has ended."""
    sagemaker = connected.client("sagemaker")
    name = connected.name("checked")
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            "TrainingInputMode": "File",
        },
        RoleArn="arn:aws:iam::123456789012:role/LabRole",
        InputDataConfig=[channel("train", data.train), channel("validation", data.validation)],
        OutputDataConfig={"S3OutputPath": f"s3://{connected.bucket}/checks/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={
            "objective": "binary:logistic",
            "eval_metric": "auc",
            "num_round": "30",
            "eta": "0.1",
        },
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    return name


def test_a_sound_job_passes_every_check(finished, connected):
    checks.training_job(finished)
    checks.channels(finished)
    checks.completed(finished)
    checks.artifact(finished)
    checks.job_arn(f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{finished}", finished)
    checks.worst_case_cost(600 / 3600 * 0.115, finished)
    checks.curve(validation_auc_of_log(finished), finished)
    assert len(validation_auc_of_log(finished)) == 30


def test_a_curve_that_is_not_the_logs_is_named(finished):
    curve = validation_auc_of_log(finished)
    for values, words in [
        (curve[:-1], "30 values"),
        ([0.5, *curve[1:]], "in round 0"),
        (None, "list of numbers"),
    ]:
        with pytest.raises(CheckFailed, match=words):
            checks.curve(values, finished)


@pytest.mark.parametrize("dollars", [0.115, 0, "0.02", None])
def test_a_wrong_cost_is_named(finished, dollars):
    with pytest.raises(CheckFailed, match="price of an hour"):
        checks.worst_case_cost(dollars, finished)


def test_a_job_that_was_never_created_proves_nothing(connected):
    for question in (checks.training_job, checks.channels, checks.completed, checks.artifact):
        for name in ("no-such-job", "", None, "bad name!", 7):
            with pytest.raises(CheckFailed):
                question(name)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_round": "5", "eval_metric": "auc"}, "logs rmse|KeyError"),
        ({"num_round": "5", "objective": "binary:logistic"}, 'eval_metric "auc"'),
        ({"num_round": "5", "objective": "reg:squarederror", "eval_metric": "rmse"}, "binary:logistic"),
    ],
)
def test_settings_that_fit_another_question_are_named(submit, settings, words):
    name = submit(HyperParameters=settings)
    with pytest.raises(CheckFailed, match=words):
        checks.training_job(name)


def test_a_job_without_a_limit_or_on_large_machines_is_named(submit):
    with pytest.raises(CheckFailed, match="3600 s"):
        checks.training_job(submit(StoppingCondition={"MaxRuntimeInSeconds": 86_400}))
    large = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 500}
    with pytest.raises(CheckFailed, match="50 GB"):
        checks.training_job(submit(ResourceConfig=large))


def test_wrong_data_behind_a_channel_are_named(submit, data):
    table = data.table
    bools = table.assign(**{table.columns[-1]: table.iloc[:, -1].astype(bool)})
    spoilt = {
        "write header=False": data("header.csv", table[:2000], header=True),
        "put the label first": data("last.csv", table[[*table.columns[1:], "churn"]][:2000]),
        "dtype=int": data("bools.csv", bools[:2000]),
        "is 1 the customer who left": data("inverted.csv", table.assign(churn=1 - table["churn"])[:2000]),
    }
    for words, uri in spoilt.items():
        with pytest.raises(CheckFailed, match=words):
            checks.channels(submit(train=uri))


def test_channels_that_share_rows_are_named(submit, data):
    with pytest.raises(CheckFailed, match="rows in both"):
        checks.channels(submit(validation=data.train))


def test_test_customers_in_the_train_channel_are_counted(finished, data):
    table = data.table.iloc[:, 1:]
    with pytest.raises(CheckFailed, match="100 test customers in it"):
        checks.channels(finished, table[:100].to_numpy())
    checks.channels(finished, table[-100:].to_numpy())
    checks.channels(finished, [["no", "table"]])


def test_a_missing_channel_or_content_type_is_named(submit, data):
    with pytest.raises(CheckFailed, match="a channel 'validation'"):
        checks.channels(submit(InputDataConfig=[channel("train", data.train)]))
    untyped = [channel("train", data.train, None), channel("validation", data.validation, None)]
    name = submit(InputDataConfig=untyped)
    with pytest.raises(CheckFailed, match="libsvm"):
        checks.channels(name)


def test_a_failed_job_is_told_with_its_reason(submit, data, connected):
    name = submit(train=data("continuous.csv", data.table[[*data.table.columns[1:], "churn"]][:500]))
    waiter = connected.client("sagemaker").get_waiter("training_job_completed_or_stopped")
    with pytest.raises(WaiterError):
        waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    with pytest.raises(CheckFailed, match=r"Failed: .*label must be in \[0,1\]") as told:
        checks.completed(name)
    assert f"{connected.url}/_corelab/console/training/{name}" in told.value.hint
    with pytest.raises(CheckFailed):
        checks.artifact(name)


def test_uploads_and_buckets_are_looked_up(data, connected):
    checks.uploaded(data.train)
    checks.bucket(connected.bucket)
    for uri in (
        f"s3://{connected.bucket}/nothing.csv",
        "s3://no-such-bucket-anywhere/x",
        "train.csv",
        None,
        3,
    ):
        with pytest.raises(CheckFailed):
            checks.uploaded(uri)
    with pytest.raises(CheckFailed, match="a bucket of yours"):
        checks.bucket("no-such-bucket-anywhere")


def test_an_empty_upload_is_named(connected):
    connected.client("s3").put_object(Bucket=connected.bucket, Key="checks/empty.csv", Body=b"")
    with pytest.raises(CheckFailed, match="0 bytes"):
        checks.uploaded(f"s3://{connected.bucket}/checks/empty.csv")


def test_region_role_and_paths_are_judged(connected):
    checks.region("us-east-1")
    checks.role("arn:aws:iam::123456789012:role/LabRole")
    checks.role("arn:aws-cn:iam::123456789012:role/service-role/AmazonSageMaker")
    checks.s3_path("s3://mine/runs/1", "mine")
    wrong = [
        lambda: checks.region("eu-west-1"),
        lambda: checks.role("arn:aws:iam::123456789012:user/ada"),
        lambda: checks.role(None),
        lambda: checks.s3_path("s3://mine//runs", "mine"),
        lambda: checks.s3_path("s3://mine", "mine"),
        lambda: checks.s3_path("s3://other/runs", "mine"),
        lambda: checks.s3_path("mine/runs", "mine"),
    ]
    for question in wrong:
        with pytest.raises(CheckFailed):
            question()


@pytest.mark.parametrize(
    ("name", "student", "words"),
    [
        ("ada_job", "ada", "no _"),
        ("a" * 64, "a", "64 characters"),
        ("ada" + "-" * 60 + "1", "ada", "64 characters"),
        ("churn-2026", "Ada Lovelace", "'ada-lovelace' in the job's name"),
        ("your-name-1", "your-name", "your own name"),
        (None, "ada", "hyphens"),
        ("ada--1-", "ada", "hyphens"),
    ],
)
def test_job_names_that_are_illegal_or_nobodys_are_named(name, student, words):
    with pytest.raises(CheckFailed, match=words):
        checks.job_name(name, student)


def test_a_legal_job_name_passes():
    checks.job_name("churn-Ada-Lovelace-2026-01-31T09-15-00", "Ada Lovelace")


def test_images_of_other_regions_and_versions_are_named():
    checks.image("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "us-east-1")
    for uri, words in [
        ("685385470294.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1", "registry of eu-west-1"),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.5-1", "1.7-1"),
        ("xgboost", "image_uris"),
        (None, "image_uris"),
    ]:
        with pytest.raises(CheckFailed, match=words):
            checks.image(uri, "us-east-1")


def test_a_cloud_that_is_down_is_nobodys_fault(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALOCALSAGEMAKER00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    boto3.setup_default_session()
    with pytest.raises(CannotTell, match="corelab status"):
        checks.completed("any")
