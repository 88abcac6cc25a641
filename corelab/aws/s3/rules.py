"""What S3 refuses before it looks at anything stored, where moto is lenient."""

from __future__ import annotations

import re
from collections.abc import Mapping

from corelab.aws.embedded import ACCOUNT
from corelab.errors import AWSError

KEY_LIMIT = 1024
PARTS_LIMIT = 10_000
_NUMBERS = frozenset({"max-keys", "max-parts", "max-uploads", "part-number-marker", "partNumber"})
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")

# Sub-resources that would need another service, or that nothing here would act on.
_NOT_SERVED = frozenset(
    [
        "accelerate",
        "analytics",
        "attributes-config",
        "intelligent-tiering",
        "inventory",
        "logging",
        "metadataConfiguration",
        "metadataTable",
        "metrics",
        "notification",
        "replication",
        "requestPayment",
        "restore",
        "select",
        "session",
        "torrent",
        "website",
    ]
)
_POST_TO_KEY = frozenset({"uploads", "uploadId"})


def check_target(bucket: str, key: str) -> None:
    """Refuse names S3 cannot hold. Source of the rules: S3 user guide, bucket and object key naming."""
    if bucket and not _legal(bucket):
        raise AWSError("InvalidBucketName", "The specified bucket is not valid.", 400, {"BucketName": bucket})
    if not bucket and key:
        raise AWSError("InvalidURI", "Couldn't parse the specified URI.")
    size = len(key.encode())
    if size > KEY_LIMIT:
        limits = {"Size": size, "MaxSizeAllowed": KEY_LIMIT}
        raise AWSError("KeyTooLongError", "Your key is too long", 400, limits)


def check_method(method: str, key: str, query: Mapping[str, list[str]]) -> None:
    """Refuse what nothing here carries out, naming it."""
    for name in sorted(_NOT_SERVED.intersection(query)):
        text = f"The sub-resource '{name}' is not implemented by this local S3."
        raise AWSError("NotImplemented", text, 501)
    if method not in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"):
        raise _not_allowed(method)
    if method == "POST" and key and not _POST_TO_KEY.intersection(query):
        raise _not_allowed(method)


def check_parameters(query: Mapping[str, list[str]]) -> None:
    """Refuse numbers that are none."""
    for name in _NUMBERS.intersection(query):
        if not query[name][0].isdecimal():
            text = f"Provided {name} not an integer or within integer range"
            raise AWSError(
                "InvalidArgument", text, 400, {"ArgumentName": name, "ArgumentValue": query[name][0]}
            )
    if "partNumber" in query and not 0 < int(query["partNumber"][0]) <= PARTS_LIMIT:
        text = f"Part number must be an integer between 1 and {PARTS_LIMIT}, inclusive"
        raise AWSError("InvalidArgument", text, 400, {"ArgumentName": "partNumber"})


def check_owner(header: str | None, *, head: bool = False) -> None:
    """Refuse when the caller expects somebody else to own the bucket."""
    if header is not None and header != ACCOUNT:
        raise AWSError("Forbidden" if head else "AccessDenied", "Forbidden" if head else "Access Denied", 403)


def _legal(bucket: str) -> bool:
    return (
        _NAME.fullmatch(bucket) is not None
        and ".." not in bucket
        and not _ADDRESS.fullmatch(bucket)
        and not bucket.startswith(_PREFIXES)
        and not bucket.endswith(_SUFFIXES)
    )


def _not_allowed(method: str) -> AWSError:
    text = "The specified method is not allowed against this resource."
    return AWSError("MethodNotAllowed", text, 405, {"Method": method})
