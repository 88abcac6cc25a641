"""What a check needs is read from the instructor's notebook alone."""

from __future__ import annotations

import json

import pytest

from corelab.errors import CourseError
from corelab.grading.names import names_of
from corelab.grading.plan import Plan
from tests.grading import course

PLAN = Plan(course.source(), course.release())


def cell(name: str):  # type: ignore[no-untyped-def]
    return next(cell for cell in PLAN.cells if cell.identity == name)


def test_only_names_that_solutions_bind_come_from_students() -> None:
    assert PLAN.student_names == {"double", "values", "word", "table"}
    assert PLAN.wanted(cell("t4")) == ["double", "table"]


def test_instructors_cells_that_no_check_needs_are_not_judged() -> None:
    assert PLAN.judged == {cell("setup").index}


def test_roles_follow_the_metadata() -> None:
    assert {c.identity: c.role for c in PLAN.cells if c.grade_id} == {
        "setup": "given", "double": "solution", "t1": "test", "values": "solution", "t2": "test",
        "word": "solution", "t3": "test", "table": "solution", "t4": "test", "why": "answer",
    }  # fmt: skip


def test_a_broken_source_says_what_to_do() -> None:
    with pytest.raises(CourseError, match="corelab build"):
        Plan("{}")


@pytest.mark.parametrize(
    ("source", "binds", "reads"),
    [
        ("a = b", {"a"}, {"b"}),
        ("import x.y as z, q.r", {"z", "q"}, set()),
        ("def f(p):\n    inner = g\n    return p", {"f"}, {"g"}),
        ("for i, (j, k) in rows: pass", {"i", "j", "k"}, {"rows"}),
        ("with open(p) as f: (n := 1)", {"f", "n"}, {"p"}),
        ("squares = [x for x in xs]", {"squares"}, {"xs"}),
        ("f = lambda p, q=d: p + q + g", {"f"}, {"d", "g"}),
        ("def f():\n    def inner(): return own + g\n    own = 1\n    return inner", {"f"}, {"g"}),
        ("axis = new()\naxis.plot(x)", {"axis"}, {"new", "x"}),
        ("axis.plot(x)\naxis = new()", {"axis"}, {"axis", "new", "x"}),
        ("def f(): return late\nlate = 1", {"f", "late"}, {"late"}),
        ("if c:\n    a = 1\na", {"a"}, {"a", "c"}),
        ("for row in rows:\n    last = row\nlast", {"row", "last"}, {"rows", "last"}),
        ("try:\n    a = f()\nexcept E as e:\n    a = e\na", {"a"}, {"f", "E", "a"}),
        ("n += 1", {"n"}, {"n"}),
        ("table[key] = value", set(), {"table", "key", "value"}),
        ("with open(p) as f: x = f.read()\nx", {"f", "x"}, {"p"}),
        ("answer = await ask()", {"answer"}, {"ask"}),
        ("if c:\n    a = 1\nelse:\n    b = 2", {"a", "b"}, {"c"}),
        ("class K:\n    field = v", {"K"}, {"v"}),
        ("try: pass\nexcept E as e: pass", set(), {"E"}),
        ("not python at all", set(), set()),
    ],
)
def test_names_are_found_without_running(source: str, binds: set[str], reads: set[str]) -> None:
    found = names_of(source)
    assert (found.binds, found.reads) == (binds, reads)


def test_magic_is_noticed() -> None:
    assert names_of("!ls").magic
    assert names_of("%time x = 1").magic
    assert not names_of("x = 1").magic


def test_a_check_gets_what_the_instructors_functions_in_it_read() -> None:
    made = course.notebook(
        [
            course.cell("prefix = 'x'", "prefix", "solution"),
            course.cell("def named(label):\n    return joined(label)", "outer", "given"),
            course.cell("def joined(label):\n    return prefix + label", "inner", "given"),
            course.cell("other = 1", "other", "solution"),
            course.cell("assert named('y') == 'xy'", "late", "test", 1),
        ]
    )
    plan = Plan(json.dumps(made))
    assert plan.wanted(plan.cells[-1]) == ["prefix"]
