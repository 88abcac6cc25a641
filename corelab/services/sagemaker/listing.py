"""What all List operations share: filters, order, pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from corelab.errors import validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.records import Record
from corelab.resources.registry import Query
from corelab.resources.states import Kind

_COLUMNS = {"CreationTime": "created", "LastModifiedTime": "modified", "Name": "name", "Status": "status"}


def listed(
    cloud: Cloud,
    kind: Kind,
    request: Mapping[str, Any],
    sort_by: str = "CreationTime",
    order: str = "Descending",
) -> tuple[list[Record], str | None]:
    """One page of records, and the token of the next one when there is any (an empty page never has one).

    Args:
        sort_by, order: what holds when the request says nothing.

    Raises:
        AWSError: ValidationException for a token this server did not give.
    """
    size = request.get("MaxResults", 10)
    column = _COLUMNS[request.get("SortBy", sort_by)]
    query = Query(
        name_contains=request.get("NameContains"),
        statuses=frozenset({request["StatusEquals"]}) if "StatusEquals" in request else None,
        created_after=request.get("CreationTimeAfter"),
        created_before=request.get("CreationTimeBefore"),
        modified_after=request.get("LastModifiedTimeAfter"),
        modified_before=request.get("LastModifiedTimeBefore"),
        sort_by=column,
        descending=request.get("SortOrder", order) == "Descending",
        limit=size + 1,
        after=place(request["NextToken"]) if "NextToken" in request else None,
    )
    records = cloud.registry.find(kind, cloud.region, query)
    page = records[:size]
    more = len(records) > size
    return page, token((getattr(page[-1], column), page[-1].name)) if more else None


def token(place: tuple[Any, ...]) -> str:
    """An opaque mark of the place after which a next page starts."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place(text: str) -> tuple[Any, str]:
    """The place a token marks. Raises ValidationException for a token this server did not give."""
    try:
        value, name = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise validation_error("The NextToken is not valid: pass on the token of the page before.") from error
    if not isinstance(name, str) or not isinstance(value, str | int | float):
        raise validation_error("The NextToken is not valid: pass on the token of the page before.")
    return value, name
