"""Checks of what the connected cloud itself says: identity, buckets, objects."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from corelab.checks.outcome import CannotTell, CheckFailed, check

P = ParamSpec("P")
T = TypeVar("T")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+\Z")
MISSING = {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}
LARGEST_OBJECT = 64 << 20
# What to do about a thing that only its name in the notebook knows.
NOT_MADE = "a name alone proves nothing: create it; if its cell raised an error, that says what to mend"


def asks_cloud(function: Callable[P, T]) -> Callable[P, T]:
    """A cloud that does not answer is nobody's wrong answer."""

    @functools.wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except ParamValidationError as problem:
            raise CheckFailed("a name that AWS accepts", str(problem), "print it and look") from None
        except ClientError as problem:
            raise CannotTell(f"the cloud refused to say: {problem}") from problem
        except BotoCoreError as problem:
            raise CannotTell(
                f"the cloud did not answer ({problem}); is it running? corelab status"
            ) from problem

    return asked


def client(service: str) -> Any:
    """A client for the cloud that the notebook is connected to."""
    if boto3.DEFAULT_SESSION is None:  # as connect() leaves it
        boto3.setup_default_session()
    settings = sorted(item for item in os.environ.items() if item[0].startswith("AWS_"))
    return _client(service, boto3.DEFAULT_SESSION, tuple(settings))


@functools.lru_cache(maxsize=16)
def _client(service: str, session: Any, _settings: tuple[tuple[str, str], ...]) -> Any:
    """Making a client takes longer than most calls, so each is made once for a session and its settings."""
    return session.client(service)


def split_uri(uri: Any) -> tuple[str, str]:
    """Bucket and key of an S3 address, or CheckFailed for anything else."""
    parts = urlsplit(uri) if isinstance(uri, str) else None
    if parts is None or parts.scheme != "s3" or not parts.netloc:
        raise CheckFailed("an S3 address such as s3://bucket/folder/file", uri, "build it with s3_path_join")
    return parts.netloc, parts.path.removeprefix("/")


@check
def role(arn: Any) -> None:
    """The role is the ARN of an execution role."""
    if not isinstance(arn, str) or not ROLE.match(arn):
        hint = "get_execution_role() returns it; a user's ARN is no role"
        raise CheckFailed("arn:aws:iam::<account>:role/<name>", arn, hint)


@check
def region(name: Any) -> None:
    """The region is the session's own."""
    actual = boto3.session.Session().region_name
    if name != actual:
        raise CheckFailed(f"{actual!r}", name, "ask the session for it; a literal fails in the next region")


@check
@asks_cloud
def bucket(name: Any) -> None:
    """The bucket exists."""
    try:
        client("s3").head_bucket(Bucket=str(name))
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in MISSING | {"403"}:
            raise
        hint = "session.default_bucket() makes one and returns its name"
        raise CheckFailed("a bucket of yours", name, hint) from None


@check
def s3_path(uri: Any, within: Any) -> None:
    """The S3 path is well formed and in your bucket."""
    name, key = split_uri(uri)
    if name != within:
        raise CheckFailed(f"a path in the bucket {within}", uri, "start from s3:// and the bucket")
    if not key.strip("/") or "//" in f"/{key}":
        hint = "s3_path_join puts one / between its parts; S3 takes // as a folder without a name"
        raise CheckFailed("a folder of yours below the bucket, without //", uri, hint)


@check
@asks_cloud
def uploaded(uri: Any) -> str:
    """The file is in S3."""
    name, key = split_uri(uri)
    try:
        head = client("s3").head_object(Bucket=name, Key=key)
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in MISSING:
            raise
        raise CheckFailed(
            f"an object at {uri}", "nothing there", "session.upload_data returns its address"
        ) from None
    if head["ContentLength"] == 0:
        raise CheckFailed("a file with rows", "0 bytes", "was the file written before it was uploaded?")
    return f"{head['ContentLength']:,} bytes"


def read_object(uri: str) -> bytes:
    """The bytes of an object of moderate size."""
    name, key = split_uri(uri)
    answer = client("s3").get_object(Bucket=name, Key=key)
    with contextlib.closing(answer["Body"]) as body:
        size = answer["ContentLength"]
        if size > LARGEST_OBJECT:
            raise CheckFailed(f"at most {LARGEST_OBJECT:,} bytes", f"{size:,}", f"what was written to {uri}?")
        content: bytes = body.read()
        return content


def objects_below(uri: str) -> list[str]:
    """Addresses of the objects whose key starts with the address, as a training channel reads them."""
    name, prefix = split_uri(uri)
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
    return [
        f"s3://{name}/{item['Key']}" for page in pages for item in page.get("Contents", []) if item["Size"]
    ]
