"""The numbers of the 120 checks by which local AWS services were chosen, and which test holds which."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bound=Callable[..., None])
HELD: dict[int, str] = {}


def check(*numbers: int) -> Callable[[T], T]:
    """Say which of the checks a test holds."""

    def note(test: T) -> T:
        HELD.update(dict.fromkeys(numbers, test.__name__))
        return test

    return note
