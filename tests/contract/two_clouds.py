"""The same notebook on the local path and, by environment variables only, on the AWS path."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3

from corelab.account.policy import Document, Place, shipped
from corelab.home import Home, ServerInfo

from .recorder import Recorder

ROOT = Path(__file__).parents[2]
LEARNER = {"aws_access_key_id": "AKIALOCALSAGEMAKER00", "aws_secret_access_key": "x"}
REGION = "us-east-1"
PLACE = Place()
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com", "AWS": "arn:aws:iam::123456789012:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
EVERYTHING: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": "*"}],
}
# Asked until there is news, as often as the machine's speed has it: compared by whether they were asked at all.
_POLLED = ("Describe", "Get", "Filter", "List", "Head", "Search", "Invoke")
LEARNER_SESSION = "arn:aws:sts::123456789012:assumed-role/LabRole/student"
ROLE_SESSION = f"arn:aws:sts::123456789012:assumed-role/{PLACE.role}/ada"
_OWN = (
    "corelab-account",
    "corelab-connect",
)  # the smoke run's own questions, which the local run has no need of


def run_locally(assignment: str, home: Home, out: Path) -> None:
    _smoke([assignment, "--out", str(out)], {**_clean_environment(), "CORELAB_HOME": str(home.path)})


def run_as_on_aws(
    assignment: str, server: ServerInfo, recorder: Recorder, out: Path, policy: Document
) -> str:
    """Run a notebook against the recorder by ``--target aws``, in a role that may do what the policy says.

    Gives what the command printed.
    """
    environment = {**aws_environment(server.url, recorder.url, policy), "CORELAB_HOME": str(out / "no-home")}
    return _smoke([assignment, "--target", "aws", "--yes", "--out", str(out)], environment)


def aws_environment(url: str, endpoint: str, policy: Document) -> dict[str, str]:
    """All that a process knows of the cloud at ``url``: an address, a region, a role's temporary credentials."""
    return {
        **_clean_environment(),
        **credentials(url, policy),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def credentials(url: str, calls: Document, place: Place = PLACE) -> dict[str, str]:
    """Of a role, made at that server, that may do what the two policies say and nothing else."""
    iam, name = client("iam", url), place.role
    make_role(url, name)
    iam.put_role_policy(RoleName=name, PolicyName="calls", PolicyDocument=json.dumps(calls))
    iam.put_role_policy(
        RoleName=name, PolicyName="jobs", PolicyDocument=json.dumps(shipped("iam-jobs-policy", place))
    )
    arn = f"arn:aws:iam::123456789012:role/{name}"
    given = client("sts", url).assume_role(RoleArn=arn, RoleSessionName="ada")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def make_role(url: str, name: str) -> None:
    """A role that SageMaker and the account's users may assume, or its trust as it should be."""
    iam = client("iam", url)
    if name in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(TRUST))
    else:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))


def remove_role(url: str, name: str) -> None:
    iam = client("iam", url)
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def all_but(*actions: str) -> Document:
    """Everything but these actions."""
    denied = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    return {**EVERYTHING, "Statement": [*EVERYTHING["Statement"], denied]}


def client(service: str, url: str, keys: Mapping[str, str] = LEARNER) -> Any:
    return boto3.client(service, region_name=REGION, endpoint_url=url, **keys)


def calls(home: Home, caller: str = ROLE_SESSION) -> Counter[tuple[str, str, str]]:
    """(service, operation, error) of what a notebook asked; what is polled counts once."""
    with closing(sqlite3.connect(home.path / "journal.db")) as db:
        sql = "SELECT service, operation, error, client FROM journal WHERE caller = ?"
        rows = db.execute(sql, (caller,)).fetchall()
    mine = [row[:3] for row in rows if not any(own in row[3] for own in _OWN)]
    counted = Counter(mine)
    return Counter({call: 1 if call[1].startswith(_POLLED) else times for call, times in counted.items()})


def _clean_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "OMP_NUM_THREADS", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _smoke(arguments: list[str], environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "corelab", "smoke", *arguments]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
