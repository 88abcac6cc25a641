"""The instructors' page says who submitted what, what wants a person, and leads to formgrader."""

from __future__ import annotations

import re
from pathlib import Path

from corelab.grading import overview
from corelab.grading.result import MANUAL, NEEDS_HUMAN, REJECTED, UNKNOWN, Item, Result
from tests.grading.test_report import LONG, result

HOSTILE = '<script>alert(1)</script>"'


def handed_in(root: Path, student: str, assignment: str) -> None:
    (root / student / assignment).mkdir(parents=True)


def test_every_student_is_shown_with_what_is_missing_waiting_and_graded(tmp_path: Path) -> None:
    for student, assignment in (("ann", "a1"), ("ann", "a2"), ("bob", "a1")):
        handed_in(tmp_path, student, assignment)
    handed_in(tmp_path, "ann", "notes-of-her-own")
    made = overview.overview(tmp_path, {"a1": [result("ann", {"one": 1, "two": 0})], "a2": []})
    states = {student: [entry.state for entry in entries] for student, entries in made.students.items()}
    assert states == {"ann": ["graded", "waiting"], "bob": ["waiting", "missing"]}
    assert (made.students["ann"][0].score, made.students["ann"][0].most) == (1, 2)
    assert made.counts() == [{"graded": 1, "waiting": 1}, {"waiting": 1, "missing": 1}]


def test_what_wants_a_person_is_flagged(tmp_path: Path) -> None:
    items = [Item("one", 1, UNKNOWN, None), Item("why", 5, MANUAL, None), Item("how", 5, MANUAL, 4.0)]
    unsure = Result(
        "ann", "a1", "n", "d", NEEDS_HUMAN, "the cloud did not answer", ["a changed check"], items
    )
    broken = Result("bob", "a1", "n", "d", REJECTED, "no notebook")
    made = overview.overview(tmp_path, {"a1": [unsure, broken]})
    assert made.students["ann"][0].flags == [
        "1 could not be told",
        "1 for a person to grade",
        "the cloud did not answer",
        "a changed check",
    ]
    assert made.students["bob"][0].flags == ["no notebook"]


def test_answers_that_are_alike_flag_both(tmp_path: Path) -> None:
    texts = {f"c{n}": LONG.format(n, "'x'") for n in range(4)}
    others = [
        result(f"o{k}", {}, {f"c{n}": LONG.format(n + 10 * k + 10, f"'{k}'") for n in range(4)})
        for k in range(6)
    ]
    made = overview.overview(tmp_path, {"a1": [result("ann", {}, texts), result("bob", {}, texts), *others]})
    assert [made.students[name][0].flags for name in ("ann", "bob", "o1")] == [
        ["alike: bob"],
        ["alike: ann"],
        [],
    ]


def test_the_page_is_inert_and_its_links_lead_to_formgrader_and_the_reports(tmp_path: Path) -> None:
    sly = Result(HOSTILE, "a1", "n", "d", REJECTED, HOSTILE, [HOSTILE])
    page = overview.as_page(overview.overview(tmp_path, {"a1": [sly]}, "https://hub.example/formgrader/"))
    assert "<script" not in page
    assert set(re.findall(r'href="([^"]*)"', page)) == {
        "a1.html",
        "https://hub.example/formgrader/manage_submissions/a1",
        "https://hub.example/formgrader/manage_students/%3Cscript%3Ealert%281%29%3C%2Fscript%3E%22/a1",
    }


def test_a_class_that_has_not_begun_has_a_page(tmp_path: Path) -> None:
    made = overview.overview(tmp_path / "submitted", {"a1": []})
    assert "Nobody has submitted anything." in overview.as_page(made)
