"""Container images: which URIs name the built-in XGBoost algorithm, and what stands in for them here.

<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any, Literal

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.[a-z0-9.-]+"
    r"/(?P<repository>[a-z0-9]+(?:[._/-][a-z0-9]+)*)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
# The SDK appends processor and Python version to the tags of some releases.
_TAG_ENDING = re.compile(r"-(?:cpu|gpu|arm64)(?:-py3)?$")
_SUPPORTED = (
    "The local SageMaker runs the built-in XGBoost algorithm: use "
    "sagemaker.image_uris.retrieve('xgboost', region, '1.7-1') (also known: 3.0-5, 1.5-1 and older ones)."
)


class Reason(Enum):
    """Why an image cannot be used."""

    NOT_ECR = "not an image of Amazon ECR"
    WRONG_REGION = "in another region than the job"
    UNKNOWN_REPOSITORY = "no such repository in that registry"
    UNKNOWN_TAG = "no such tag in that repository"
    UNSUPPORTED = "an image that may exist on AWS, but that nothing here can run"


class ImageRefused(Exception):
    """The image cannot be used; the text is the answer to the caller, ``reason`` its kind."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Image:
    """A built-in XGBoost image.

    Attributes:
        version: the release that the tag names, ``1.7-1``; ``latest`` is ``1``.
        notes: log lines that say what differs from the real image; empty for 1.7-1.
        model_format: how the container stores ``xgboost-model``.
    """

    uri: str
    repository: str
    version: str
    region: str
    notes: tuple[str, ...]
    model_format: Literal["binary", "ubj"]


def resolve(uri: str, region: str | None = None) -> Image:
    """The built-in image behind a URI.

    Args:
        region: the job's region, which the image must share; None to leave that unchecked.

    Raises:
        ImageRefused: Service spec 5.1 and 5.2 for images AWS refuses; own words for what only AWS can run.
    """
    match = _ECR.fullmatch(uri)
    if match is None:
        raise ImageRefused(
            Reason.NOT_ECR,
            f'Using non-ECR image "{uri}" without Vpc repository access mode is not supported.',
        )
    if region is not None and match["region"] != region:
        raise ImageRefused(
            Reason.WRONG_REGION,
            f"The image '{uri}' is in region {match['region']}, but this request is for {region}. "
            f"Use an image of {region}.",
        )
    return _builtin(uri, match)


def _builtin(uri: str, match: re.Match[str]) -> Image:
    repository = _table()["repositories"].get(match["repository"])
    if repository is None:
        if match["account"] in _accounts() and match["repository"] not in _table()["others"]:
            raise ImageRefused(
                Reason.UNKNOWN_REPOSITORY, f"Cannot find repository {match['repository']} in {uri}"
            )
        raise ImageRefused(Reason.UNSUPPORTED, f"The image '{uri}' cannot run here. {_SUPPORTED}")
    if repository["accounts"].get(match["region"]) != match["account"]:
        raise ImageRefused(
            Reason.UNKNOWN_REPOSITORY,
            f"Cannot find repository {match['repository']} in registry {match['account']} "
            f"of region {match['region']}.{_right_account(repository, match['region'])}",
        )
    version = _TAG_ENDING.sub("", match["tag"] or "latest")
    if match["digest"] or version not in repository["versions"]:
        raise ImageRefused(Reason.UNKNOWN_TAG, f"Cannot find requested image {uri}")
    version = "1" if version == "latest" else version
    return Image(
        uri=uri,
        repository=match["repository"],
        version=version,
        region=match["region"],
        notes=tuple(_table()["notes"].get(version, ())),
        model_format="ubj" if version.startswith("3.") else "binary",
    )


def _right_account(repository: Mapping[str, Any], region: str) -> str:
    account = repository["accounts"].get(region)
    return f" The registry of that region is {account}." if account else ""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("images.toml").read_text("utf-8"))


@cache
def _accounts() -> frozenset[str]:
    return frozenset(a for r in _table()["repositories"].values() for a in r["accounts"].values())
