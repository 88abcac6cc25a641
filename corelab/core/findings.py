"""What a look at a machine or an account found, with the cure of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Args:
        cure: what to do; empty when all is well.
        grave: whether work should wait for the cure.
    """

    what: str
    found: str
    cure: str = ""
    grave: bool = True

    @property
    def well(self) -> bool:
        return not self.cure
