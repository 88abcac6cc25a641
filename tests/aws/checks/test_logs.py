"""CloudWatch Logs through the wire (checks 95 to 108)."""

from __future__ import annotations

import contextlib
import time
import uuid
from typing import Any

import pytest

from tests.aws.checks.register import check
from tests.aws.checks.test_s3_buckets import refused

DAY = 24 * 3600 * 1000


def now() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def group(logs: Any) -> str:
    name = f"/test/{uuid.uuid4().hex[:12]}"
    logs.create_log_group(logGroupName=name)
    return name


def write(logs: Any, group: str, stream: str, messages: list[str], start: int) -> None:
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": start + number, "message": text} for number, text in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def read(logs: Any, group: str, stream: str, **options: Any) -> list[str]:
    """All messages by following forward tokens until one comes back unchanged, as the SDKs do."""
    messages: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=True, **options, **token
        )
        messages += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            return messages
        token = {"nextToken": page["nextForwardToken"]}


@check(95)
def test_an_absent_group_has_no_streams_to_describe(logs: Any) -> None:
    with refused("ResourceNotFoundException", 400) as caught:
        logs.describe_log_streams(logGroupName="/none")
    assert caught.value.response["Error"]["Message"] == "The specified log group does not exist."


@check(96, 97)
def test_groups_and_streams_have_their_names_once(logs: Any, group: str) -> None:
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_stream(logGroupName=group, logStreamName="s")


@check(98, 101)
def test_events_come_back_in_order_to_the_letter(logs: Any, group: str) -> None:
    messages = [f"line {number}" for number in range(298)] + ["two\nlines", "ünïcode 日本 😀"]
    write(logs, group, "s", messages, now() - 1000)
    assert read(logs, group, "s") == messages
    assert read(logs, group, "s", limit=70) == messages


@check(99)
def test_streams_are_described_by_prefix_in_pages(logs: Any, group: str) -> None:
    names = [f"job-{number:03}/algo-1" for number in range(60)]
    for name in [*names, "other/algo-1"]:
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = logs.describe_log_streams(
            logGroupName=group, logStreamNamePrefix="job-", orderBy="LogStreamName", limit=50, **token
        )
        found += [stream["logStreamName"] for stream in page["logStreams"]]
        if "nextToken" not in page or page["nextToken"] is None:
            break
        token = {"nextToken": page["nextToken"]}
    assert found == names


@check(100)
def test_streams_are_described_by_their_last_event(logs: Any, group: str) -> None:
    for age, name in ((3000, "old"), (1000, "new"), (2000, "middle")):
        write(logs, group, name, ["x"], now() - age)
    streams = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)
    assert [stream["logStreamName"] for stream in streams["logStreams"]] == ["new", "middle", "old"]
    assert streams["logStreams"][0]["firstEventTimestamp"] == streams["logStreams"][0]["lastEventTimestamp"]


@check(102)
def test_a_reader_may_start_late_and_follow(logs: Any, group: str) -> None:
    start = now() - 10_000
    write(logs, group, "s", ["a", "b", "c"], start)
    assert read(logs, group, "s", startTime=start + 1) == ["b", "c"]
    page = logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True)
    write(logs, group, "s", ["d"], start + 100)
    token = page["nextForwardToken"]
    following = logs.get_log_events(
        logGroupName=group, logStreamName="s", startFromHead=True, nextToken=token
    )
    assert [event["message"] for event in following["events"]] == ["d"]


@check(103)
def test_without_the_head_the_tail_is_read_and_then_backwards(logs: Any, group: str) -> None:
    write(logs, group, "s", list("abcdef"), now() - 1000)
    tail = logs.get_log_events(logGroupName=group, logStreamName="s", limit=2)
    assert [event["message"] for event in tail["events"]] == ["e", "f"]
    before = logs.get_log_events(
        logGroupName=group, logStreamName="s", limit=3, nextToken=tail["nextBackwardToken"]
    )
    assert [event["message"] for event in before["events"]] == ["b", "c", "d"]


@check(104)
def test_a_missing_stream_is_named_so(logs: Any, group: str) -> None:
    with refused("ResourceNotFoundException") as caught:
        logs.get_log_events(logGroupName=group, logStreamName="none")
    assert caught.value.response["Error"]["Message"] == "The specified log stream does not exist."


@check(105)
def test_events_are_filtered_across_streams(logs: Any, group: str) -> None:
    start = now() - 10_000
    for stream in ("job-1/a", "job-1/b", "job-2/a"):
        write(logs, group, stream, [f"{stream} auc:{number}" for number in range(301)], start)
    paginator = logs.get_paginator("filter_log_events")
    pages = paginator.paginate(
        logGroupName=group,
        logStreamNamePrefix="job-1/",
        filterPattern="auc",
        PaginationConfig={"PageSize": 100},
    )
    messages = [event["message"] for page in pages for event in page["events"]]
    assert len(messages) == len(set(messages)) == 602
    found = logs.filter_log_events(logGroupName=group, filterPattern='"job-2/a auc:7"')["events"]
    assert sorted(event["message"] for event in found)[0] == "job-2/a auc:7"


@check(106)
def test_groups_are_described_by_prefix_and_keep_their_retention(logs: Any, group: str) -> None:
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    described = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [(entry["logGroupName"], entry["retentionInDays"]) for entry in described] == [(group, 7)]
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]


@check(107)
def test_events_without_a_stream_or_too_old_are_not_taken(logs: Any, group: str) -> None:
    event = [{"timestamp": now(), "message": "x"}]
    with refused("ResourceNotFoundException"):
        logs.put_log_events(logGroupName=group, logStreamName="none", logEvents=event)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    old = [{"timestamp": now() - 15 * DAY, "message": "old"}, *event]
    answer = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=old)
    assert "tooOldLogEventEndIndex" in answer["rejectedLogEventsInfo"]
    assert read(logs, group, "s") == ["x"]


@check(108)
def test_insights_finds_messages(logs: Any, group: str) -> None:
    write(logs, group, "s", ["one", "two"], now() - 1000)
    query = logs.start_query(
        logGroupName=group,
        startTime=int(time.time()) - 60,
        endTime=int(time.time()) + 60,
        queryString="fields @message",
    )["queryId"]
    answer = logs.get_query_results(queryId=query)
    messages = [field["value"] for row in answer["results"] for field in row if field["field"] == "@message"]
    assert (answer["status"], sorted(messages)) == ("Complete", ["one", "two"])
    with refused("ResourceNotFoundException"):
        logs.get_query_results(queryId="none")


def test_tags_of_a_group_are_kept(logs: Any, group: str) -> None:
    logs.tag_log_group(logGroupName=group, tags={"a": "1", "b": "2"})
    logs.untag_log_group(logGroupName=group, tags=["a"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2"}


def test_a_deleted_group_leaves_nothing(logs: Any, group: str) -> None:
    write(logs, group, "s", ["x"], now())
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
