"""Checks of single values that a task asks for by their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corelab.checks.outcome import CheckFailed, check


@check
def value(got: Any, expected: Any, hint: str) -> str:
    """The value is what the task asks for."""
    same = type(got) in (int, float, str, list) and got == expected
    if not same:
        raise CheckFailed(repr(expected), got, hint)
    return repr(expected)


@check
def mentions(text: Any, words: str, hint: str) -> None:
    """The text is the one that names the cause."""
    if not isinstance(text, str) or words not in text:
        raise CheckFailed(f"a text with {words!r} in it", text, hint)


@check
def name_lengths(lengths: Any, session: Any, longest: Mapping[str, int]) -> str:
    """Both names are legal on AWS, however long the project's is."""
    if len(str(session.project_name)) < 60:
        raise CheckFailed("a project name of at least 60 characters", session.project_name, "make it longer")
    for kind, limit in longest.items():
        actual = len(str(getattr(session, f"{kind}_job_name")))
        given = lengths.get(kind) if isinstance(lengths, Mapping) else None
        if given != actual or actual > limit:
            hint = f"len() of the session's {kind}_job_name"
            raise CheckFailed(f"{actual} for {kind}, at most {limit}", given, hint)
    return ", ".join(f"{kind} at most {limit}" for kind, limit in longest.items())
