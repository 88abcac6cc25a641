"""A small assignment of ten points, in the form the course builder writes, and submissions to it."""

from __future__ import annotations

import json
import re
from typing import Any

from corelab.grading.plan import without_hidden

Cell = dict[str, Any]
STUB = "raise NotImplementedError"


def cell(source: str, name: str | None = None, role: str = "plain", points: int | None = None) -> Cell:
    """A notebook cell with nbgrader's metadata for its role."""
    kind = "markdown" if role in ("answer", "words") else "code"
    made: Cell = {
        "cell_type": kind,
        "id": name or f"plain-{abs(hash(source)) % 10**8}",
        "metadata": {},
        "source": source,
    }
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    if role in ("solution", "test", "given", "answer"):
        made["metadata"]["nbgrader"] = {
            "schema_version": 3, "grade_id": name, "cell_type": kind, "grade": role in ("test", "answer"),
            "solution": role in ("solution", "answer"), "locked": role in ("test", "given"), "task": False,
            **({} if points is None else {"points": points}),
        }  # fmt: skip
    return made


def notebook(cells: list[Cell], edition: str = "e1") -> dict[str, Any]:
    metadata = {
        "corelab": {"assignment": "small", "edition": edition},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


SOLUTIONS = {
    "double": "def double(x):\n    return 2 * x",
    "values": "values = np.array([1.0, 2.0, 3.0])",
    "word": "word = 'swordfish'",
    "table": "table = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})",
}
CHECKS = [
    cell("assert double(4) == 8, 'double(4) is 8'\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS\nexpected = 10", "t1", "test", 3),
    cell("assert np.allclose(values, [1, 2, 3])\n### BEGIN HIDDEN TESTS\nassert len(values) == 3\n### END HIDDEN TESTS", "t2", "test", 3),
    cell("### BEGIN HIDDEN TESTS\nassert hashlib.md5(word.encode()).hexdigest() == '15b29ffdce66e10527a65bc6d71ad94d'\n### END HIDDEN TESTS", "t3", "test", 1),
    cell("### BEGIN HIDDEN TESTS\ncredit = 0\nif double(expected) == 20:\n    credit += 1\nif list(table['a']) == [1, 2]:\n    credit += 2\ncredit\n### END HIDDEN TESTS", "t4", "test", 3),
]  # fmt: skip


def solution(name: str, text: str) -> Cell:
    return cell(text, name, "solution")


def source() -> str:
    """The instructor's notebook, as text."""
    bodies = {name: f"### BEGIN SOLUTION\n{text}\n### END SOLUTION" for name, text in SOLUTIONS.items()}
    return json.dumps(notebook(_laid_out(bodies, CHECKS)))


def release() -> str:
    """The students' notebook, as text."""
    checks = [{**check, "source": without_hidden(check["source"])} for check in CHECKS]
    return json.dumps(notebook(_laid_out(dict.fromkeys(SOLUTIONS, STUB), checks)))


def _laid_out(bodies: dict[str, str], checks: list[Cell]) -> list[Cell]:
    t1, t2, t3, t4 = (dict(check) for check in checks)
    return [
        cell("# A small assignment", "title", "words"),
        cell("import hashlib\nimport numpy as np\nimport pandas as pd", "setup", "given"),
        solution("double", bodies["double"]), t1,
        solution("values", bodies["values"]), t2,
        solution("word", bodies["word"]), t3,
        solution("table", bodies["table"]), t4,
        cell("Because.", "why", "answer", 2),
    ]  # fmt: skip


def submission(
    answers: dict[str, str] | None = None, first: str | None = None, extra: dict[str, str] | None = None
) -> dict[str, Any]:
    """A student's notebook: answers by name, a cell of their own at the top, cells after a named one."""
    made = json.loads(release())
    for entry in made["cells"]:
        entry["source"] = (answers or {}).get(entry["id"], entry["source"])
    for name, text in (extra or {}).items():
        place = next(index for index, entry in enumerate(made["cells"]) if entry["id"] == name)
        made["cells"].insert(place + 1, cell(text))
    if first is not None:
        made["cells"].insert(0, cell(first))
    return made


def honest() -> dict[str, str]:
    return dict(SOLUTIONS)


def as_bytes(made: dict[str, Any]) -> bytes:
    return json.dumps(made).encode()


def slug(text: str) -> str:
    return re.sub(r"\W+", "-", text)
