"""Writes docs/faithful.md: every operation that is served, every known difference from AWS.

corelab's modules ─┐
                   ├▶ faithful.md
faithful.toml ─────┘
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from corelab.aws.operations import IMPLEMENTED
from corelab.aws.s3 import rules
from corelab.aws.s3 import service as s3
from corelab.server import naming
from corelab.server.control import MODULES
from corelab.wire.dispatch import served_operations

FOLDER = Path(__file__).parent
PAGE = FOLDER / "faithful.md"
_HEAD = """\
<!-- made by docs/faithful.py (`make docs`) from the code and docs/faithful.toml; edit those -->
# How faithful the local SageMaker is

The SDKs are AWS's own and unmodified, and so is what goes over the wire: requests are checked against botocore's
service models, and answers are made by them. A job that says Completed has run. What follows is everything that is
served, and every difference from AWS that we know of. An operation that AWS has and this list has not is refused by its
name; nothing is ever answered with invented data.
"""
_WHOLE = {
    "iam": "roles, users, groups, policies and the policy simulator, by moto; kept on disk, and enforced",
    "ecr": "repositories and image manifests, by moto; images are never run",
}


def page() -> str:
    """The whole page."""
    differences = known_differences()
    lines = [_HEAD, "## Operations\n"]
    for service, operations in served().items():
        lines += _table(service, operations, differences)
    lines += ["### Served whole\n", "| service | what there is |", "|---|---|"]
    lines += [f"| `{service}` | {words} |" for service, words in _WHOLE.items()]
    kept, refused = (
        ", ".join(f"`{name}`" for name in sorted(names)) for names in (s3._CONFIGURATION, rules._NOT_SERVED)
    )
    lines += ["", f"Of S3's sub-resources, these are kept and answered by moto besides the table: {kept}."]
    lines += [f"These are refused: {refused}.", ""]
    lines += ["## Known differences\n", "| where | what is different | why |", "|---|---|---|"]
    for number, each in enumerate(differences, 1):
        where = ", ".join(f"`{name}`" for name in each["operations"]) or "everywhere"
        lines.append(f"| {number}: {where} | {each['what']} | {each['why']} |")
    return "\n".join(lines) + "\n"


def served() -> dict[str, list[str]]:
    """The operations of each service that the code carries out, in the order of their names."""
    ours = {service: sorted(served_operations(service, modules)) for service, modules in MODULES.items()}
    moto = {_model_name(service): sorted(names) for service, names in IMPLEMENTED.items()}
    objects = sorted(set(naming._S3.values()) & known_to_aws("s3"))
    return {**ours, "sagemaker-runtime": ["InvokeEndpoint"], "s3": objects, **moto}


def known_differences() -> list[dict[str, Any]]:
    differences: list[dict[str, Any]] = tomllib.loads((FOLDER / "faithful.toml").read_text("utf-8"))[
        "difference"
    ]
    return differences


def known_to_aws(service: str) -> set[str]:
    """The operations in botocore's model of a service."""
    return set(ServiceModel(Loader().load_service_model(service, "service-2"), service).operation_names)


def _table(service: str, operations: list[str], differences: list[dict[str, Any]]) -> Iterator[str]:
    yield f"### {service}\n"
    yield f"{len(operations)} of the {len(known_to_aws(service))} operations that botocore knows.\n"
    yield "| operation | known differences |"
    yield "|---|---|"
    for operation in operations:
        numbers = [str(n) for n, each in enumerate(differences, 1) if operation in each["operations"]]
        yield f"| `{operation}` | {', '.join(numbers) or 'none'} |"
    yield ""


def _model_name(service: str) -> str:
    return "cloudwatch" if service == "monitoring" else service


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
