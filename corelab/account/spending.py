"""Watches what a run on AWS spends, stops it at its budget, and removes what it leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from corelab.account.bill import Charge, aws_bill
from corelab.account.cleanup import Leftover, leftovers, remove
from corelab.account.cloud import Account
from corelab.errors import AccountError

_LOOK_SECONDS = 60.0
_PATIENCE_SECONDS = 900.0  # an endpoint that is being created cannot be deleted before it is there
_AGAIN_SECONDS = 15.0


class Watch:
    """Adds up what a run's resources cost, the deleted ones included, from the moment it is entered.

    Args:
        account: one that looks after the run only.
        budget: dollars at which everything is stopped.
        look_every: seconds between two looks at the bill.
    """

    def __init__(self, account: Account, budget: float, look_every: float = _LOOK_SECONDS) -> None:
        self._account, self.budget, self._every = account, budget, look_every
        self._charges: dict[tuple[str, str], Charge] = {}
        self._ended = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._watch, name="budget", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def charges(self) -> list[Charge]:
        return list(self._charges.values())

    @property
    def spent(self) -> float:
        """Dollars so far, by the price file."""
        return sum(charge.usd or 0.0 for charge in self.charges)

    def check(self) -> None:
        """Raises AccountError once the budget is spent, or can no longer be watched."""
        if self._problem:
            raise AccountError(self._problem)

    def look(self) -> None:
        """Take up the bill as it stands; at the budget stop all that runs.

        Raises:
            AccountError: the bill cannot be read.
        """
        there = {(charge.kind, charge.name): charge for charge in aws_bill(self._account)}
        gone = {key: replace(charge, runs=False) for key, charge in self._charges.items() if key not in there}
        self._charges = {**there, **gone}
        if self.spent >= self.budget:
            self._problem = f"the budget of ${self.budget:.2f} is spent: ${self.spent:.4f}"
            for leftover in leftovers(self._account):
                remove(self._account, leftover)

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self.look()
            except AccountError as problem:
                self._problem = f"the bill cannot be watched, so nothing more is started: {problem}"


def sweep(
    account: Account,
    say: Callable[[str], None],
    patience: float = _PATIENCE_SECONDS,
    again: float = _AGAIN_SECONDS,
) -> list[Leftover]:
    """Stop and delete what a run made until nothing is left; gives what refused to go for ``patience`` seconds.

    Raises:
        AccountError: a List call was not allowed.
    """
    deadline = time.monotonic() + patience
    while True:
        found = [leftover for leftover in leftovers(account) if leftover.status != "Deleting"]
        refused = {leftover: remove(account, leftover) for leftover in found}
        for leftover, problem in refused.items():
            say(
                f"{leftover.verb} {leftover.kind} {leftover.name}{f': refused: {problem}' if problem else ''}"
            )
        left = [leftover for leftover, problem in refused.items() if problem]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(again)
