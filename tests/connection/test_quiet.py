"""Once connected, the SDKs speak of jobs and not of themselves."""

from __future__ import annotations

import subprocess
import sys

from corelab.home import Home

USE = """
import corelab, sys
corelab.connect(home=sys.argv[1], quietly=True)
from sagemaker import Session
from sagemaker_core.main.utils import SageMakerClient
Session()
SageMakerClient()

from sagemaker.config import load_sagemaker_config
from sagemaker_core.main.default_configs_helper import load_default_configs

print(load_sagemaker_config()["SageMaker"]["PythonSDK"]["Modules"], load_default_configs())
"""


def test_both_sdks_open_in_silence_with_telemetry_off_and_no_defaults_of_an_account(small_home: Home) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", USE, small_home.path], capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("{'TelemetryOptOut': True} {}\n", "")
