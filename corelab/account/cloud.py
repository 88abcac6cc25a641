"""One cloud to look after: its clients, its pages of answers, and which resources are the course's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from corelab.connection import connect
from corelab.errors import AccountError, CorelabError
from corelab.home import Home

TAG, VALUE = "course", "corelab"


@dataclass(frozen=True)
class Account:
    """The local cloud or an AWS account; ``open_account`` makes one.

    Args:
        target: ``local`` or ``aws``.
        whole: whether everything in it is the course's. On AWS only what bears the course's tag is.
    """

    target: str
    region: str
    whole: bool

    @cached_property
    def sagemaker(self) -> Any:
        return self._client("sagemaker")

    @cached_property
    def logs(self) -> Any:
        return self._client("logs")

    @cached_property
    def cloudwatch(self) -> Any:
        return self._client("cloudwatch")

    def pages(self, operation: str, member: str, **request: Any) -> Iterator[dict[str, Any]]:
        """All entries of a List operation."""
        for page in self.sagemaker.get_paginator(operation).paginate(**request):
            yield from page[member]

    def owned(self, arn: str) -> bool:
        """Whether the course made this."""
        if self.whole:
            return True
        tags = self.pages("list_tags", "Tags", ResourceArn=arn)
        return any((tag["Key"], tag["Value"]) == (TAG, VALUE) for tag in tags)

    def _client(self, service: str) -> Any:
        import boto3

        return boto3.client(service, region_name=self.region)


def open_account(target: str, home: Home) -> Account:
    """Connect this process to a cloud.

    Raises:
        AccountError: when AWS does not know who asks.
        ServerError: when the local server cannot be started.
    """
    if target not in ("local", "aws"):
        raise CorelabError(f"The target must be 'local' or 'aws', not {target!r}.")
    connection = connect(target, home=home.path, quietly=True)
    return Account(target, connection.region, whole=target == "local")


def refused(error: Any) -> AccountError:
    """botocore's ClientError in words that say what to do."""
    told = error.response.get("Error", {})
    return AccountError(
        f"{error.operation_name} was refused: {told.get('Code')}: {told.get('Message')}. "
        "The identity needs this permission for the verb to work."
    )
