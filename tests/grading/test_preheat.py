"""What the warm parents remember of botocore changes no answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import sys
from corelab.grading.walls import preheat
if sys.argv[1] == "heated":
    preheat.heat()
    preheat.heat_clients()
import boto3
from botocore.hooks import accepts_kwargs
session = boto3.Session("a", "b", region_name="us-east-1")
clients = [session.client(name) for name in ("s3", "sagemaker", "sagemaker") for _ in range(2)]
print(session.get_available_services() == boto3.Session().get_available_services(), session.get_available_resources())
print([sorted(client.meta.method_to_api_mapping.items()) for client in clients])
print([client.generate_presigned_url("list_buckets").partition("?")[0] for client in clients[:2]])
class Handler:
    def wide(self, **kwargs): pass
    def narrow(self, one): pass
print([bool(accepts_kwargs(f)) for f in (Handler().wide, Handler().narrow, Handler().wide, lambda **k: 0, lambda a: 0)])
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    def asked(how: str) -> str:
        done = subprocess.run([sys.executable, "-c", ASK, how], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return {how: asked(how) for how in ("heated", "cold")}


def test_a_heated_botocore_answers_as_a_cold_one(answers: dict[str, str]) -> None:
    assert "dynamodb" in answers["cold"]
    assert answers["heated"] == answers["cold"]
