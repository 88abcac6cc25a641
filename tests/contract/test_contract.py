"""The AWS path makes the local path's calls, with the shipped policy's permissions and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from corelab.account.policy import shipped
from corelab.connection import launch
from corelab.home import Home
from tests.contract import two_clouds
from tests.contract.recorder import Request, recording

ASSIGNMENT = "a1_training_job"
TARGETS = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "ServiceQuotasV20190624": "service-quotas",
}


@dataclass(frozen=True)
class Both:
    """What is left of both runs."""

    local: Home
    aws: Home
    url: str
    said: str
    report: dict[str, Any]
    requests: list[Request]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("c")
    local, aws = Home(folder / "l"), Home(folder / "a")
    try:
        two_clouds.run_locally(ASSIGNMENT, local, folder / "local")
        launch.stop(local)
        server = launch.ensure(aws)
        with recording(server.url) as recorder:
            said = two_clouds.run_as_on_aws(
                ASSIGNMENT, server, recorder, folder / "aws", shipped("iam-policy")
            )
        report = json.loads((folder / "aws" / "aws.json").read_text("utf-8"))
        assert not (folder / "aws" / "no-home").exists(), "the AWS path must not look for a local cloud"
        yield Both(local, aws, server.url, said, report, recorder.requests)
    finally:
        launch.stop(local)
        launch.stop(aws)


def test_both_paths_make_the_same_calls_with_the_same_errors(both: Both) -> None:
    here = two_clouds.calls(both.local, two_clouds.LEARNER_SESSION)
    there = two_clouds.calls(both.aws)
    assert ("sagemaker", "CreateTrainingJob", "") in here
    assert here == there


def test_every_request_is_valid_under_the_service_s_own_model(both: Both) -> None:
    session, seen = botocore.session.get_session(), 0
    for request in both.requests:
        prefix, _, name = request.headers.get("x-amz-target", "").partition(".")
        if not prefix:
            continue
        model = session.get_service_model(TARGETS[prefix]).operation_model(name)
        report = ParamValidator().validate(json.loads(request.body), model.input_shape)
        assert not report.has_errors(), (name, report.generate_report())
        seen += 1
    assert seen > 10


def test_the_account_is_looked_over_and_the_price_said_before_anything_starts(both: Both) -> None:
    said = both.said
    for finding in (
        "identity: arn:aws:sts",
        "trusts SageMaker",
        "all that calls need",
        "all that jobs need",
        "quota: ",
    ):
        assert f"ok    {finding}" in said or finding in said
    assert "WRONG" not in said
    assert said.index("estimate  $") < said.index(f"Run {both.report['run']}") < said.index("total  $")


def test_what_a_run_made_bears_its_tags_and_nothing_of_it_is_left(both: Both) -> None:
    sagemaker = two_clouds.client("sagemaker", both.url)
    jobs = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert jobs
    for job in jobs:
        found = {
            tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
        }
        assert {"course": "corelab", "corelab-run": both.report["run"]}.items() <= found.items()
        assert job["TrainingJobStatus"] not in ("InProgress", "Stopping")
    assert both.report["left"] == []
    assert sagemaker.list_endpoints()["Endpoints"] == sagemaker.list_models()["Models"] == []


def test_the_report_prices_the_jobs_of_the_run(both: Both) -> None:
    names = {
        job["TrainingJobName"]
        for job in two_clouds.client("sagemaker", both.url).list_training_jobs()["TrainingJobSummaries"]
    }
    assert {charge["name"] for charge in both.report["charges"] if charge["kind"] == "training-job"} == names
    assert 0 < both.report["spent_usd"] < both.report["budget_usd"]
    assert both.report["passed"] is True
