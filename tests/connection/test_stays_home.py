"""Whole flows of the unmodified SDKs open no connection but to this machine."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import IMAGE, ROLE, Lab

# The hook sees every address that any library asks the system for, whatever it does with the error.
WATCH = """
import sys

def watch(event, arguments):
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost", None):
        print("LEFT", arguments[0])
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] != "127.0.0.1":
        print("LEFT", arguments[1])

sys.addaudithook(watch)
home, bucket, image, role = sys.argv[1:]
import corelab
corelab.connect(home=home, quietly=True)
"""

FIT = """
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

estimator = Estimator(image, role, 1, "ml.m5.large", output_path=f"s3://{bucket}/out",
                      hyperparameters={"num_round": 2, "objective": "binary:logistic"})
estimator.fit({"train": TrainingInput(f"s3://{bucket}/churn/train/", content_type="text/csv")}, logs=False)
print("trained", estimator.latest_training_job.describe()["TrainingJobStatus"])
"""

SERVERLESS = """
import boto3
from sagemaker_core.resources import EndpointConfig
from sagemaker_core.shapes import ProductionVariant, ProductionVariantServerlessConfig

sagemaker = boto3.client("sagemaker")
sagemaker.create_model(ModelName="stays-home", ExecutionRoleArn=role, PrimaryContainer={"Image": image})
serverless = ProductionVariantServerlessConfig(memory_size_in_mb=2048, max_concurrency=5)
made = EndpointConfig.create(
    endpoint_config_name="stays-home",
    production_variants=[ProductionVariant(variant_name="a", model_name="stays-home", serverless_config=serverless)],
)
print("asked for", made.production_variants[0].serverless_config.memory_size_in_mb)
"""


def run(lab: Lab, program: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", WATCH + program, lab.home.path, lab.bucket, IMAGE, ROLE]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300)


def test_sdk_2_trains_without_leaving_and_without_telemetry(lab: Lab) -> None:
    ended = run(lab, FIT)
    assert ended.returncode == 0, ended.stderr
    assert "trained Completed" in ended.stdout
    assert "LEFT" not in ended.stdout


def test_sagemaker_core_makes_a_serverless_config_without_leaving(lab: Lab) -> None:
    ended = run(lab, SERVERLESS)
    assert ended.returncode == 0, ended.stderr
    assert "asked for 2048" in ended.stdout
    assert "LEFT" not in ended.stdout


def test_the_watch_does_see_a_program_that_leaves(lab: Lab) -> None:
    ended = run(lab, "import socket\ntry: socket.getaddrinfo('leaves.invalid', 80)\nexcept OSError: pass\n")
    assert "LEFT leaves.invalid" in ended.stdout
