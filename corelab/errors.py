"""Every exception corelab raises on purpose.

CorelabError                 something a person can act on; the text says what to do
├── BadArgument              a value given to corelab's own API is not usable (also a ValueError)
├── ServerError              the local SageMaker cannot start, stop or be reached
│   └── HomeInUse            another server owns this home
├── RequestRefused           a request that would leave this machine in local mode
├── AccountError             the AWS account, its credentials or its role cannot be used
├── CourseError              the course text or a generated notebook is not well formed
└── AWSError                 the answer to one request, in AWS's own code, words and status
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class CorelabError(Exception):
    """Base of all; its text is meant for the person at the keyboard."""


class BadArgument(CorelabError, ValueError):
    """A value given to corelab's own API is not usable; says what was expected and what came."""


class ServerError(CorelabError):
    """The local SageMaker cannot start, stop or be reached."""


class HomeInUse(ServerError):
    """Another running server owns this home."""


class RequestRefused(CorelabError):
    """A request that would leave this machine in local mode."""


class AccountError(CorelabError):
    """The AWS account, its credentials or its role cannot be used."""


class CourseError(CorelabError):
    """The course text or a generated notebook is not well formed."""


class AWSError(CorelabError):
    """The answer to one request: AWS's error code, message and HTTP status.

    Args:
        code: AWS's error code, such as ``ValidationException``.
        message: AWS's text; ``None`` is a real answer too (a throttled serverless endpoint sends null).
        status: HTTP status, 400 unless AWS documents another.
        extra: further members of the error's body, such as ``OriginalStatusCode`` of a ModelError.
    """

    def __init__(
        self, code: str, message: str | None, status: int = 400, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = dict(extra or {})


def validation_error(message: str) -> AWSError:
    """AWS's answer to a well-formed request that cannot be carried out as it stands."""
    return AWSError("ValidationException", message)


def limit_exceeded(what: str, limit: int, used: int, wanted: float, unit: str = "Instances") -> AWSError:
    """AWS's answer to a request that would go over a quota (service spec 5.1)."""
    return AWSError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{what}' is {limit} {unit}, with current utilization of {used} {unit} "
        f"and a request delta of {wanted:.0f} {unit}. Please use AWS Service Quotas to request an increase for this "
        "quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.",
    )
