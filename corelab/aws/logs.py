"""CloudWatch Logs: moto's protocol over the log store."""

from __future__ import annotations

import heapq
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, ClassVar

from moto.logs.exceptions import (
    InvalidParameterException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from moto.logs.models import LogEvent, LogGroup, LogsBackend, LogStream, logs_backends
from moto.logs.responses import LogsResponse

from corelab.aws.authorize import Gate
from corelab.aws.call import Answer, Call
from corelab.aws.embedded import ACCOUNT
from corelab.aws.filter_pattern import parse
from corelab.aws.intake import read_document
from corelab.aws.operations import operation_of
from corelab.aws.replay import ask
from corelab.errors import AWSError
from corelab.store.blobs import BlobFolder
from corelab.store.logs import START, Event, Group, Logs, NewGroup, Position, Span, Stream

EVENTS_A_PAGE = 10_000
_FETCH = 200
_GROUP_NAME = re.compile(r"[\w.#/-]{1,512}", re.ASCII)
_STREAM_NAME = re.compile(r"[^:*]{1,512}")
Merged = tuple[tuple[int, int, int], Stream, Event]


class StoredStream(LogStream):
    """A stream as a view of its row; events are read as they are asked for."""

    def __init__(self, logs: Logs, group: StoredGroup, row: Stream) -> None:
        super().__init__(group, row.name)
        self._logs = logs
        self._row = row

    def to_describe_dict(self) -> dict[str, Any]:
        row = self._row
        # storedBytes of a stream is always 0 since June 2019; the group's is kept.
        described = {
            "arn": self.arn,
            "creationTime": row.created,
            "logStreamName": row.name,
            "storedBytes": 0,
            "firstEventTimestamp": row.first,
            "lastEventTimestamp": row.last,
            "lastIngestionTime": row.ingested,
            "uploadSequenceToken": f"{row.events:056d}" if row.events else None,
        }
        return {name: value for name, value in described.items() if value is not None}

    @property
    def events(self) -> list[LogEvent]:
        """All events, for moto's Insights."""
        return [_moto_event(event) for event in self._logs.read(self._row.id, Span(), -1)]

    @events.setter
    def events(self, events: list[LogEvent]) -> None:
        """moto begins every stream with none."""

    def put_log_events(self, log_events: list[dict[str, Any]]) -> str:
        if log_events:
            self._logs.add(self._row.id, [(event["timestamp"], event["message"]) for event in log_events])
        return f"{self._row.events + len(log_events):056d}"

    def get_log_events(
        self, start_time: Any, end_time: Any, limit: Any, next_token: str | None, start_from_head: Any
    ) -> tuple[list[dict[str, Any]], str | None, str | None]:
        """A page and the tokens around it; a token that leads to nothing new comes back unchanged."""
        limit = EVENTS_A_PAGE if limit is None else min(int(limit), EVENTS_A_PAGE)
        span = _span(start_time, end_time)
        if next_token is None:
            events = self._logs.read(self._row.id, span, limit, newest=not start_from_head)
            edges = (START, START)
        else:
            backward, position = _read_token(next_token)
            edges = (position, position)
            bound = (
                Span(span.start, span.end, before=position)
                if backward
                else Span(span.start, span.end, position)
            )
            events = self._logs.read(self._row.id, bound, limit, newest=backward)
        # A page's tokens are its outer events; new events beyond them shift nothing.
        first, last = (events[0].position, events[-1].position) if events else edges
        page = [
            {"ingestionTime": event.ingested, "message": event.message, "timestamp": event.at}
            for event in events
        ]
        return page, _write_token("b", first), _write_token("f", last)


class StreamTable(Mapping[str, StoredStream]):
    """A group's streams, as moto's dictionary would offer them."""

    def __init__(self, logs: Logs, group: StoredGroup, row: Group) -> None:
        self._logs = logs
        self._group = group
        self._id = row.id

    def __getitem__(self, name: str) -> StoredStream:
        row = self._logs.stream(self._id, name)
        if row is None:
            raise KeyError(name)
        return StoredStream(self._logs, self._group, row)

    def __delitem__(self, name: str) -> None:
        self._logs.delete_stream(self[name]._row.id)

    def __iter__(self) -> Iterator[str]:
        return (row.name for row in self._logs.streams(self._id))

    def __len__(self) -> int:
        return len(self._logs.streams(self._id))


class StoredGroup(LogGroup):
    """A log group as a view of its row."""

    def __init__(self, logs: Logs, row: Group) -> None:
        super().__init__(ACCOUNT, row.region, row.name, RetentionInDays=row.retention, kmsKeyId=row.kms)
        self.creation_time = datetime.fromtimestamp(row.created / 1000, UTC).replace(tzinfo=None)
        self.streams = StreamTable(logs, self, row)  # type: ignore[assignment]
        self.row = row
        self._logs = logs

    def create_log_stream(self, log_stream_name: str) -> None:
        if not _STREAM_NAME.fullmatch(log_stream_name):
            raise _invalid("logStreamName", log_stream_name, "[^:*]*")
        if log_stream_name in self.streams:
            raise ResourceAlreadyExistsException
        self._logs.create_stream(self.row.id, log_stream_name)

    def describe_log_streams(
        self,
        descending: bool,
        log_group_name: str,
        log_stream_name_prefix: str,
        order_by: str,
        limit: int,
        next_token: str | None = None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        rows = self._logs.streams(self.row.id, log_stream_name_prefix or "")
        if order_by == "LastEventTime":
            rows.sort(key=lambda row: (row.last or 0, row.name))
        if descending:
            rows.reverse()
        names = [row.name for row in rows]
        # The token is the last name given, so that new streams do not shift the pages.
        first = names.index(next_token) + 1 if next_token in names else (0 if not next_token else len(names))
        page = rows[first : first + limit]
        more = page and first + limit < len(rows)
        described = [StoredStream(self._logs, self, row).to_describe_dict() for row in page]
        return described, page[-1].name if more else None

    def get_log_events(self, log_stream_name: str, *args: Any) -> Any:
        if log_stream_name not in self.streams:
            raise ResourceNotFoundException("The specified log stream does not exist.")
        return super().get_log_events(log_stream_name, *args)

    def find(self, streams: list[Stream], wanted: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        """Matching events of several streams in order of time, and a token if there are more."""
        pattern = parse(wanted.get("filterPattern"))
        limit = min(int(wanted.get("limit") or EVENTS_A_PAGE), EVENTS_A_PAGE)
        after = _read_place(wanted.get("nextToken"))
        span = _span(max(after[0], wanted.get("startTime") or 0), wanted.get("endTime"))
        merged = heapq.merge(*(self._places(stream, span) for stream in streams), key=lambda item: item[0])
        matching = (item for item in merged if item[0] > after and pattern.matches(item[2].message))
        found = list(islice(matching, limit + 1))  # one more than asked tells whether there is more
        page = [_found(stream, event) for _, stream, event in found[:limit]]
        return page, ":".join(map(str, found[limit - 1][0])) if len(found) > limit else None

    def to_describe_dict(self) -> dict[str, Any]:
        described: dict[str, Any] = {
            "arn": f"{self.arn}:*",
            "logGroupArn": self.arn,
            "creationTime": self.row.created,
            "logGroupName": self.name,
            "logGroupClass": "STANDARD",
            "metricFilterCount": 0,
            "storedBytes": self._logs.stored_bytes(self.row.id),
            "retentionInDays": self.row.retention,
            "kmsKeyId": self.row.kms,
        }
        return {name: value for name, value in described.items() if value is not None}

    def set_retention_policy(self, retention_in_days: Any) -> None:
        self._logs.change_group(self.row.id, retention=retention_in_days, tags=self.row.tags)

    def set_tags(self, tags: dict[str, str]) -> None:
        self._logs.change_group(self.row.id, retention=self.row.retention, tags=tags)

    def _places(self, stream: Stream, span: Span) -> Iterator[Merged]:
        after = START
        while events := self._logs.read(stream.id, Span(span.start, span.end, after), _FETCH):
            for event in events:
                yield (event.at, stream.id, event.number), stream, event
            after = events[-1].position


class GroupTable(Mapping[str, StoredGroup]):
    """A region's log groups, as moto's dictionary would offer them."""

    def __init__(self, logs: Logs, region: str) -> None:
        self._logs = logs
        self._region = region

    def __getitem__(self, name: str) -> StoredGroup:
        row = self._logs.group(self._region, name)
        if row is None:
            raise KeyError(name)
        return StoredGroup(self._logs, row)  # type: ignore[abstract]

    def __delitem__(self, name: str) -> None:
        self._logs.delete_group(self[name].row.id)

    def __iter__(self) -> Iterator[str]:
        return (row.name for row in self._logs.groups(self._region))

    def __len__(self) -> int:
        return len(self._logs.groups(self._region))


class StoredLogs(LogsBackend):
    """One region's logs."""

    store: ClassVar[Logs]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.groups = GroupTable(self.store, region_name)  # type: ignore[assignment]

    def create_log_group(self, log_group_name: str, tags: dict[str, str], **kwargs: Any) -> LogGroup:
        if not _GROUP_NAME.fullmatch(log_group_name or ""):
            raise _invalid("logGroupName", log_group_name, r"[\.\-_/#A-Za-z0-9]+")
        if log_group_name in self.groups:
            raise ResourceAlreadyExistsException
        self.store.create_group(
            self.region_name, NewGroup(log_group_name, kwargs.get("kmsKeyId"), tags or {})
        )
        return self.groups[log_group_name]

    def get_query_results(self, query_id: str) -> Any:
        if query_id not in self.queries:
            raise ResourceNotFoundException("The specified query does not exist.")
        return super().get_query_results(query_id)

    def list_tags_for_resource(self, resource_arn: str) -> dict[str, str]:
        return dict(self._tagged(resource_arn).row.tags)

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        group = self._tagged(arn)
        group.set_tags({**group.row.tags, **tags})

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        group = self._tagged(arn)
        group.set_tags({key: value for key, value in group.row.tags.items() if key not in tag_keys})

    def _tagged(self, arn: str) -> StoredGroup:
        name = arn.partition(":log-group:")[2].removesuffix(":*")
        if name not in self.groups:
            raise ResourceNotFoundException
        return self.groups[name]  # type: ignore[return-value]


class LogsAnswers(LogsResponse):
    """Logs' operations, with a FilterLogEvents that knows prefixes and pages."""

    def filter_log_events(self) -> str:
        wanted = json.loads(self.body)
        group = self.logs_backend.groups.get(_group_name(wanted))
        if not isinstance(group, StoredGroup):
            raise ResourceNotFoundException
        names, prefix = wanted.get("logStreamNames"), wanted.get("logStreamNamePrefix", "")
        if names and prefix:
            raise InvalidParameterException("logStreamNames and logStreamNamePrefix cannot be used together.")
        streams = StoredLogs.store.streams(group.row.id, prefix)
        chosen = [stream for stream in streams if not names or stream.name in names]
        missing = set(names or []) - {stream.name for stream in chosen}
        if missing:
            raise ResourceNotFoundException("The specified log stream does not exist.")
        events, token = group.find(chosen, wanted)
        answer = {"events": events, "searchedLogStreams": []}
        return json.dumps({**answer, "nextToken": token} if token else answer)


class LogsService:
    """The CloudWatch Logs service."""

    def __init__(self, store: Logs, blobs: BlobFolder, gate: Gate) -> None:
        StoredLogs.store = store
        logs_backends.clear()
        logs_backends.backend = StoredLogs
        self._blobs = blobs
        self._gate = gate

    def answer(self, call: Call) -> Answer:
        body = read_document(call.environ, self._blobs)
        operation, parameters = operation_of(call, body)
        self._gate.check(call, operation, parameters)
        try:
            return ask(LogsAnswers(), call, body, operation)
        except sqlite3.IntegrityError as error:  # two requests made or used the same name at once
            text = "Multiple requests to update the same resource were in conflict."
            raise AWSError("OperationAbortedException", text) from error


def _group_name(wanted: dict[str, Any]) -> str:
    identifier = str(wanted.get("logGroupName") or wanted.get("logGroupIdentifier") or "")
    return identifier.partition(":log-group:")[2].removesuffix(":*") or identifier


def _span(start: Any, end: Any) -> Span:
    return Span(int(start or 0), int(end)) if end is not None else Span(int(start or 0))


def _write_token(direction: str, position: Position) -> str:
    at, number = position
    return f"{direction}/{at + 1:028d}{number + 1:028d}"


def _read_token(token: str) -> tuple[bool, Position]:
    found = re.fullmatch(r"([bf])/(\d{28})(\d{28})", token)
    if found is None:
        raise InvalidParameterException("The specified nextToken is invalid.")
    return found[1] == "b", (int(found[2]) - 1, int(found[3]) - 1)


def _read_place(token: str | None) -> tuple[int, int, int]:
    if token is None:
        return (-1, -1, -1)
    found = re.fullmatch(r"(\d{1,18}):(\d{1,18}):(\d{1,18})", token)
    if found is None:
        raise InvalidParameterException("The specified nextToken is invalid.")
    return int(found[1]), int(found[2]), int(found[3])


def _found(stream: Stream, event: Event) -> dict[str, Any]:
    return {
        "eventId": f"{event.at:020d}{stream.id:018d}{event.number:018d}",
        "ingestionTime": event.ingested,
        "logStreamName": stream.name,
        "message": event.message,
        "timestamp": event.at,
    }


def _moto_event(event: Event) -> LogEvent:
    return LogEvent(event.ingested, {"timestamp": event.at, "message": event.message})


def _invalid(name: str, value: str, pattern: str) -> Exception:
    constraint = f"Member must satisfy regular expression pattern: {pattern}"
    return InvalidParameterException(constraint=constraint, parameter=name, value=value)
