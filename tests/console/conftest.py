"""A lab with something of everything in it, and a real browser to look at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from tests.conftest import IMAGE, ROLE, Lab, table

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright, of the development environment, is missing"
)

HOSTILE_KEY = "evil/<img src=x onerror=\"document.title='owned'\">.csv"
HOSTILE_BODY = b"<script>document.title='owned'</script>,'\"&\n\xe2\x80\xaereversed,\x1b[31mred\n"


@dataclass(frozen=True)
class Site:
    """The console of a running lab."""

    lab: Lab
    trained: str
    failed: str
    tuned: str
    endpoint: str
    model: str

    @property
    def address(self) -> str:
        return f"{self.lab.url}/_corelab/console/"

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection(self.lab.url.removeprefix("http://"), timeout=30)
        connection.request(method, f"/_corelab/console/{path}", headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def pages(self) -> list[str]:
        bucket = self.lab.bucket
        return [
            "",
            "training",
            "training?q=nothing-of-this-name&status=Failed",
            f"training/{self.trained}",
            f"training/{self.failed}",
            "tuning",
            f"tuning/{self.tuned}",
            "models",
            f"models/{self.model}",
            "transform",
            "endpoints",
            f"endpoints/{self.endpoint}",
            "s3",
            f"s3/{bucket}",
            f"s3/{bucket}?prefix=evil/",
            f"s3/{bucket}?key=churn/train/train.csv",
            f"s3/{bucket}?key=binary.bin",
            "logs",
            "logs?group=/aws/sagemaker/TrainingJobs",
            "calls",
            "calls?failed=1",
            "bill",
        ]


def training(lab: Lab, name: str, **hyperparameters: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/churn/train/"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{lab.bucket}/out/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {
            "num_round": "12",
            "objective": "binary:logistic",
            "eval_metric": "auc",
            "max_depth": "3",
            **hyperparameters,
        },
    }


def tuning(lab: Lab) -> dict[str, Any]:
    """A Grid search: the one strategy whose jobs need no most number of trials."""
    template = training(lab, "template")
    fixed = template.pop("HyperParameters")
    del template["TrainingJobName"], fixed["max_depth"]
    template["InputDataConfig"] += [template["InputDataConfig"][0] | {"ChannelName": "validation"}]
    return {
        "HyperParameterTuningJobName": lab.name("grid"),
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "max_depth", "Values": ["2", "3"]}]},
        },
        "TrainingJobDefinition": template | {"StaticHyperParameters": fixed},
    }


@pytest.fixture(scope="session")
def site(lab: Lab, model_data: str) -> Site:
    sagemaker = lab.client("sagemaker")
    trained, failed, model, endpoint = (lab.name(word) for word in ("trained", "failed", "model", "endpoint"))
    sagemaker.create_training_job(**training(lab, trained))
    sagemaker.create_training_job(**training(lab, failed, max_depht="3"))
    tuned = sagemaker.create_hyper_parameter_tuning_job(**tuning(lab))["HyperParameterTuningJobArn"]
    s3 = lab.client("s3")
    s3.put_object(Bucket=lab.bucket, Key=HOSTILE_KEY, Body=HOSTILE_BODY)
    s3.put_object(Bucket=lab.bucket, Key="binary.bin", Body=bytes(range(256)))
    container = {"Image": IMAGE, "ModelDataUrl": model_data}
    sagemaker.create_model(ModelName=model, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2},
    }
    sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    runtime = lab.client("sagemaker-runtime")
    body = ",".join(f"{value:g}" for value in table(1, 3)[0, 1:])
    runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    for name in (trained, failed):
        while sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
            continue  # the server holds a repeated Describe until there is news
    return Site(lab, trained, failed, tuned.rpartition("/")[2], endpoint, model)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Playwright's loop runs as long as this lives, and no other may: so not for the whole session."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium: `apt install chromium`, or name one in CHROMIUM")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program)
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page; what its console says and which requests it makes are kept on it."""
    contexts = []

    def open_tab(**settings: Any) -> Any:
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        return page

    yield open_tab
    for context in contexts:
        context.close()
