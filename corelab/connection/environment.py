"""The environment variables that make unmodified SDKs talk to the local server, and how to take them back."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from corelab.errors import BadArgument
from corelab.home import Home

LOCAL_ACCESS_KEY = "AKIALOCALSAGEMAKER00"
_LOCAL_SECRET_KEY = "a-local-secret-that-opens-nothing-on-AWS"  # noqa: S105  the local server checks the key's id

Variables = Mapping[str, str | None]
"""What to set; None means unset."""

# Each could win over, or spoil, the address and the credentials that local mode sets.
_TRAPS = (
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_ECR",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
    "AWS_ENDPOINT_URL_SAGEMAKER_METRICS",
)

_TELEMETRY_OFF = """\
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""

_saved: dict[str, str | None] = {}


def quiet_variables() -> Variables:
    """What keeps the SDKs' advice about their next version out of every notebook, local or not."""
    return {"SAGEMAKER_SUPPRESS_V2_WARNING": "1"}


def local_variables(home: Home, url: str, region: str) -> Variables:
    """All variables of local mode, those to unset included; writes the SDKs' settings into the home."""
    telemetry_off, nothing = _sdk_settings(home)
    unset = dict.fromkeys((*_TRAPS, *(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_"))))
    return {
        **quiet_variables(),
        **unset,
        "CORELAB_TARGET": "local",
        "CORELAB_HOME": str(home.path),
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": LOCAL_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _LOCAL_SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_USE_FIPS_ENDPOINT": "false",  # botocore refuses both with an endpoint of one's own
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        "NO_PROXY": _without_proxy(),
        "no_proxy": _without_proxy(),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(telemetry_off),
        # An account's own defaults (its keys, its network) mean nothing here.
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(nothing),
        "SAGEMAKER_CORE_USER_CONFIG_OVERRIDE": str(nothing),
        "SAGEMAKER_CORE_ADMIN_CONFIG_OVERRIDE": str(nothing),
    }


def aws_variables(region: str) -> Variables:
    return {**quiet_variables(), "CORELAB_TARGET": "aws", "AWS_DEFAULT_REGION": region, "AWS_REGION": region}


def apply(variables: Variables) -> None:
    """Set them in this process, remembering what was there before the first call."""
    for name, value in variables.items():
        _saved.setdefault(name, os.environ.get(name))
        _assign(name, value)


def restore() -> None:
    """Undo every ``apply``."""
    for name, value in _saved.items():
        _assign(name, value)
    _saved.clear()


def taken_back(home: Home) -> Variables:
    """Everything ``local_variables`` sets, to unset; the proxy's exceptions may be the user's and stay."""
    names = local_variables(home, "", "us-east-1")
    return {name: None for name in names if name.lower() != "no_proxy"}


def exports(variables: Variables, shell: str | None = None) -> str:
    """The variables as lines a shell can evaluate.

    Args:
        variables: what to set or unset.
        shell: sh, fish, powershell or cmd; by default this system's.

    Raises:
        BadArgument: for another shell.
    """
    dialect = shell or ("powershell" if sys.platform == "win32" else "sh")
    if dialect not in _DIALECTS:
        raise BadArgument(f"The shell must be one of {', '.join(_DIALECTS)}, not {dialect!r}.")
    set_line, unset_line, quote = _DIALECTS[dialect]
    return "\n".join(
        unset_line.format(name=name) if value is None else set_line.format(name=name, value=quote(value))
        for name, value in variables.items()
    )


def _powershell_quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_DIALECTS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "sh": ("export {name}={value}", "unset {name}", shlex.quote),
    "fish": ("set -gx {name} {value}", "set -e {name}", shlex.quote),
    "powershell": (
        "$env:{name} = {value}",
        "Remove-Item Env:{name} -ErrorAction SilentlyContinue",
        _powershell_quote,
    ),
    "cmd": ('set "{name}={value}"', 'set "{name}="', str),
}


def _assign(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _without_proxy() -> str:
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in known.split(",") if host.strip()]
    return ",".join([*hosts, *(local for local in ("127.0.0.1", "localhost") if local not in hosts)])


def _sdk_settings(home: Home) -> tuple[Path, Path]:
    home.create()
    home.sdk.mkdir(mode=0o700, exist_ok=True)
    telemetry_off, nothing = home.sdk / "telemetry_off.yaml", home.sdk / "nothing.yaml"
    for file, text in ((telemetry_off, _TELEMETRY_OFF), (nothing, "")):
        if not file.is_file() or file.read_text("utf-8") != text:
            home.write_private(file, text)
    return telemetry_off, nothing
