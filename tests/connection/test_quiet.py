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
print("done")
"""


def test_importing_and_opening_both_sdks_prints_nothing(small_home: Home) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", USE, small_home.path], capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("done\n", "")
