"""The instructor's notebook is in charge; the student's text stands in the student's places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corelab.grading.plan import Plan, without_hidden
from corelab.grading.rebuild import Rebuilt, Unreadable, rebuild
from tests.grading import course

PLAN = Plan(course.source(), course.release())


def of(notebook: dict[str, Any]) -> Rebuilt:
    return rebuild(PLAN, course.as_bytes(notebook))


def texts(rebuilt: Rebuilt) -> dict[str, str]:
    return {step.cell.identity: step.source for step in rebuilt.steps if step.cell}


def test_answers_stand_in_their_cells_and_checks_are_the_instructors() -> None:
    found = texts(of(course.submission(course.honest())))
    assert found["double"] == course.SOLUTIONS["double"]
    assert "42" in found["t1"]


def test_an_untouched_release_leads_to_no_remark() -> None:
    assert of(course.submission()).remarks == []


def test_extra_cells_stay_where_they_were() -> None:
    made = course.submission(course.honest(), first="first = 1", extra={"values": "between = 2"})
    steps = [step.source for step in of(made).steps]
    assert steps[0] == "first = 1"
    assert steps.index("between = 2") == steps.index(course.SOLUTIONS["values"]) + 1


def test_a_changed_check_is_put_back_and_mentioned() -> None:
    made = course.submission()
    next(cell for cell in made["cells"] if cell["id"] == "t1")["source"] = "pass"
    found = of(made)
    assert "42" in texts(found)["t1"]
    assert found.remarks == ["the locked cell t1 was changed and was put back"]


def test_a_missing_cell_is_empty_and_mentioned() -> None:
    made = course.submission(course.honest())
    made["cells"] = [cell for cell in made["cells"] if cell["id"] not in ("values", "t2")]
    found = of(made)
    assert texts(found)["values"] == ""
    assert found.remarks == ["the cell values is missing", "the check t2 was missing and was put back"]


def test_another_edition_is_explained() -> None:
    made = course.submission()
    made["metadata"]["corelab"]["edition"] = "old"
    found = of(made)
    assert found.edition == "old"
    assert "edition old" in found.remarks[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"), (b"\x00\xff", "not a text"), (b"{", "not JSON"), (b"[]", "no notebook"), (b"{}", "no notebook"),
        (b'{"cells": 3}', "no notebook"), (b"[" * 100_000, "nested"), (json.dumps({"cells": [{}] * 3000}).encode(), "3,000 cells"),
        (b'{"worksheets": [1]}', "no notebook"), (b"PK\x03\x04", "not JSON"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_what_is_no_notebook_is_refused_in_one_line(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why) as refused:
        rebuild(PLAN, content)
    assert "\n" not in str(refused.value)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["cells", "cell_type", "source", "metadata", "nbgrader", "grade_id", "id", "input", "attachments", "worksheets"]),
        inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(junk, max_size=6), junk)
def test_any_json_is_rebuilt_with_all_checks_or_refused(cells: list[Any], metadata: Any) -> None:
    found = rebuild(PLAN, json.dumps({"cells": cells, "metadata": metadata}).encode())
    assert [step.source for step in found.steps if step.cell and step.cell.role == "test"] == [
        check["source"] for check in course.CHECKS
    ]


def test_pictures_in_an_answer_stay_and_nothing_else_does() -> None:
    made = course.submission()
    made["cells"][-1]["attachments"] = {
        "a.png": {"image/png": "AAAA", "text/html": "<script>"},
        "b": {"image/svg+xml": "x"},
        "c": 3,
    }
    assert of(made).steps[-1].attachments == {"a.png": {"image/png": "AAAA"}}


def test_students_see_checks_without_their_hidden_part() -> None:
    assert without_hidden("a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc") == "a\nc"
    assert without_hidden("### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS") == ""
