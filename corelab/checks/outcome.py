"""How a check speaks: right, wrong with what was expected and what came, or could not tell."""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec

P = ParamSpec("P")
SHOWN = 160


class CheckFailed(AssertionError):
    """The work is not right yet; says what was expected, what came and one thing to try."""

    def __init__(self, expected: str, got: Any, hint: str, claim: str = "") -> None:
        super().__init__(claim, expected, got, hint)
        self.claim = claim
        self.expected = expected
        self.got = got if got and isinstance(got, str) else shortened(got)
        self.hint = hint

    def __str__(self) -> str:
        return "\n".join(
            [
                f"✗ {self.claim or 'Not right yet'}",
                f"    expected: {self.expected}",
                f"    got:      {self.got}",
                f"    hint:     {self.hint}",
            ]
        )

    def _render_traceback_(self) -> list[str]:
        """IPython shows this in place of the traceback, which would lead into the check's own code."""
        return str(self).splitlines()


class CannotTell(Exception):
    """The check could not be made, and not for a fault of the work."""

    def __str__(self) -> str:
        return f"? This check could not be made: {self.args[0]}"

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def check(function: Callable[P, str | None]) -> Callable[P, None]:
    """Make a check of a function that raises CheckFailed, or returns a note on what it found.

    The first line of the function's docstring is the claim that learners read. Whatever the function or
    its libraries would print is dropped: nbgrader gives no points to a graded cell that writes to stderr.
    """
    claim = (function.__doc__ or function.__name__).splitlines()[0].rstrip(".")

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with quiet():
                note = function(*args, **kwargs)
        except CheckFailed as failed:
            raise CheckFailed(failed.expected, failed.got, failed.hint, claim) from None
        print(f"✓ {claim}" + (f" ({note})" if note else ""))  # noqa: T201 - what the learner reads

    return checked


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No warnings and nothing on stdout or stderr."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def shortened(value: Any) -> str:
    """A value as a learner can read it on a line or two."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."
