"""``connect()``: choose where this process's calls go, and say so."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

from corelab.connection import environment, events, launch, links, quiet
from corelab.connection.report import Connection, show
from corelab.errors import AccountError, BadArgument, CorelabError
from corelab.home import Home

_TARGETS = ("local", "aws")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
_turn = threading.Lock()
_current: str | None = None


def connect(
    target: str | None = None,
    *,
    region: str | None = None,
    home: str | os.PathLike[str] | None = None,
    quietly: bool = False,
) -> Connection:
    """Point every AWS SDK in this process at one cloud, and print which.

    Calling it again is cheap and changes nothing, unless the server has ended meanwhile: then it is started.

    Args:
        target: ``"local"`` or ``"aws"``; by default ``CORELAB_TARGET``, else ``"local"``.
        region: an AWS region; by default the environment's, else (local only) ``us-east-1``.
        home: the local cloud's folder; by default ``CORELAB_HOME``, else ``~/.corelab``.
        quietly: print nothing.

    Raises:
        BadArgument: for a target or region that does not exist.
        ServerError: when the local server cannot be started or reached.
        AccountError: when AWS does not know who asks.
    """
    chosen = target or os.environ.get("CORELAB_TARGET") or "local"
    if chosen not in _TARGETS:
        raise BadArgument(
            f"The target must be 'local' or 'aws', not {chosen!r} (argument or CORELAB_TARGET)."
        )
    if region is not None and not _REGION.fullmatch(region):
        raise BadArgument(f"region must look like 'us-east-1', not {region!r}.")
    global _current
    with _turn:
        if chosen == _current:
            region = region or os.environ.get("AWS_DEFAULT_REGION")
        try:
            connection = _connect_local(Home(home), region) if chosen == "local" else _connect_aws(region)
        except CorelabError:
            _let_go()
            raise
        _current = chosen
    links.join_notebook(console_page)
    if not quietly:
        show(connection)
    return connection


def disconnect() -> None:
    """Give this process its own environment and botocore back; the server keeps running."""
    with _turn:
        _let_go()


def _let_go() -> None:
    global _current
    _current = None
    events.uninstall()
    environment.restore()
    quiet.speak()
    _forget_clients()


def course_tags() -> dict[str, str]:
    """What everything made on AWS is tagged with; ``CORELAB_RUN`` names a run that wants to find its own again."""
    run = os.environ.get("CORELAB_RUN")
    return {"course": "corelab", **({"corelab-run": run} if run else {})}


def console_page(section: str, name: str) -> str | None:
    """Where the console shows one thing, such as ``training`` and a job's name; None unless ``connect()`` led to
    the local cloud."""
    url = os.environ.get("AWS_ENDPOINT_URL")
    if _current != "local" or url is None:
        return None
    return f"{launch.console_address(url)}{section}/{quote(name, safe='')}"


def local_environment(home: Home, region: str | None = None) -> environment.Variables:
    """What a shell must set to use the local cloud; starts the server if none runs."""
    server = launch.ensure(home)
    return environment.local_variables(home, server.url, region or _local_region())


def _connect_local(home: Home, region: str | None) -> Connection:
    server = launch.ensure(home)
    environment.restore()
    region = region or _local_region()
    environment.apply(environment.local_variables(home, server.url, region))
    events.stay_on(server.url)
    quiet.hush()
    _forget_clients()
    caller = _caller(region)
    return Connection(
        target="local",
        region=region,
        account=caller["Account"],
        identity=caller["Arn"],
        console=launch.console_address(server.url),
        url=server.url,
        home=home.path,
        bill=_bill(server.url),
        note=_version_note(server.version),
    )


def _connect_aws(region: str | None) -> Connection:
    environment.restore()
    if os.environ.get("AWS_ACCESS_KEY_ID") == environment.LOCAL_ACCESS_KEY:
        raise AccountError(
            "This environment holds the local cloud's credentials, so calls would not reach AWS. "
            'Start from a fresh shell, or run: eval "$(corelab env --unset)"'
        )
    events.roam(course_tags())
    quiet.hush()
    region = region or _configured_region()
    environment.apply(environment.aws_variables(region))
    _forget_clients()
    caller = _caller(region, events.ask_sts_at)
    return Connection(
        target="aws",
        region=region,
        account=caller["Account"],
        identity=caller["Arn"],
        console=f"https://{region}.console.aws.amazon.com/sagemaker/home?region={region}#/jobs",
    )


def _local_region() -> str:
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    if not _REGION.fullmatch(region):
        raise BadArgument(f"AWS_DEFAULT_REGION must look like 'us-east-1', not {region!r}.")
    return region


def _configured_region() -> str:
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        region = os.environ.get("AWS_REGION") or boto3.Session().region_name
    except BotoCoreError as problem:  # such as an AWS_PROFILE that does not exist
        raise AccountError(f"The AWS configuration cannot be read: {problem}") from problem
    if not region:
        raise AccountError(
            "No AWS region is set. Pass region=, set AWS_DEFAULT_REGION or run `aws configure`."
        )
    return cast(str, region)


def _caller(region: str, found_at: Callable[[str], None] = lambda _: None) -> Mapping[str, str]:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    patience = Config(
        connect_timeout=10,
        read_timeout=20,
        retries={"total_max_attempts": 2},
        user_agent_extra="corelab-connect",
    )
    try:
        sts = boto3.Session(region_name=region).client("sts", config=patience)
        found_at(sts.meta.endpoint_url)
        return cast("Mapping[str, str]", sts.get_caller_identity())
    except (BotoCoreError, ClientError) as problem:
        raise AccountError(
            f"{problem}\nSTS could not say whose credentials these are. On AWS, sign in (`aws configure`, "
            "`aws sso login`) or set AWS_PROFILE. corelab.connect('local') needs no account."
        ) from problem


def _bill(url: str) -> float | None:
    """US dollars that this would have cost on AWS so far; None when the server keeps no bill."""
    page = launch.get_json(url, "/_corelab/bill")
    total: Any = page.get("total_usd") if page else None
    return float(total) if isinstance(total, (int, float)) else None


def _version_note(running: str) -> str | None:
    from corelab import __version__

    if running == __version__:
        return None
    return f"The server runs corelab {running}, this is {__version__}: `corelab down`, then connect again."


def _forget_clients() -> None:
    """Drop the clients the SDKs keep for the whole process: they know the address they were made with."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = None
    core: Any = sys.modules.get("sagemaker_core.main.utils")
    if core is not None:
        core.SingletonMeta._instances.clear()
