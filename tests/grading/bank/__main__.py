"""`make grade-bank`: grades the whole bank and prints what was caught, missed and falsely rejected."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from a1 import CASES, RELEASE, SOURCE, Case

from corelab.grading.result import MANUAL, Result
from corelab.grading.unit import Job, close_parents, grade
from corelab.grading.walls import choose
from corelab.grading.walls.limits import Limits


def job(case: Case, walls: str) -> Job:
    content = json.dumps(case.make()).encode()
    return Job(
        case.name, "a1_training_job", "training_job", SOURCE.read_text(), RELEASE.read_text(), content,
        limits=Limits(cell_seconds=90, check_seconds=90), walls=walls,
    )  # fmt: skip


def lost(result: Result) -> set[str]:
    """Checks that did not get full points; those worth nothing count as well."""
    return {item.name for item in result.items if item.outcome not in ("right", MANUAL) and item.points}


def expected(case: Case, result: Result) -> set[str]:
    if case.loses == {"*"}:
        return {item.name for item in result.items if item.outcome != MANUAL and item.points}
    return set(case.loses)


def main(names: list[str]) -> int:
    walls = choose.choose()
    cases = [CASES[name] for name in names] or list(CASES.values())
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda case: grade(job(case, walls)), cases))
    close_parents()
    print(f"{'submission':42} {'points':>7}  outcome")
    bad = 0
    for case, result in zip(cases, results, strict=True):
        missed, false = expected(case, result) - lost(result), lost(result) - expected(case, result)
        bad += bool(missed or false)
        words = "caught" if case.loses and not missed else "accepted" if not case.loses and not false else ""
        words += f" MISSED {sorted(missed)}" if missed else ""
        words += f" FALSELY REJECTED {sorted(false)}" if false else ""
        print(f"{case.name:42} {result.score:7g}  {words}")
        if "-v" in sys.argv and (missed or false):
            for item in result.items:
                if item.name in missed | false:
                    print("   ", item.name, item.outcome, item.findings)
    print(f"{len(cases)} submissions, {bad} not as they should be")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if not name.startswith("-")]))
