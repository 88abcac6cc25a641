"""Only programs on this machine are answered."""

from __future__ import annotations

import pytest

from corelab.errors import AWSError
from corelab.server import guard


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:8123", "127.0.0.1", "[::1]:8123"])
def test_a_program_on_this_machine_is_answered(host: str) -> None:
    guard.check("/", {"host": host})


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8123", "", "bucket.localhost:8123", "0.0.0.0"]
)
def test_a_foreign_host_name_is_refused(host: str) -> None:
    with pytest.raises(AWSError, match=r"answers to 127\.0\.0\.1 only") as refusal:
        guard.check("/", {"host": host})
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8123"]
)
def test_a_web_page_of_another_origin_is_refused(origin: str) -> None:
    with pytest.raises(AWSError, match="other origins"):
        guard.check("/", {"host": "127.0.0.1:8123", "origin": origin})


def test_a_cross_site_request_without_an_origin_is_refused() -> None:
    with pytest.raises(AWSError, match="other origins"):
        guard.check("/", {"host": "127.0.0.1:8123", "sec-fetch-site": "cross-site"})


def test_the_servers_own_pages_may_call_it() -> None:
    headers = {"host": "127.0.0.1:8123", "origin": "http://127.0.0.1:8123", "sec-fetch-site": "same-origin"}
    guard.check("/_corelab/console/", headers)


def test_a_link_elsewhere_leads_to_the_console_and_to_nothing_else() -> None:
    headers = {"host": "127.0.0.1:8123", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    guard.check("/_corelab/console/training/one", {**headers, "sec-fetch-dest": "document"})
    for path, dest in (("/bucket/key", "document"), ("/_corelab/console/", "iframe")):
        with pytest.raises(AWSError, match="other origins"):
            guard.check(path, {**headers, "sec-fetch-dest": dest})


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api", "/latest/meta-data/"])
def test_motos_administration_is_closed(path: str) -> None:
    with pytest.raises(AWSError, match="not part of the AWS API"):
        guard.check(path, {"host": "127.0.0.1:8123"})
