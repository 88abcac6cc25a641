"""From a path to a page: the console's addresses, and what every answer carries."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from corelab.console.ask import Ask, NoSuchPage, Page, Sources
from corelab.console.pages import bill, calls, home, logs, serving, storage, training, transform, tuning
from corelab.console.render import Renderer
from corelab.errors import AWSError, BadArgument
from corelab.wire.http import HttpResponse

log = logging.getLogger(__name__)

PREFIX = "/_corelab/console"
_MOST_QUERY = 8192

View = Callable[[Sources, Ask], Page]
ADDRESSES: tuple[tuple[re.Pattern[str], View], ...] = tuple(
    (re.compile(pattern), view)
    for pattern, view in (
        ("", home.index),
        ("training", training.index),
        ("training/(.+)", training.one),
        ("tuning", tuning.index),
        ("tuning/(.+)", tuning.one),
        ("models", serving.models),
        ("models/(.+)", serving.model),
        ("transform", transform.index),
        ("transform/(.+)", transform.one),
        ("endpoints", serving.endpoints),
        ("endpoints/(.+)", serving.endpoint),
        ("s3", storage.buckets),
        ("s3/(.+)", storage.browse),
        ("logs", logs.index),
        ("calls", calls.index),
        ("bill", bill.index),
    )
)


class Console:
    """Answers the console's addresses. Pages take milliseconds, not microseconds: call it in a thread."""

    def __init__(self, sources: Sources) -> None:
        self._sources, self._renderer = sources, Renderer(sources.version)

    def answer(self, method: str, path: str, query: str) -> HttpResponse:
        """The page at ``path``, percent-encoded as it was sent. It never raises."""
        if method not in ("GET", "HEAD"):
            return self._reply(
                405, "text/plain", "The console only shows: it takes GET.", [("allow", "GET, HEAD")]
            )
        if path == PREFIX:
            return self._reply(308, "text/plain", "", [("location", f"{PREFIX}/")])
        place = path.removeprefix(f"{PREFIX}/")
        root = "../" * place.count("/") or "./"
        status, page = self._page(place, query)
        return self._reply(status, "text/html", self._renderer.draw(page, root))

    def bill(self) -> HttpResponse:
        """``/_corelab/bill``: the bill as JSON."""
        try:
            return self._reply(200, "application/json", json.dumps(self._sources.accounts.bill().document()))
        except BadArgument as problem:
            return self._reply(500, "application/json", json.dumps({"error": str(problem)}))

    def _page(self, place: str, query: str) -> tuple[int, Page]:
        try:
            given = dict(parse_qsl(query[:_MOST_QUERY], max_num_fields=20))
            for pattern, view in ADDRESSES:
                if (match := pattern.fullmatch(place)) is not None:
                    name = unquote(match[1]) if match.groups() else ""
                    return 200, view(self._sources, Ask(name, given))
            raise NoSuchPage(f"There is no page {unquote(place)!r}.")
        except NoSuchPage as missing:
            return 404, _problem("Not found", str(missing))
        except (AWSError, ValueError) as wrong:  # a token or number somebody typed; a broken price file
            return 400, _problem("Not understood", str(wrong))
        except (OSError, sqlite3.Error):
            log.exception("the console's page %r failed", place)
            return 500, _problem("Not readable", "The disk failed this page; server.log has the reason.")

    def _reply(
        self, status: int, kind: str, text: str, more: list[tuple[str, str]] | None = None
    ) -> HttpResponse:
        content = text.encode("utf-8", "replace")
        headers = [
            ("content-type", f"{kind}; charset=utf-8"),
            ("content-length", str(len(content))),
            ("content-security-policy", self._renderer.policy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            *(more or []),
        ]
        return HttpResponse(status, headers, content)


def _problem(title: str, words: str) -> Page:
    return Page("problem.html", title, "", {"words": words})
