"""Checks of quiz answers.

A student hears at once whether an answer is right, and the notebook does not show which one is: a check holds
the right letters sealed by a salted digest. That keeps a key from being read, not from being tried; trying is
what a quiz is for, and the digest costs a class of thousands no more than it must.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from corelab.checks.outcome import CheckFailed, check


@check
def choice(name: str, value: Any, among: str, seal: str, hint: str = "") -> str:
    """The answer is right."""
    letters = "".join(_letters(value))
    if not letters or not set(letters) <= set(among):
        example = f'write {name} = "{among[0]}" with your own letter; for several, "{among[:2]}"'
        raise CheckFailed(f"one or more of the letters {', '.join(among)}", value, example)
    if _digest(name, letters) != seal:
        raise _wrong(name, value, hint)
    return f"you chose {' and '.join(letters)}"


@check
def chosen(name: str, value: Any, key: str) -> None:
    """The chosen option is right."""
    if "".join(_letters(value)) != key:
        raise _wrong(name, value)


def seal(name: str, key: str) -> str:
    """The digest of a question's right letters that its check may show."""
    return _digest(name, "".join(_letters(key)))


def _digest(name: str, letters: str) -> str:
    # The name salts it: the same letter looks different in every question.
    return hashlib.scrypt(letters.encode(), salt=name.encode(), n=2**10, r=8, p=1, dklen=12).hex()


def _wrong(name: str, value: Any, hint: str = "") -> CheckFailed:
    return CheckFailed(
        "the option that the text and its research step lead to",
        value,
        hint or f"read the section above {name} again, and test each option against what you saw",
    )


def _letters(value: Any) -> list[str]:
    """``"a, C"``, ``["A", "C"]`` and ``"CA"`` all mean A and C."""
    items = value if isinstance(value, list | tuple | set) else [value]
    text = "".join(str(item) for item in items)
    return sorted(set(re.findall(r"[A-Z]", text.upper()))) if len(text) <= 40 else []
