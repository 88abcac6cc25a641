"""Who may talk to this server at all: programs on this machine, and no web page.

A page in the user's browser can send requests to 127.0.0.1. It cannot forge its Origin, and a name it had
rebound to 127.0.0.1 shows in Host. A link in a notebook may lead to the console: it only shows, forbids frames,
and the page that held the link cannot read what it shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from corelab.errors import AWSError

_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
# moto's own administration, and the paths at which it plays other hosts' metadata services.
_CLOSED = ("/moto-api", "/latest/")


def check(path: str, headers: Mapping[str, str], sts_hosts: bool = True) -> None:
    """Raises AWSError 403 for requests that did not come from a program on this machine."""
    host = (
        headers.get("host", "").rsplit(":", 1)[0]
        if not headers.get("host", "").endswith("]")
        else headers["host"]
    )
    if host not in _HOSTS:
        raise AWSError(
            "AccessDenied", f"This server answers to 127.0.0.1 only, and was called {host!r}.", 403
        )
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers["host"]:
        raise AWSError("AccessDenied", "This server does not answer to web pages of other origins.", 403)
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not _link(path, headers):
        raise AWSError("AccessDenied", "This server does not answer to web pages of other origins.", 403)
    if path.startswith(_CLOSED):
        raise AWSError("AccessDenied", f"{path} is not part of the AWS API.", 403)


def _link(path: str, headers: Mapping[str, str]) -> bool:
    """Whether a person followed a link to the console. Pages cannot forge these headers."""
    followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return followed and path.startswith("/_corelab/console/")
