"""Templates to pages: everything escaped, style and script inside the page and named in its policy by their hashes."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from corelab.console import charts
from corelab.console.ask import Page

# Control characters would vanish or break the page; bidirectional overrides would let a log line lie.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SIGNS = {
    "Completed": "✓",
    "InService": "✓",
    "Failed": "✗",
    "Stopped": "■",
    "Stopping": "■",
    "InProgress": "●",
}

SECTIONS = (
    ("home", "", "Home"),
    ("training", "training", "Training"),
    ("tuning", "tuning", "Tuning"),
    ("models", "models", "Models"),
    ("transform", "transform", "Transform"),
    ("endpoints", "endpoints", "Endpoints"),
    ("s3", "s3", "S3"),
    ("logs", "logs", "Logs"),
    ("calls", "calls", "Calls"),
    ("bill", "bill", "Bill"),
)


class Renderer:
    """Draws pages; safe to share between threads."""

    def __init__(self, version: str) -> None:
        files = resources.files("corelab.console") / "templates"
        self._style = (files / "console.css").read_text("utf-8")
        self._script = (files / "live.js").read_text("utf-8")
        self.policy = (
            f"default-src 'none'; style-src {_hash(self._style)}; script-src {_hash(self._script)};"
            " connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        self._environment = Environment(
            loader=PackageLoader("corelab.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_clean,
            auto_reload=False,
        )
        self._environment.filters |= {
            "when": when,
            "duration": duration,
            "size": size,
            "usd": usd,
            "number": charts.number,
            "status": status,
        }
        self._environment.globals |= {"sections": SECTIONS, "bar": charts.bar, "version": version}

    def draw(self, page: Page, root: str) -> str:
        """The whole document; ``root`` is the relative way to the console's first page."""
        return self._environment.get_template(page.template).render(
            **page.facts,
            title=page.title,
            section=page.section,
            seconds=page.seconds,
            root=root,
            style=Markup(self._style),  # noqa: S704 (our own file)
            script=Markup(self._script),  # noqa: S704 (our own file)
        )


def when(at: float | None) -> Markup | str:
    """A moment in this machine's time."""
    if at is None:
        return "\N{EN DASH}"
    moment = datetime.fromtimestamp(at).astimezone()
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d %H:%M:%S}"
    )


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "\N{EN DASH}"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def size(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"


def usd(value: float | None) -> str:
    """Dollars; small amounts with the digits that make them visible."""
    if value is None:
        return "no price known"
    if value == 0 or value >= 1:
        return f"${value:,.2f}"
    return f"${value:.4f}" if value >= 0.001 else f"${value:.2g}" if value >= 1e-4 else "< $0.0001"


def status(name: str) -> Markup:
    """A status by sign, word and colour."""
    return Markup('<span class="status s-{}"><span aria-hidden="true">{}</span> {}</span>').format(
        name, _SIGNS.get(name, "◐"), name
    )


def _clean(value: Any) -> Any:
    """Text without characters that hide; markup of our own passes."""
    if isinstance(value, Markup):
        return Markup(_UNSEEN.sub("\ufffd", value))  # noqa: S704 (was Markup, and lost characters only)
    return _UNSEEN.sub("\ufffd", value) if isinstance(value, str) else value


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
