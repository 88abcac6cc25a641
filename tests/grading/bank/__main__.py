"""`make grade-bank`: grades every submission of the banks and prints what was caught, missed, falsely rejected.

Names of assignments or of submissions choose; ``-v`` shows the findings of what is not as it should be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from corelab.grading.result import REJECTED, Result
from corelab.grading.unit import close_parents, grade
from corelab.grading.walls import choose

from . import BANKS
from .cases import Bank, Case, expected, lost, words

REPEATS = 20


def main(arguments: list[str]) -> int:
    names = {argument for argument in arguments if not argument.startswith("-")}
    walls, bad = choose.choose(), 0
    with ThreadPoolExecutor(4) as pool:
        for bank in BANKS:
            chosen = [
                case
                for case in bank.cases.values()
                if not names or names & {bank.assignment, case.name, bank.assignment[:2]}
            ]
            if chosen:
                jobs = [bank.job(case, walls) for case in chosen]
                print(f"\n{bank.assignment:44} {'points':>7}  outcome", flush=True)
                results = pool.map(grade, jobs)
                bad += sum(
                    _told(case, result, "-v" in arguments)
                    for case, result in zip(chosen, results, strict=True)
                )
        if not names:
            bad += _steady(BANKS[0], walls, pool)
    close_parents()
    print(f"\n{bad or 'no'} submissions not as they should be")
    return int(bool(bad))


def _told(case: Case, result: Result, verbose: bool) -> bool:
    """Print a line of the table; whether something is wrong with it."""
    gone, wanted = lost(result), expected(case, result.items)
    missed, false = sorted(wanted - gone), sorted(gone - wanted)
    silent = bool(case.hint) and case.hint not in words(result, gone)
    outcome = [f"MISSED {' '.join(missed)}"] * bool(missed) + [f"FALSELY REJECTED {' '.join(false)}"] * bool(
        false
    )
    outcome += [f"NO HINT {case.hint!r}"] * silent
    outcome += [f"{result.state}: {result.reason}"] * (result.state == REJECTED)
    label = f"{case.row:3} {case.name}" if case.row else f"    {case.name}"
    print(
        f"{label:44} {result.score:7g}  {'; '.join(outcome) or ('caught' if wanted else 'accepted')}",
        flush=True,
    )
    if verbose:
        print(*_findings(result, {*missed, *false} or (gone if silent else set())), sep="\n", end="")
    return bool(missed or false or silent)


def _findings(result: Result, names: Iterable[str]) -> Iterator[str]:
    for item in result.items:
        if item.name in names:
            yield f"      {item.name} {item.outcome}"
            yield from (f"        {finding}" for finding in item.findings)
    yield ""


def _steady(bank: Bank, walls: str, pool: ThreadPoolExecutor) -> int:
    """How many of REPEATS gradings of one submission differ from the first."""
    job = bank.job(bank.cases["header_kept"], walls)
    marks = [
        tuple((item.name, item.score) for item in result.items) for result in pool.map(grade, [job] * REPEATS)
    ]
    differing = sum(mark != marks[0] for mark in marks)
    print(f"\none submission graded {REPEATS} times: {REPEATS - differing} times the same marks")
    return differing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
