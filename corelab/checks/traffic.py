"""Checks of what an endpoint was asked, how fast it was and what it would cost."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from botocore.exceptions import ClientError

from corelab.checks.cloud import asks_cloud, client
from corelab.checks.endpoints import described
from corelab.checks.outcome import CannotTell, CheckFailed, check
from corelab.core.prices import endpoint_cost, serverless_cost

ACCESS = re.compile(r'"POST /invocations HTTP/1\.[01]" (\d{3})')
# A log line reaches CloudWatch a moment after the answer reaches the caller.
LOG_SECONDS = 5.0
SETTLE_SECONDS = 1.5
VARIANT = "AllTraffic"


@check
@asks_cloud
def invoked(name: Any, least: int, status: int = 200) -> str:
    """The endpoint's own log shows your requests."""
    count = answered(name, least, status)
    if count < least:
        hint = "each way of calling must reach this endpoint itself; none can be copied from another"
        raise CheckFailed(f"at least {least} answered with {status}", f"{count} in its log", hint)
    return f"{count} times {status}"


@check
def handles_errors(ask: Any, name: Any, good: str, bad: str) -> str:
    """Your function answers every kind of request without an exception."""
    if not callable(ask):
        raise CheckFailed("a function", ask, "def ask(endpoint_name, body): ...")
    answer = _asked(ask, name, good)
    scores = answer.get("scores")
    if not isinstance(scores, Sequence) or not scores or not all(isinstance(s, float) for s in scores):
        raise CheckFailed('{"scores": [numbers]} for a good row', answer, "split the body, float() each line")
    for what, endpoint, body, wanted in (
        ("a row with one value too many", name, bad, "input"),
        ("an endpoint that is not there", f"{str(name)[:50]}-absent", good, "endpoint"),
    ):
        problem = _asked(ask, endpoint, body).get("problem")
        if problem != wanted:
            hint = 'look at error.response["Error"]["Code"]: ModelError, ValidationError, ThrottlingException'
            raise CheckFailed(f'{{"problem": {wanted!r}}} for {what}', repr(problem), hint)
    return "a good row, a bad row, no endpoint"


@check
@asks_cloud
def percentiles(milliseconds: Any, p50: Any, p95: Any, name: Any) -> str:
    """The percentiles are those of at least 20 timed calls."""
    times = _numbers(milliseconds, "a list of milliseconds")
    logged = answered(name, len(times))
    if len(times) < 20 or logged < len(times) or times.min() <= 0:
        got = f"{len(times)} times, {logged} answers in the log"
        raise CheckFailed("at least 20 timed calls", got, "time.perf_counter() before and after each call")
    for label, value, share in (("p50", p50, 50), ("p95", p95, 95)):
        low, high = np.percentile(times, [max(share - 5, 0), min(share + 5, 100)])
        if not isinstance(value, int | float) or not low <= value <= high:
            hint = f"half of all calls are faster than p50, 95 of 100 than p95: np.percentile(times, {share})"
            raise CheckFailed(f"{label} near {np.percentile(times, share):.2f} ms", value, hint)
    return f"{len(times)} calls, p50 {float(p50):.1f} ms, p95 {float(p95):.1f} ms"


@check
@asks_cloud
def cold_starts(count: Any, longest_ms: Any, name: Any) -> str:
    """The cold starts are those that CloudWatch counted."""
    points = metric_of("ModelSetupTime", name, ["SampleCount", "Maximum"])
    actual = int(sum(point["SampleCount"] for point in points))
    if not actual:
        raise CannotTell("CloudWatch knows no cold start of this endpoint yet; metrics come late, try again")
    longest = max(point["Maximum"] for point in points) / 1e3
    if not isinstance(count, int | float) or not 1 <= count <= actual:
        raise CheckFailed(f"{actual} cold starts", count, "add up SampleCount of ModelSetupTime")
    if not isinstance(longest_ms, int | float) or not 0 < longest_ms <= longest * 1.01:
        raise CheckFailed(f"at most {longest:.1f} ms", longest_ms, "ModelSetupTime is in microseconds")
    return f"{int(count)}, the longest {float(longest_ms):.0f} ms"


@check
@asks_cloud
def throttled(served: Any, refused: Any, sent: int, name: Any) -> str:
    """Every request of the rush is accounted for, and some were throttled."""
    if not all(isinstance(number, int) and number >= 0 for number in (served, refused)):
        raise CheckFailed("two counts", f"{served!r} and {refused!r}", "count both kinds of outcome")
    if served + refused != sent or not served:
        raise CheckFailed(f"{sent} requests in all", f"{served} and {refused}", "each is one or the other")
    if not refused:
        hint = "send all at once, to an endpoint with a small max_concurrency, without retries"
        raise CheckFailed("at least one throttled request", "none", hint)
    if answered(name, served) < served:
        raise CheckFailed(f"{served} answers in the log", "fewer", "count what the endpoint answered")
    return f"{served} answered, {refused} throttled"


@check
def cost_of_thousand(dollars: Any, memory_mb: int, milliseconds: Any) -> str:
    """The price of 1,000 predictions is right."""
    seconds = float(_numbers(milliseconds, "a list of milliseconds").mean()) / 1e3
    actual = serverless_cost(memory_mb, 1000 * seconds)
    if not isinstance(dollars, int | float) or abs(dollars - actual) > 0.05 * actual:
        hint = "1,000 times the mean time in seconds, times gigabytes, times the price of a GB-second"
        raise CheckFailed(f"${actual:.6f}", dollars, hint)
    return f"${actual:.6f}"


@check
def break_even(requests_a_day: Any, memory_mb: int, milliseconds: Any, instance_type: str) -> str:
    """The break-even point is right."""
    seconds = float(_numbers(milliseconds, "a list of milliseconds").mean()) / 1e3
    actual = endpoint_cost(instance_type, 24 * 3600) / serverless_cost(memory_mb, seconds)
    if not isinstance(requests_a_day, int | float) or abs(requests_a_day - actual) > 0.05 * actual:
        hint = "an instance's price of a day, divided by the serverless price of one request"
        raise CheckFailed(f"{actual:,.0f} requests a day", requests_a_day, hint)
    return f"{actual:,.0f} requests a day"


@check
def all_answered(values: Any, expected: int) -> str:
    """Every request got its answer in the end."""
    done = [value for value in list(values) if value is not None] if isinstance(values, Sequence) else []
    if len(done) != expected:
        hint = "wait before each new try, a little longer each time, and try often enough"
        raise CheckFailed(f"{expected} answers", f"{len(done)}", hint)
    return f"{expected} answers"


@asks_cloud
def answered_before(name: Any) -> int:
    """How many requests the endpoint has answered until now, those included whose log lines are on their way."""
    time.sleep(SETTLE_SECONDS)
    return statuses_of_log(name)[200]


def answered(name: Any, least: int, status: int = 200) -> int:
    """How many answers of a status the endpoint's log holds; waits a little for ``least`` of them."""
    until = time.monotonic() + LOG_SECONDS
    while (count := statuses_of_log(name)[status]) < least and time.monotonic() < until:
        time.sleep(0.2)
    return count


def statuses_of_log(name: Any) -> Counter[int]:
    """How often the endpoint's container answered with which status, by its access log."""
    return Counter(int(found[1]) for found in map(ACCESS.search, _messages(str(name))) if found)


def metric_of(metric: str, name: Any, statistics: list[str]) -> list[dict[str, Any]]:
    """Data points of the last day of an endpoint's metric."""
    now = datetime.now(UTC)
    answer = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": str(name)}, {"Name": "VariantName", "Value": VARIANT}],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=statistics,
    )
    points: list[dict[str, Any]] = answer["Datapoints"]
    return points


def _messages(name: str) -> Iterator[str]:
    group = f"/aws/sagemaker/Endpoints/{name}"
    try:
        pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        for page in pages:
            yield from (event["message"] for event in page["events"])
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        described("endpoint", name)


def _asked(ask: Callable[..., Any], name: Any, body: str) -> dict[str, Any]:
    answer = ask(name, body)
    if not isinstance(answer, dict):
        hint = 'return {"scores": [...]} or {"problem": "..."}, never nothing'
        raise CheckFailed("a dict", type(answer).__name__, hint)
    return answer


def _numbers(values: Any, what: str) -> Any:
    try:
        numbers = np.asarray(values, dtype=float).reshape(-1)
    except (TypeError, ValueError):
        raise CheckFailed(what, values, "numbers only") from None
    if not len(numbers) or not np.isfinite(numbers).all():
        raise CheckFailed(what, values, "one number a call")
    return numbers
