"""Wrong submissions lose the checks their mistake spoils, right ones lose none; `make grade-bank` grades all of them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from corelab.grading.result import MANUAL, Result
from corelab.grading.unit import Job, grade
from corelab.grading.walls.limits import Limits
from tests.grading.bank.a1 import CASES, QUICK, RELEASE, SOURCE


@pytest.fixture(scope="module")
def results(warm: str) -> dict[str, Result]:
    def graded(name: str) -> Result:
        content = json.dumps(CASES[name].make()).encode()
        limits = Limits(cell_seconds=120, check_seconds=120)
        texts = SOURCE.read_text(), RELEASE.read_text()
        return grade(Job(name, "a1_training_job", "training_job", *texts, content, limits=limits, walls=warm))

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(QUICK, pool.map(graded, QUICK), strict=True))


@pytest.mark.parametrize("name", QUICK)
def test_a_submission_loses_what_its_mistake_spoils_and_no_more(
    results: dict[str, Result], name: str
) -> None:
    items = [item for item in results[name].items if item.points and item.outcome != MANUAL]
    lost = {item.name for item in items if item.score != item.points}
    assert lost == CASES[name].loses, [
        (i.name, i.findings) for i in items if i.name in lost ^ CASES[name].loses
    ]
    hints = " ".join(str(finding) for item in items if item.name in lost for finding in item.findings)
    assert CASES[name].hint in hints


def test_the_same_submission_gets_the_same_score_every_time(results: dict[str, Result], warm: str) -> None:
    from tests.grading import course

    content = course.as_bytes(course.submission(course.honest() | {"values": "values = [0]"}))
    job = Job("ada", "small", "small", course.source(), course.release(), content, walls=warm)
    with ThreadPoolExecutor(4) as pool:
        assert {
            tuple((i.name, i.score) for i in pool.submit(grade, job).result().items) for _ in range(20)
        } == {(("t1", 3.0), ("t2", 0.0), ("t3", 1.0), ("t4", 3.0), ("why", None))}
