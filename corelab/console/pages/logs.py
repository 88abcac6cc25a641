"""CloudWatch Logs: groups, streams, and the end of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corelab.console.ask import Ask, NoSuchPage, Page, Sources
from corelab.store.logs import Event, Group, Span, Stream

_LINES = 500
_STREAMS = 200


@dataclass(frozen=True, slots=True)
class Lines:
    """The newest events of some streams, and whether there are older ones."""

    group: str
    streams: Sequence[Stream]
    events: Sequence[Event]
    cut: bool


def newest(sources: Sources, region: str, group: str, prefix: str) -> Lines:
    """The last lines of all streams whose name starts with ``prefix``, in order of time."""
    found = sources.logs.group(region, group)
    if found is None:
        return Lines(group, (), (), False)
    streams = sources.logs.streams(found.id, prefix)
    events = [
        event for stream in streams for event in sources.logs.read(stream.id, Span(), _LINES, newest=True)
    ]
    events.sort(key=lambda event: event.at)
    total = sum(stream.events for stream in streams)
    return Lines(group, streams, events[-_LINES:], total > min(len(events), _LINES))


def index(sources: Sources, ask: Ask) -> Page:
    """All groups; with ``group`` its streams; with ``stream`` its last lines."""
    region = ask.query.get("region", sources.cloud.region)
    if "group" not in ask.query:
        groups = {"groups": [(region, group) for group in sources.logs.groups(region)], "region": region}
        return Page("log_groups.html", "Log groups", "logs", groups, seconds=5)
    group = sources.logs.group(region, ask.query["group"])
    if group is None:
        raise NoSuchPage(f"There is no log group {ask.query['group']!r} in {region}.")
    if "stream" in ask.query:
        return _stream(sources, group, ask.query["stream"])
    words = ask.query.get("q", "")
    streams = sorted(sources.logs.streams(group.id, words), key=lambda s: -(s.last or s.created))
    facts: dict[str, Any] = {
        "group": group,
        "streams": streams[:_STREAMS],
        "more": len(streams) > _STREAMS,
        "words": words,
    }
    return Page("log_streams.html", group.name, "logs", facts, seconds=5)


def _stream(sources: Sources, group: Group, name: str) -> Page:
    stream = sources.logs.stream(group.id, name)
    if stream is None:
        raise NoSuchPage(f"There is no log stream {name!r} in {group.name}.")
    events = sources.logs.read(stream.id, Span(), _LINES, newest=True)
    lines = Lines(group.name, (stream,), events, stream.events > len(events))
    return Page("log_stream.html", name, "logs", {"group": group, "stream": stream, "log": lines}, seconds=2)
