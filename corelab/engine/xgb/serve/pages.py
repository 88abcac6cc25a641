"""The web framework's own error pages, which the container lets through."""

from __future__ import annotations

from corelab.engine.serving_contract import InvocationResponse

TEXT = "text/html; charset=utf-8"  # also the type of the container's plain error texts

_PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n'
    "<title>{0} {1}</title>\n<h1>{1}</h1>\n<p>{2}</p>\n"
)


def _page(status: int, title: str, sentence: str) -> InvocationResponse:
    return InvocationResponse(status, TEXT, _PAGE.format(status, title, sentence).encode())


TOO_LARGE = _page(413, "Request Entity Too Large", "The data value transmitted exceeds the capacity limit.")
INTERNAL_ERROR = _page(
    500,
    "Internal Server Error",
    "The server encountered an internal error and was unable to complete your request. "
    "Either the server is overloaded or there is an error in the application.",
)
