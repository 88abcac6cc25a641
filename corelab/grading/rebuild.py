"""Rebuilds a submission: the instructor's notebook with the student's text in the student's places.

Nothing is repaired. Metadata, tags, outputs, points and locked cells of the submission are not looked at, so
none of them can do harm; cells that the student added stay as plain cells where they were.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from corelab.grading.plan import Cell, Plan, text_of, without_hidden

MOST_CELLS: Final = 2_000
LONGEST_CELL: Final = 1 << 20
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif")


class Unreadable(Exception):
    """The file is no notebook; one line says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """A cell as the student handed it in; ``name`` is what its metadata claim it to be."""

    kind: str
    source: str
    name: str | None
    identity: str | None
    attachments: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of the rebuilt notebook. ``cell`` is the instructor's, None for one the student added."""

    cell: Cell | None
    kind: str
    source: str
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Rebuilt:
    """What will be run and graded, and what a person should know about how it differs."""

    steps: list[Step]
    edition: str
    remarks: list[str]


def rebuild(plan: Plan, content: bytes) -> Rebuilt:
    """Place the student's text into the plan.

    Raises:
        Unreadable: the content is no notebook at all.
    """
    notebook = _parsed(content)
    given = _cells(notebook)
    placed, extras, remarks = _placed(plan, given)
    steps = [Step(None, cell.kind, cell.source) for cell in extras.get(-1, [])]
    for cell in plan.cells:
        steps.append(_step(plan, cell, placed.get(cell.index), remarks))
        steps += [Step(None, extra.kind, extra.source) for extra in extras.get(cell.index, [])]
    edition = _edition(notebook)
    if edition and plan.edition and edition != plan.edition:
        remarks.append(
            f"written for edition {edition} of the assignment, graded against edition {plan.edition}: "
            "cells that changed in between may be judged by the new text"
        )
    return Rebuilt(steps, edition, remarks)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("not a text file") from None
    except RecursionError:
        raise Unreadable("nested too deeply to be a notebook") from None
    except ValueError as problem:
        raise Unreadable(f"not JSON: {problem}" if content.strip() else "an empty file") from None
    if not isinstance(notebook, dict):
        raise Unreadable("JSON, but no notebook")
    return notebook


def _cells(notebook: dict[str, Any]) -> list[Given]:
    raw = notebook.get("cells")
    if raw is None:  # nbformat 3
        sheets = notebook.get("worksheets")
        raw = (
            sheets[0].get("cells")
            if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict)
            else None
        )
    if not isinstance(raw, list):
        raise Unreadable("JSON, but no notebook: it has no list of cells")
    if len(raw) > MOST_CELLS:
        raise Unreadable(f"{len(raw):,} cells; at most {MOST_CELLS:,} are graded")
    return [_given(cell) for cell in raw if isinstance(cell, dict)]


def _given(raw: dict[str, Any]) -> Given:
    metadata = raw.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = mark.get("grade_id") if isinstance(mark, dict) else None
    text = text_of(raw) or text_of({"source": raw.get("input", "")})
    return Given(
        kind="code" if raw.get("cell_type") == "code" else "markdown",
        source=_without_surrogates(text[:LONGEST_CELL]),
        name=name if isinstance(name, str) else None,
        identity=raw["id"] if isinstance(raw.get("id"), str) else None,
        attachments=_attachments(raw.get("attachments")),
    )


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _attachments(raw: Any) -> dict[str, dict[str, str]]:
    """Pictures pasted into an answer; nothing else that a browser would open."""
    if not isinstance(raw, dict):
        return {}
    kept = {
        str(name): {
            kind: data for kind, data in bundle.items() if kind in _PICTURES and isinstance(data, str)
        }
        for name, bundle in raw.items()
        if isinstance(bundle, dict)
    }
    return {name: bundle for name, bundle in kept.items() if bundle}


def _placed(plan: Plan, given: list[Given]) -> tuple[dict[int, Given], dict[int, list[Given]], list[str]]:
    by_name = {cell.grade_id: cell for cell in plan.cells if cell.grade_id}
    by_identity = {cell.identity: cell for cell in plan.cells if not cell.grade_id}
    by_text = {(cell.kind, cell.source): cell for cell in plan.cells if not cell.grade_id}
    placed: dict[int, Given] = {}
    extras: dict[int, list[Given]] = {}
    anchor, copies = -1, 0
    for cell in given:
        home = (
            by_name.get(cell.name or "")
            or by_identity.get(cell.identity or "")
            or by_text.get((cell.kind, cell.source))
        )
        if home is None:
            extras.setdefault(anchor, []).append(cell)
        elif home.index in placed:
            copies += 1
            extras.setdefault(anchor, []).append(cell)
        else:
            placed[home.index] = cell
            anchor = home.index
    remarks = [f"{copies} copied cells were kept as plain cells"] if copies else []
    return placed, extras, remarks


def _step(plan: Plan, cell: Cell, student: Given | None, remarks: list[str]) -> Step:
    if cell.locked:
        if student is None:
            if cell.role == "test":
                remarks.append(f"the check {cell.grade_id} was missing and was put back")
        elif student.source.rstrip() not in _handed_out(plan, cell):
            remarks.append(f"the locked cell {cell.grade_id} was changed and was put back")
        return Step(cell, cell.kind, cell.source)
    if student is None:
        if cell.role == "plain":
            return Step(cell, cell.kind, cell.source)
        remarks.append(f"the cell {cell.grade_id} is missing")
        return Step(cell, cell.kind, "")
    return Step(cell, cell.kind, student.source, student.attachments if cell.kind == "markdown" else {})


def _handed_out(plan: Plan, cell: Cell) -> set[str]:
    return {
        cell.source.rstrip(),
        without_hidden(cell.source).rstrip(),
        plan.released.get(cell.grade_id or "", "").rstrip(),
    }


def _edition(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    mark = metadata.get("corelab") if isinstance(metadata, dict) else None
    edition = mark.get("edition") if isinstance(mark, dict) else None
    return edition[:64] if isinstance(edition, str) else ""
