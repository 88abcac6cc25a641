"""What students read: each check with expected, got and hint; a page and JSON from the same data, both inert."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from corelab.grading.document import told
from corelab.grading.result import Result

if TYPE_CHECKING:
    from jinja2 import Template

_HIDDEN = ("expected", "got", "note")


def summary(result: Result, marks: dict[str, Any] | None) -> dict[str, Any]:
    """The feedback as data: nothing of a hidden check but its idea and its hint.

    Args:
        marks: what the gradebook says by now, None when only the autograder has spoken.
    """
    checks = []
    for item in result.items:
        findings = [_shown(finding) for finding in item.findings]
        score = (marks or {}).get("grades", {}).get(item.name, item.score)
        waiting = item.name in marks["waiting"] if marks else item.score is None
        checks.append({
            "name": item.name, "points": item.points, "score": None if waiting else score, "outcome": item.outcome,
            "findings": findings, "evidence": item.evidence,
            "comment": (marks or {}).get("comments", {}).get(item.name, ""),
        })  # fmt: skip
    return {
        "student": result.student,
        "assignment": result.assignment,
        "state": result.state,
        "reason": result.reason,
        "remarks": result.remarks,
        "edition": {"submitted": result.submitted_edition, "graded": result.edition},
        "score": marks["score"] - marks["penalty"] if marks else result.score,
        "most": result.most,
        "late_penalty": marks["penalty"] if marks else 0,
        "checks": checks,
    }


def page(result: Result, marks: dict[str, Any] | None) -> dict[str, str]:
    """The feedback's files by name."""
    data = summary(result, marks)
    html = _template().render(feedback=data)
    name = f"{result.notebook_name}_checks"
    return {f"{name}.json": json.dumps(data, indent=1) + "\n", f"{name}.html": html}


def safe(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with every text and output of the student's inert in a browser."""
    import nbformat
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    node = nbformat.from_dict(notebook)  # a copy
    sanitizer = SanitizeHTML(enabled=True)
    for index, cell in enumerate(node.cells):
        mark = cell.metadata.get("nbgrader", {})
        instructors = mark.get("locked") or (mark.get("grade") and not mark.get("solution"))
        if not instructors or cell.cell_type == "code":
            node.cells[index], _ = sanitizer.preprocess_cell(cell, {}, index)
    return dict(node)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader

    # Everything a student wrote reaches the page through this escaping.
    environment = Environment(loader=PackageLoader("corelab.grading", "templates"), autoescape=True)
    environment.filters["told"] = told
    return environment.get_template("feedback.html")


def _shown(finding: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if finding["hidden"] and name in _HIDDEN else value for name, value in finding.items()}
