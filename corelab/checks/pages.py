"""Hints that lead to the console's page about a thing, where there is a console."""

from __future__ import annotations

from typing import Any

from corelab.connection import console_page


def look_at(section: str, name: Any, otherwise: str) -> str:
    """A hint where to look: the console's page of this thing, or ``otherwise`` on AWS and in grading."""
    page = console_page(section, str(name))
    return f"wait for it; if it failed, its page says why: {page}" if page else otherwise
