"""Checks of quiz answers."""

from __future__ import annotations

import re
from typing import Any

from corelab.checks.outcome import CheckFailed, check


@check
def choice(name: str, value: Any, among: str) -> str:
    """One of the options was chosen."""
    letters = _letters(value)
    if not letters or not set(letters) <= set(among):
        hint = f'write {name} = "{among[0]}" with your own letter; for several, "{among[:2]}"'
        raise CheckFailed(f"one or more of the letters {', '.join(among)}", value, hint)
    return f"you chose {' and '.join(letters)}"


@check
def chosen(name: str, value: Any, key: str) -> None:
    """The chosen option is right."""
    if "".join(_letters(value)) != key:
        raise CheckFailed(
            "the option that the text and its research step lead to",
            value,
            f"read the section above {name} again and test your choice on your own job",
        )


def _letters(value: Any) -> list[str]:
    """``"a, C"``, ``["A", "C"]`` and ``"CA"`` all mean A and C."""
    items = value if isinstance(value, list | tuple | set) else [value]
    text = "".join(str(item) for item in items)
    return sorted(set(re.findall(r"[A-Z]", text.upper()))) if len(text) <= 40 else []
