"""Wrong submissions lose the checks their mistake spoils, right ones lose none; `make grade-bank` grades all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from corelab.grading.result import Result
from corelab.grading.unit import Job, grade

from . import BANKS
from .cases import expected, lost, words

QUICK = [(bank.assignment, name) for bank in BANKS for name in bank.quick]


@pytest.fixture(scope="module")
def results(warm: str) -> dict[tuple[str, str], Result]:
    cases = [(bank, bank.cases[name]) for bank in BANKS for name in bank.quick]
    jobs = [bank.job(case, warm) for bank, case in cases]
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(QUICK, pool.map(grade, jobs), strict=True))


@pytest.mark.parametrize(("assignment", "name"), QUICK)
def test_a_submission_loses_what_its_mistake_spoils_and_no_more(
    results: dict[tuple[str, str], Result], assignment: str, name: str
) -> None:
    result = results[assignment, name]
    case = next(bank.cases[name] for bank in BANKS if bank.assignment == assignment)
    gone, wanted = lost(result), expected(case, result.items)
    assert gone == wanted, [(item.name, item.findings) for item in result.items if item.name in gone ^ wanted]
    assert case.hint in words(result, gone)


def test_every_wrong_submission_of_the_specification_is_in_a_bank() -> None:
    assert {case.row for bank in BANKS for case in bank.cases.values()} - {0} == set(range(1, 60, 2))


def test_the_same_submission_gets_the_same_score_every_time(warm: str) -> None:
    from tests.grading import course

    content = course.as_bytes(course.submission(course.honest() | {"values": "values = [0]"}))
    job = Job("ada", "small", "small", course.source(), course.release(), content, walls=warm)
    with ThreadPoolExecutor(4) as pool:
        marks = {
            tuple((item.name, item.score) for item in result.items) for result in pool.map(grade, [job] * 20)
        }
    assert marks == {(("t1", 3.0), ("t2", 0.0), ("t3", 1.0), ("t4", 3.0), ("why", None))}
