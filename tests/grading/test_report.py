"""A class report says which checks are hard, which tell nothing, and whose answers are alike."""

from __future__ import annotations

import csv
import io

from corelab.grading import report as class_report
from corelab.grading.result import Item, Result

LONG = "total = 0\nfor row in rows:\n    total += row.price * {0}\nprint(total, {1})"


def result(student: str, scores: dict[str, float], texts: dict[str, str] | None = None) -> Result:
    wrong = [{"outcome": "wrong", "claim": "It is so", "hidden": False, "hint": "look again"}]
    items = [
        Item(name, 1, "right" if score else "wrong", score, [] if score else wrong)
        for name, score in scores.items()
    ]
    cells = [
        {
            "cell_type": "code",
            "source": text,
            "metadata": {"nbgrader": {"solution": True, "grade": False, "grade_id": name}},
        }
        for name, text in (texts or {}).items()
    ]
    return Result(student, "a", "a", "d", items=items, notebook={"cells": cells})


def test_counts_and_usual_mistakes_are_those_of_the_class() -> None:
    made = class_report.report("a", [result(f"s{n}", {"one": n % 2, "two": 1}) for n in range(6)])
    one, two = made.checks
    assert (one.counts["right"], one.counts["wrong"], one.mistakes) == (3, 3, [("It is so: look again", 3)])
    assert (two.counts["right"], two.discrimination) == (6, None)


def test_a_check_that_the_strong_lose_is_pointed_out() -> None:
    strong = [result(f"s{n}", {"good": 1, "fine": 1, "odd": 0}) for n in range(5)]
    weak = [result(f"w{n}", {"good": 0, "fine": 0, "odd": 1}) for n in range(5)]
    made = {check.name: check for check in class_report.report("a", strong + weak).checks}
    assert made["odd"].poor
    assert not made["good"].poor


def test_answers_that_differ_in_names_and_comments_only_are_found() -> None:
    texts = {f"c{n}": LONG.format(n, "'x'") for n in range(4)}
    renamed = {
        name: "# mine\n" + text.replace("total", "summe").replace("row", "zeile")
        for name, text in texts.items()
    }
    others = [
        result(f"o{k}", {}, {f"c{n}": LONG.format(n + 10 * k + 10, f"'{k}'") for n in range(4)})
        for k in range(6)
    ]
    pairs = class_report.alike([result("ann", {}, texts), result("bob", {}, renamed), *others])
    assert pairs == [("ann", "bob", 1.0)]


def test_what_the_whole_class_writes_is_nobodys_copy() -> None:
    texts = {f"c{n}": LONG.format(n, "'x'") for n in range(4)}
    assert class_report.alike([result(f"s{n}", {}, texts) for n in range(10)]) == []


def test_the_table_runs_no_formula_and_has_every_check() -> None:
    rows = list(csv.DictReader(io.StringIO(class_report.as_csv([result("=cmd()", {"one": 1, "two": 0})]))))
    assert rows == [
        {
            "student": "'=cmd()",
            "state": "graded",
            "score": "1",
            "most": "2",
            "one": "1",
            "two": "0",
            "reason": "",
        }
    ]


def test_the_page_shows_students_text_inert() -> None:
    made = class_report.report("a", [result("<script>", {"one": 0}, {}), result("x", {"one": 1})])
    page = class_report.as_page(made)
    assert "<script>" not in page
    assert "It is so: look again" in page


def test_a_class_of_none_or_one_has_a_report() -> None:
    assert class_report.report("a", []).students == 0
    assert class_report.report("a", [result("x", {"one": 1})]).quartiles == (1, 1, 1)
