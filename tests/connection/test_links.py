"""In a notebook, a job is shown with its page of the console, and a failed one is named below the error it caused."""

from __future__ import annotations

import nbclient
import nbformat
import pytest

from corelab.connection import links
from tests.conftest import Lab

START = """
import corelab; corelab.connect(quietly=True)
import boto3
from sagemaker_core.resources import TrainingJob
sagemaker = boto3.client("sagemaker")
def create(name, image):
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/LabRole",
        OutputDataConfig={"S3OutputPath": "s3://lab-data/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        HyperParameters={"objective": "binary:logistic", "num_round": "5"},
    )
"""
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture(scope="module")
def outputs(lab: Lab) -> list[list[nbformat.NotebookNode]]:
    """A job that cannot but fail: shown when made, waited for by two SDKs, and looked at without an error."""
    name = "linked-job"
    cells = [
        START,
        f"create({name!r}, {IMAGE!r})",
        f"TrainingJob.get({name!r})",
        f"TrainingJob.get({name!r}).wait()",
        f"sagemaker.get_waiter('training_job_completed_or_stopped').wait(TrainingJobName={name!r})",
        f"sagemaker.describe_training_job(TrainingJobName={name!r})['TrainingJobStatus']",
        "1 / 0",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORELAB_HOME", str(lab.home.path))
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return [cell.outputs for cell in notebook.cells]


def told(cell: list[nbformat.NotebookNode]) -> list[str]:
    return [
        output.data["text/html"]
        for output in cell
        if "console/training/linked-job" in str(output.get("data"))
    ]


def test_a_job_is_shown_with_its_page(outputs: list[list[nbformat.NotebookNode]]) -> None:
    (shown,) = told(outputs[2])
    assert "TrainingJob" in shown
    assert "its page in the console</a>" in shown
    assert "TrainingJob(" in outputs[2][-1].data["text/plain"]


def test_below_an_error_stands_what_failed_and_where_to_look(
    outputs: list[list[nbformat.NotebookNode]],
) -> None:
    for cell in outputs[3:5]:
        assert any(output.output_type == "error" or "Traceback" in str(output) for output in cell)
        (page,) = told(cell)
        assert "TrainingJob linked-job failed: " in page


def test_an_answer_about_a_failed_job_and_an_error_of_ones_own_lead_nowhere(
    outputs: list[list[nbformat.NotebookNode]],
) -> None:
    assert told(outputs[5]) == []
    assert told(outputs[6]) == []


def test_names_and_reasons_are_shown_as_text() -> None:
    class Job:
        training_job_name = "<b>"
        training_job_status = "<i>"

    shown = links._Shown(links.KINDS[0], lambda section, name: f"/{section}/'{name}'")(Job())
    assert shown is not None
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "href='/training/&#x27;&lt;b&gt;&#x27;'" in shown
    assert links._Shown(links.KINDS[0], lambda *_: None)(Job()) is None
