"""``make contract``: every notebook on both paths. With ``--write`` it also writes what was counted and needed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from corelab.account import policy as policies
from corelab.account.bill import aws_bill
from corelab.account.cleanup import KINDS, Leftover, leftovers, remove
from corelab.account.cloud import open_account
from corelab.account.estimate import counted, plan
from corelab.account.explain import explain_by_name
from corelab.account.preflight import examine
from corelab.connection import launch
from corelab.errors import BadArgument
from corelab.home import Home
from corelab.resources.journal import Journal

from . import two_clouds
from .recorder import Request, recording

ACCOUNT = two_clouds.ROOT / "corelab" / "account"
FOUND = two_clouds.ROOT / "build" / "contract"
# Who signed, and that it was signed, is of no use later.
_SIGNED = re.compile(r"(?<=Credential=)[^/]+|, SignedHeaders=.*")
CALLS = Path(__file__).with_name("calls.json")
_KEPT = re.compile(
    r"authorization|accept|content-(type|encoding|md5)|x-amz-(target|sdk-.*|checksum-.*|trailer|decoded-.*)"
)


def main(names: list[str], write: bool) -> int:
    """How many calls differ. With ``write`` everything is allowed, without it only what the policy says."""
    every = sorted(path.parent.name for path in (two_clouds.ROOT / "source").glob("*/*.ipynb"))
    differ = 0
    for assignment in names or every:
        with tempfile.TemporaryDirectory(prefix="contract-") as folder:
            bill, needs, requests, wrong = _one(assignment, Path(folder), write)
        differ += wrong
        if write:
            _keep(assignment, needs, requests, counted(bill))
    if write:
        with tempfile.TemporaryDirectory(prefix="contract-") as folder:
            _keep("looked-after", *_looked_after(Home(Path(folder, "a"))), [])
        _write_all()
    return differ


def _keep(
    name: str, needs: set[tuple[str, str]], requests: list[Request], machines: list[dict[str, object]]
) -> None:
    """One run's findings, so that a notebook that changed can be run again alone."""
    FOUND.mkdir(parents=True, exist_ok=True)
    calls = [_kept(request) for request in _examples(requests)]
    _write(FOUND / f"{name}.json", {"needs": sorted(needs), "machines": machines, "calls": calls})


def _write_all() -> None:
    """What all kept runs found, as the package and the tests read it."""
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOUND.glob("*.json"))}
    needs = {(action, resource) for run in found.values() for action, resource in run["needs"]}
    requests = [
        Request(call["method"], call["path"], call["headers"], base64.b64decode(call["body"]))
        for run in found.values()
        for call in run["calls"]
    ]
    machines = {name: run["machines"] for name, run in found.items() if name != "looked-after"}
    known = json.loads((ACCOUNT / "course_run.json").read_text("utf-8"))
    _write(ACCOUNT / "course_run.json", {**known, **machines})
    _write(ACCOUNT / "iam-policy.json", policies.policy(needs))
    _write(CALLS, [_kept(request) for request in _examples(requests)])


def _one(
    assignment: str, folder: Path, write: bool
) -> tuple[list[dict[str, object]], set[tuple[str, str]], list[Request], int]:
    """The local bill's lines, what the AWS path needed and sent, and how many calls differ."""
    local, aws = Home(folder / "l"), Home(folder / "a")
    try:
        two_clouds.run_locally(assignment, local, folder / "local")
        bill = launch.get_json(launch.ensure(local).url, "/_corelab/bill") or {}
        server = launch.ensure(aws)
        allowed = two_clouds.EVERYTHING if write else policies.shipped("iam-policy")
        with recording(server.url) as recorder:
            sys.stdout.write(two_clouds.run_as_on_aws(assignment, server, recorder, folder / "aws", allowed))
    finally:
        launch.stop(local)
        launch.stop(aws)
    here, there = two_clouds.calls(local, two_clouds.LEARNER_SESSION), two_clouds.calls(aws)
    wrong = sorted((here - there) | (there - here))
    for call in wrong:
        sys.stdout.write(f"{assignment}: {call}: {here[call]} locally, {there[call]} on AWS\n")
    return list(bill["lines"]), _needs(aws), recorder.requests, len(wrong)


def _looked_after(home: Home) -> tuple[set[tuple[str, str]], list[Request]]:
    """What doctor, bill, explain and a clean-up of one of each kind need and send; no run leaves them all."""
    server = launch.ensure(home)
    try:
        with recording(server.url) as recorder:
            os.environ.update(two_clouds.credentials(server.url, two_clouds.EVERYTHING))
            os.environ.update(AWS_ENDPOINT_URL=recorder.url, AWS_DEFAULT_REGION=two_clouds.REGION)
            account = open_account("aws", home)
            list(examine(account, plan()))
            aws_bill(account)
            list(leftovers(account))
            for kind in KINDS:
                remove(account, Leftover(kind.words, "nothing", "", kind.operation, f"{kind.stem}Name"))
            with contextlib.suppress(BadArgument):
                explain_by_name(account, "nothing")
    finally:
        launch.stop(home)
    return _needs(home), recorder.requests


def _needs(home: Home) -> set[tuple[str, str]]:
    journal = Journal(home.path / "journal.db")
    try:
        return journal.needs(two_clouds.ROLE_SESSION)
    finally:
        journal.close()


def _examples(requests: Iterable[Request]) -> list[Request]:
    """The smallest request of each kind; bodies of kilobytes teach nothing that a small one does not."""
    found: dict[tuple[str, ...], Request] = {}
    for request in requests:
        kind = _kind(request)
        if kind not in found or len(request.body) < len(found[kind].body):
            found[kind] = request
    return [found[kind] for kind in sorted(found)]


def _kind(request: Request) -> tuple[str, ...]:
    target = request.headers.get("x-amz-target")
    if target:
        return (target,)
    form = "x-www-form-urlencoded" in request.headers.get("content-type", "")
    if form:
        return ("query", parse_qs(request.body.decode()).get("Action", ["?"])[0])
    path = urlsplit(request.path)
    level = min(len([part for part in path.path.split("/") if part]), 2)
    return (request.method, str(level), *sorted(parse_qs(path.query, keep_blank_values=True)))


def _kept(request: Request) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "headers": {
            name: _SIGNED.sub("", value) for name, value in request.headers.items() if _KEPT.fullmatch(name)
        },
        "body": base64.b64encode(request.body).decode(),
    }


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if name != "--write"], "--write" in sys.argv))
