"""The part of JSONPath that batch transform knows (Service spec 7).

$   $.a   $['a','b']   $[0]   $[-1]   $[1,3,5]   $[1:]   $[0,5:]   $.*   $[*]   and chains of these
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

LONGEST_PATH = 63  # characters, of InputFilter and OutputFilter

_STEP = re.compile(
    r"""\.(?P<name>[^\s.\[\]*'",:]+)
      | (?P<all>\.\*|\[\s*\*\s*\])
      | \[\s*(?P<names>'[^']*'|"[^"]*")\s*(?P<more>(?:,\s*(?:'[^']*'|"[^"]*")\s*)*)\]
      | \[(?P<items>[-\d:,\s]+)\]""",
    re.VERBOSE,
)
_ITEM = re.compile(r"\s*(?:(-?\d+)|(-?\d+)?\s*:\s*(-?\d+)?)\s*")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")

Step = Callable[[Any], Any]


class BadPath(ValueError):
    """Not in the supported part of JSONPath; says what was expected and what came."""


class NotFound(LookupError):
    """A record lacks what the path selects."""


class Path:
    """A parsed path.

    Attributes:
        root: whether it is ``$``, which selects everything as it is.
        rows_only: whether it can be applied to CSV rows: at most one step, of indexes.
    """

    def __init__(self, text: str) -> None:
        """Raises BadPath."""
        if not text.startswith("$") or len(text) > LONGEST_PATH:
            raise BadPath(
                f"expected a path that starts with $, of {LONGEST_PATH} characters at most, got '{text}'"
            )
        self._steps: list[Step] = []
        self.rows_only = True
        position = 1
        while position < len(text):
            match = _STEP.match(text, position)
            if match is None:
                raise BadPath(f"'{text}' is not understood from '{text[position:]}' on; {_SUPPORTED}")
            self._steps.append(_step(match))
            self.rows_only = self.rows_only and len(self._steps) == 1 and match["items"] is not None
            position = match.end()
        self.root = not self._steps

    def select(self, value: Any) -> Any:
        """What the path points at: a value, a list for several indexes, an object for several names.

        Raises:
            NotFound: no such name, or an index outside the list.
        """
        for step in self._steps:
            value = step(value)
        return value


_SUPPORTED = "supported are $, .name, ['name','name'], [index,index], [start:end] and *"


def _step(match: re.Match[str]) -> Step:
    if match["all"] is not None:
        return _everything
    if match["items"] is not None:
        return _items_step([_item(text) for text in match["items"].split(",")])
    if match["name"] is not None:
        return _name_step([match["name"]])
    return _name_step(
        [single or double for single, double in _QUOTED.findall(match["names"] + match["more"])]
    )


def _item(text: str) -> int | slice:
    match = _ITEM.fullmatch(text)
    if match is None:
        raise BadPath(f"expected an index or a slice such as 1: or 0:3, got '{text}'; {_SUPPORTED}")
    index, start, end = (None if part is None else int(part) for part in match.groups())
    return index if index is not None else slice(start, end)


def _everything(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return _as_list(value, "*")


def _name_step(names: list[str]) -> Step:
    def pick(value: Any) -> Any:
        if not isinstance(value, dict):
            raise NotFound(f"expected an object with {names}")
        missing = [name for name in names if name not in value]
        if missing:
            raise NotFound(f"no attribute {missing[0]!r}")
        return value[names[0]] if len(names) == 1 else {name: value[name] for name in names}

    return pick


def _items_step(items: list[int | slice]) -> Step:
    if len(items) == 1 and isinstance(items[0], int):
        only = items[0]
        return lambda value: _within(_as_list(value, only), only)

    def pick(value: Any) -> list[Any]:
        values, picked = _as_list(value, items), []
        for item in items:
            if isinstance(item, int):
                picked.append(_within(values, item))
            else:
                picked += _sliced(values, item)
        return picked

    return pick


def _within(values: list[Any], index: int) -> Any:
    try:
        return values[index]
    except IndexError:
        raise NotFound(f"index {index} is outside of {len(values)} values") from None


def _sliced(values: list[Any], part: slice) -> list[Any]:
    size = len(values)
    for edge, last in ((part.start, size - 1), (part.stop, size)):
        if edge is not None and not -size <= edge <= last:
            raise NotFound(f"index {edge} is outside of {size} values")
    return values[part]


def _as_list(value: Any, wanted: object) -> list[Any]:
    if not isinstance(value, list):
        raise NotFound(f"expected a list to take {wanted} from")
    return value
