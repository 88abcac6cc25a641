"""A run of the reference notebooks on AWS: looked over first, paid for knowingly, watched, cleaned up in every case.

examine ─▶ estimate ─▶ yes? ─▶ notebooks, tagged, under a budget ─▶ sweep ─▶ report
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from corelab.account import report
from corelab.account.cleanup import Leftover
from corelab.account.cloud import Account, open_account
from corelab.account.estimate import SECONDS, plan
from corelab.account.preflight import examine
from corelab.account.spending import Watch, sweep
from corelab.core.prices import load_prices
from corelab.errors import AccountError
from corelab.home import Home

Notebooks = Callable[[Callable[[], None]], int]


def rehearse(
    home: Home,
    assignments: Sequence[str],
    budget: float,
    notebooks: Notebooks,
    *,
    out: Path,
    agree: Callable[[], None],
    say: Callable[[str], None],
) -> int:
    """Run notebooks on AWS; everything they make bears the run's tag and is gone afterwards.

    Args:
        budget: dollars at which the run is stopped.
        notebooks: runs them, calls what it is given between cells, and gives its exit status.
        out: the folder for ``aws.json``, the report.
        agree: asks the person, after the estimate was said; raises to stop.
        say: prints a line.

    Returns:
        0 when every notebook ran to its end and nothing is left over.

    Raises:
        AccountError: the account is not ready, or the budget is below the estimate; nothing was started.
    """
    run = f"smoke-{uuid.uuid4().hex[:8]}"
    with _run_named(run):
        account = open_account("aws", home, run)
        _look_over(replace(account, run=""), assignments, budget, say)
        agree()
        say(f"Run {run}. If this process is killed: corelab cleanup --target aws --run {run} --yes")
        watch, status, left = Watch(account, budget), 1, list[Leftover]()
        try:
            with _ended_by_signals() as arm, watch:

                def before_each_cell() -> None:
                    arm()
                    watch.check()

                status = notebooks(before_each_cell)
        finally:
            # Whatever the bill says, what runs must end; the second look knows that it did.
            with contextlib.suppress(AccountError):
                watch.look()
            left = sweep(account, say)
            with contextlib.suppress(AccountError):
                watch.look()
            _report(account, watch, left, status, out, say)
    return status or bool(left)


def _look_over(
    account: Account, assignments: Sequence[str], budget: float, say: Callable[[str], None]
) -> None:
    """Say what was found and what it will cost. Raises AccountError when something must be cured first."""
    work = plan(assignments)
    grave = []
    for finding in examine(account, work):
        say(f"{'ok   ' if finding.well else 'WRONG'} {finding.what}: {finding.found}")
        if not finding.well:
            say(f"      {finding.cure}")
            grave += [finding.what] if finding.grave else []
    if grave:
        raise AccountError(f"nothing was started: first mend {', '.join(grave)}")
    usd, prices = work.usd(), load_prices()
    assumed = ", ".join(f"{seconds} s a {kind}" for kind, seconds in SECONDS.items())
    say(f"estimate  ${usd:.2f} ({assumed}; prices of {prices.as_of}: {prices.source}); budget ${budget:.2f}")
    if usd > budget:
        raise AccountError(
            f"nothing was started: the estimate, ${usd:.2f}, is over the budget; give --budget"
        )


def _report(
    account: Account,
    watch: Watch,
    left: Sequence[Leftover],
    status: int,
    out: Path,
    say: Callable[[str], None],
) -> None:
    say(report.bill_text(watch.charges, "aws"))
    for leftover in left:
        say(f"STILL THERE: {leftover.kind} {leftover.name}")
    out.mkdir(parents=True, exist_ok=True)
    told = {
        "run": account.run,
        "identity": account.identity,
        "region": account.region,
        "passed": status == 0,
        "budget_usd": watch.budget,
        "spent_usd": round(watch.spent, 6),
        "left": [f"{leftover.kind} {leftover.name}" for leftover in left],
        "charges": [asdict(charge) for charge in watch.charges],
    }
    (out / "aws.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _run_named(run: str) -> Iterator[None]:
    """Everything that this process and its kernels make on AWS is tagged with the run."""
    before = os.environ.get("CORELAB_RUN")
    os.environ["CORELAB_RUN"] = run
    try:
        yield
    finally:
        os.environ.pop("CORELAB_RUN", None)
        if before is not None:
            os.environ["CORELAB_RUN"] = before


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[Callable[[], None]]:
    """A polite kill ends the notebooks as Ctrl-C does, so that what they made is cleaned up.

    Gives what to call before each cell: nbclient sets signals of its own for each notebook, to end that one only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def arm() -> None:
        for number in before:
            signal.signal(number, _interrupt)

    arm()
    try:
        yield arm
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
