"""Local mode works with the network off: nothing leaves the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import array, fcntl, socket, struct
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running

import corelab
corelab.connect(home={home!r})
from pathlib import Path
from sagemaker import Session as Session2, image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker_core.helper.session_helper import Session, get_execution_role

session, role = Session(), get_execution_role()
Path("train.csv").write_text("1,0.5\\n0,0.1\\n" * 50)
uri = session.upload_data("train.csv", key_prefix="offline")
image = image_uris.retrieve("xgboost", "us-east-1", "1.7-1")
estimator = Estimator(image, role, 1, "ml.m5.large", sagemaker_session=Session2(),
                      hyperparameters=dict(num_round=3, objective="binary:logistic"))
estimator.fit(dict(train=TrainingInput(uri, content_type="text/csv")), logs=False)
print("trained", estimator.model_data)

import boto3
try:
    boto3.client("ec2", endpoint_url="https://ec2.us-east-1.amazonaws.com").describe_regions()
except Exception as error:
    print("refused", type(error).__name__, error)
"""


def can_unshare() -> bool:
    command = shutil.which("unshare")
    return (
        command is not None and subprocess.run([command, "-rn", "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_unshare(), reason="needs Linux and the right to make a network namespace")
def test_a_job_trains_where_there_is_no_network_but_loopback(tmp_path: Path) -> None:
    script = SCRIPT.format(home=str(tmp_path / "home"))
    from corelab.connection import launch
    from corelab.home import Home

    try:
        ran = subprocess.run(
            ["unshare", "-rn", sys.executable, "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
        )
    finally:
        launch.stop(Home(tmp_path / "home"))
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "trained s3://sagemaker-us-east-1-123456789012/" in ran.stdout
    assert "refused" in ran.stdout
