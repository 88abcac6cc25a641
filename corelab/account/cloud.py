"""One cloud to look after: its clients, its pages of answers, and which resources are the course's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from corelab.connection import connect
from corelab.errors import AccountError, CorelabError
from corelab.home import Home

TAG, VALUE, RUN_TAG = "course", "corelab", "corelab-run"


@dataclass(frozen=True)
class Account:
    """The local cloud or an AWS account; ``open_account`` makes one.

    Args:
        target: ``local`` or ``aws``.
        whole: whether everything in it is the course's. On AWS only what bears the course's tag is.
        run: look after this run's things only, by the tag that ``CORELAB_RUN`` put on them.
        identity: the caller's ARN.
    """

    target: str
    region: str
    whole: bool
    run: str = ""
    identity: str = ""

    @cached_property
    def sagemaker(self) -> Any:
        return self.client("sagemaker")

    @cached_property
    def logs(self) -> Any:
        return self.client("logs")

    @cached_property
    def cloudwatch(self) -> Any:
        return self.client("cloudwatch")

    @property
    def number(self) -> str:
        """The twelve digits of the account."""
        return self.identity.split(":")[4]

    @property
    def role(self) -> str | None:
        """The name of the role the caller acts in; None for a user."""
        kind, _, rest = self.identity.rpartition(":")[2].partition("/")
        return rest.split("/")[0] if kind == "assumed-role" else None

    def pages(self, operation: str, member: str, **request: Any) -> Iterator[dict[str, Any]]:
        """All entries of a List operation."""
        for page in self.sagemaker.get_paginator(operation).paginate(**request):
            yield from page[member]

    def owned(self, arn: str) -> bool:
        """Whether the course made this."""
        if self.whole:
            return True
        found = {tag["Key"]: tag["Value"] for tag in self.pages("list_tags", "Tags", ResourceArn=arn)}
        return self.tags.items() <= found.items()

    @property
    def tags(self) -> dict[str, str]:
        """What marks a thing as one to look after."""
        return {TAG: VALUE, **({RUN_TAG: self.run} if self.run else {})}

    def client(self, service: str) -> Any:
        """A client whose calls can be told from the notebooks' in a journal or in CloudTrail."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, region_name=self.region, config=Config(user_agent_extra="corelab-account")
        )


def open_account(target: str, home: Home, run: str = "") -> Account:
    """Connect this process to a cloud, to look after all of the course there or after one run of it.

    Raises:
        AccountError: when AWS does not know who asks.
        ServerError: when the local server cannot be started.
    """
    if target not in ("local", "aws"):
        raise CorelabError(f"The target must be 'local' or 'aws', not {target!r}.")
    connection = connect(target, home=home.path, quietly=True)
    return Account(target, connection.region, target == "local" and not run, run, connection.identity)


def refused(error: Any) -> AccountError:
    """botocore's ClientError in words that say what to do."""
    told = error.response.get("Error", {})
    return AccountError(
        f"{error.operation_name} was refused: {told.get('Code')}: {told.get('Message')}. "
        "The identity needs this permission for the verb to work."
    )
