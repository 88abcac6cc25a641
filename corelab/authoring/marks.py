"""Expands the short marks of lesson text to notebook cells with nbgrader's metadata, schema 3.

    mark on the cell's first line            cell      becomes
    given="name"                             any       locked, restored before grading
    solution="name"                          code      the student's work; the region between delimiters is cut
    test="name" points=5                     code      locked and graded
    answer="name" points=4                   markdown  the student's words, graded by a person
    task="name" points=3                     markdown  a free task, graded by a person
    quiz="name" points=1 key="B" hint="..."  markdown  question, answer cell and graded cell; the hint is optional
    guide="G113,G114"  tags=["..."]          any       rows of the guide it serves; notebook tags

A mark's name becomes the cell's id and nbgrader's grade id, so that builds are the same every time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from nbformat import NotebookNode

from corelab.authoring.text import Cell, v4

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,48}\Z")
GUIDE_ROW: Final = re.compile(r"G\d{3}\Z")
BEGIN_SOLUTION: Final = "### BEGIN SOLUTION"
END_SOLUTION: Final = "### END SOLUTION"
BEGIN_HIDDEN: Final = "### BEGIN HIDDEN TESTS"
END_HIDDEN: Final = "### END HIDDEN TESTS"
SIDE_MARKS: Final = {"guide", "tags", "points", "key", "hint"}


@dataclass(frozen=True, slots=True)
class Role:
    """What a mark makes of a cell."""

    kinds: tuple[str, ...]
    points: bool = False
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False


ROLES: Final = {
    "given": Role(("code", "markdown"), locked=True),
    "solution": Role(("code",), solution=True),
    "test": Role(("code",), points=True, grade=True, locked=True),
    "answer": Role(("markdown",), points=True, grade=True, solution=True),
    "task": Role(("markdown",), points=True, locked=True, task=True),
    "quiz": Role(("markdown",), points=True),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one cell, checked."""

    role: str | None
    name: str | None
    points: int | None
    key: str | None
    guide: tuple[str, ...]
    tags: tuple[str, ...]
    hint: str = ""


def mark_of(cell: Cell) -> Mark:
    """Read and check a cell's mark.

    Raises:
        CourseError: with file and line, whatever is wrong with it.
    """
    unknown = sorted(set(cell.marks) - set(ROLES) - SIDE_MARKS)
    if unknown:
        raise cell.error(f"unknown mark {unknown[0]!r}; known are {', '.join(sorted({*ROLES, *SIDE_MARKS}))}")
    roles = [role for role in ROLES if role in cell.marks]
    if len(roles) > 1:
        raise cell.error(f"a cell has one role, got {' and '.join(roles)}")
    role = roles[0] if roles else None
    mark = Mark(
        role=role,
        name=_name(cell, role),
        points=_points(cell, role),
        key=_key(cell, role),
        guide=_guide(cell),
        tags=tuple(cell.marks.get("tags", ())),
        hint=_hint(cell, role),
    )
    _check_regions(cell, role)
    return mark


def expand(cell: Cell, mark: Mark, plain_id: str) -> Iterator[NotebookNode]:
    """The notebook cells that a lesson cell stands for; ``plain_id`` names an unmarked one."""
    if mark.role == "quiz":
        yield from _quiz_cells(cell, mark)
        return
    metadata = _metadata(cell, mark)
    yield _notebook_cell(cell.kind, cell.source, mark.name or plain_id, metadata)


def _name(cell: Cell, role: str | None) -> str | None:
    if role is None:
        return None
    name = cell.marks[role]
    if not isinstance(name, str) or not NAME.match(name):
        raise cell.error(f'expected {role}="a_name" of small letters, digits and _, at most 49, got {name!r}')
    if cell.kind not in ROLES[role].kinds:
        raise cell.error(f"{role}={name!r} belongs on a {ROLES[role].kinds[0]} cell, this one is {cell.kind}")
    return name


def _points(cell: Cell, role: str | None) -> int | None:
    wanted = role is not None and ROLES[role].points
    points = cell.marks.get("points")
    if not wanted:
        if points is not None:
            raise cell.error(f"points={points!r} needs a graded role: test, answer, task or quiz")
        return None
    # A check worth nothing informs; a person's work always counts.
    least = 0 if role == "test" else 1
    if not isinstance(points, int) or isinstance(points, bool) or not least <= points <= 100:
        raise cell.error(f"{role}={cell.marks[str(role)]!r} needs points={least}..100, got {points!r}")
    return points


def _key(cell: Cell, role: str | None) -> str | None:
    key = cell.marks.get("key")
    if role != "quiz":
        if key is not None:
            raise cell.error("key= belongs to a quiz")
        return None
    options = choices(cell)
    if not isinstance(key, str) or not key or list(key) != sorted(set(key)) or not set(key) <= set(options):
        raise cell.error(f"expected key= with one or more of the options {options!r} in order, got {key!r}")
    return key


def _hint(cell: Cell, role: str | None) -> str:
    hint = cell.marks.get("hint", "")
    if hint and role != "quiz":
        raise cell.error("hint= belongs to a quiz; a check brings its own")
    return str(hint)


def choices(cell: Cell) -> str:
    """The letters of a quiz's options, which are list items such as ``- A. File mode``."""
    letters = "".join(re.findall(r"^- ([A-Z])\. \S", cell.source, re.MULTILINE))
    if len(letters) < 2 or letters != "ABCDEFGHIJ"[: len(letters)]:
        raise cell.error(f"a quiz lists its options as '- A. ...', '- B. ...' in order, got {letters!r}")
    return letters


def _guide(cell: Cell) -> tuple[str, ...]:
    rows = str(cell.marks.get("guide", "")).replace(" ", "").split(",")
    bad = [row for row in rows if row and not GUIDE_ROW.match(row)]
    if bad:
        raise cell.error(f"expected guide rows such as 'G113,G114', got {bad[0]!r}")
    return tuple(row for row in rows if row)


def _check_regions(cell: Cell, role: str | None) -> None:
    lines = [line.strip() for line in cell.source.splitlines()]
    for begin, end, allowed in (
        (BEGIN_SOLUTION, END_SOLUTION, {"solution", "answer"}),
        (BEGIN_HIDDEN, END_HIDDEN, {"test"}),
    ):
        starts = [number for number, line in enumerate(lines) if line.startswith(begin)]
        ends = [number for number, line in enumerate(lines) if line == end]
        if starts and role not in allowed:
            raise cell.error(f"'{begin}' stands in a cell that is no {' or '.join(sorted(allowed))}")
        if len(starts) != len(ends) or any(a >= b for a, b in zip(starts, ends, strict=True)):
            raise cell.error(f"'{begin}' and '{end}' do not pair up")
        if role == "solution" and begin == BEGIN_SOLUTION and not starts:
            raise cell.error(f"a solution needs its '{begin}' and '{end}' lines")


def _metadata(cell: Cell, mark: Mark) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if mark.tags:
        metadata["tags"] = list(mark.tags)
    if mark.guide:
        metadata["corelab"] = {"guide": list(mark.guide)}
    if mark.role:
        metadata["nbgrader"] = _nbgrader(cell.kind, str(mark.name), ROLES[mark.role], mark.points)
    return metadata


def _nbgrader(kind: str, name: str, role: Role, points: int | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": name,
        "cell_type": kind,
        "grade": role.grade,
        "solution": role.solution,
        "locked": role.locked,
        "task": role.task,
    }
    return entry if points is None else entry | {"points": points}


def _quiz_cells(cell: Cell, mark: Mark) -> Iterator[NotebookNode]:
    # The checks bring pandas and boto3, which nobody needs who only reads marks.
    from corelab.checks.choices import seal

    name, options = str(mark.name), choices(cell)
    wanted = "the letters of all that are right" if len(str(mark.key)) > 1 else "one letter"
    question = _metadata(cell, Mark("given", f"{name}_question", None, None, mark.guide, mark.tags))
    yield _notebook_cell("markdown", cell.source, f"{name}_question", question)
    answer = [
        f'{BEGIN_SOLUTION}: write {name} = "..." with {wanted} in the quotes',
        f'{name} = "{mark.key}"',
        END_SOLUTION,
    ]
    roles = {"solution": ROLES["solution"], "test": ROLES["test"]}
    metadata = {"nbgrader": _nbgrader("code", name, roles["solution"], None)}
    yield _notebook_cell("code", "\n".join(answer), name, metadata)
    hint = f", hint={json.dumps(mark.hint, ensure_ascii=False)}" if mark.hint else ""
    check = [
        f'checks.choice("{name}", {name}, among="{options}", seal="{seal(name, str(mark.key))}"{hint})',
        BEGIN_HIDDEN,
        f'checks.chosen("{name}", {name}, "{mark.key}")',
        END_HIDDEN,
    ]
    metadata = {"nbgrader": _nbgrader("code", f"{name}_check", roles["test"], mark.points)}
    yield _notebook_cell("code", "\n".join(check), f"{name}_check", metadata)


def _notebook_cell(kind: str, source: str, identity: str, metadata: dict[str, Any]) -> NotebookNode:
    make = v4.new_markdown_cell if kind == "markdown" else v4.new_code_cell
    cell: NotebookNode = make(source, id=identity, metadata=metadata)
    return cell
