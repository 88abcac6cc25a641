"""The executed notebook: the instructor's cells with the student's text, and the outputs that count."""

from __future__ import annotations

from typing import Any, Final

from corelab.grading.plan import Cell, Plan
from corelab.grading.rebuild import Step
from corelab.grading.result import RIGHT, UNKNOWN, Item

_MOST_DATA: Final = 4 << 20
_STREAMS: Final = ("stdout", "stderr")


class Document:
    """Grows cell by cell; ``notebook`` is nbformat 4.5."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._count = self._extra = 0
        self.notebook: dict[str, Any] = {
            "cells": [],
            "metadata": plan.notebook.get("metadata", {}),
            "nbformat": 4,
            "nbformat_minor": 5,
        }

    def add(self, step: Step, outputs: list[dict[str, Any]] | None = None) -> None:
        """A cell as it was run; whatever its outputs claim to be, they become well-formed ones."""
        cell: dict[str, Any] = {
            "cell_type": step.kind,
            "id": self._identity(step.cell),
            "metadata": self._metadata(step.cell),
            "source": step.source,
        }
        if step.kind == "code":
            self._count += 1
            clean = [output for raw in outputs or [] if (output := _clean(raw, self._count)) is not None]
            cell |= {"execution_count": self._count, "outputs": clean}
        elif step.attachments:
            cell["attachments"] = step.attachments
        self.notebook["cells"].append(cell)

    def add_check(self, step: Step, cell: Cell, item: Item) -> None:
        """A check with what the judge found, in the form nbgrader scores."""
        self.add(step, list(_verdict(cell, item)))

    def _identity(self, cell: Cell | None) -> str:
        if cell is not None:
            return cell.identity
        self._extra += 1
        return f"student-{self._extra}"

    def _metadata(self, cell: Cell | None) -> dict[str, Any]:
        if cell is None:
            return {}
        metadata = {name: value for name, value in cell.metadata.items() if name in ("nbgrader", "corelab")}
        if cell.grade_id in self._plan.checksums and "nbgrader" in metadata:
            metadata["nbgrader"] = {**metadata["nbgrader"], "checksum": self._plan.checksums[cell.grade_id]}
        return metadata


def _verdict(cell: Cell, item: Item) -> list[dict[str, Any]]:
    lines = [line for finding in item.findings for line in told(finding)]
    outputs: list[dict[str, Any]] = []
    if lines:
        outputs.append({"output_type": "stream", "name": "stdout", "text": "\n".join(lines) + "\n"})
    if item.score is not None and 0 < item.score < item.points:
        data = {"text/plain": f"{item.score:g}"}
        outputs.append({"output_type": "execute_result", "data": data, "metadata": {}})
    elif item.outcome == UNKNOWN or (item.score == 0 and item.points):
        first = next((f for f in item.findings if f["outcome"] != RIGHT), {"claim": item.outcome})
        kind = "CheckFailed" if item.outcome != UNKNOWN else "CannotTell"
        outputs.append(
            {"output_type": "error", "ename": kind, "evalue": first["claim"], "traceback": [first["claim"]]}
        )
    return outputs


def told(finding: dict[str, Any]) -> list[str]:
    """A finding as a learner reads it; of a hidden check its idea and its hint, not its data."""
    sign = {RIGHT: "✓", UNKNOWN: "?"}.get(finding["outcome"], "✗")
    title = f"{sign} {'Hidden check: ' if finding['hidden'] else ''}{finding['claim']}"
    if finding["outcome"] == RIGHT:
        note = finding.get("note")
        return [f"{title} ({note})" if note and not finding["hidden"] else title]
    lines = [title]
    for name in ("expected", "got"):
        if finding.get(name) and not finding["hidden"]:
            lines.append(f"    {name + ':':10}{finding[name]}")
    if finding.get("hint"):
        lines.append(f"    hint:     {finding['hint']}")
    if finding["outcome"] == UNKNOWN:
        lines.append("    This could not be decided by program; a person will look at it.")
    return lines


def _clean(raw: dict[str, Any], count: int) -> dict[str, Any] | None:
    kind = raw.get("output_type")
    if kind == "stream":
        name = raw.get("name") if raw.get("name") in _STREAMS else "stdout"
        return {"output_type": "stream", "name": name, "text": str(raw.get("text", ""))[:_MOST_DATA]}
    if kind == "error":
        trace = raw.get("traceback")
        lines = [str(line)[:4000] for line in trace[:200]] if isinstance(trace, list) else []
        error = {name: str(raw.get(name, ""))[:4000] for name in ("ename", "evalue")}
        return {"output_type": "error", **error, "traceback": lines}
    if kind in ("display_data", "execute_result"):
        output = {"output_type": kind, "data": _data(raw.get("data")), "metadata": {}}
        return output | ({"execution_count": count} if kind == "execute_result" else {})
    return None


def _data(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    return {
        str(kind): value
        for kind, value in raw.items()
        if isinstance(value, str) and len(value) <= _MOST_DATA and str(kind).count("/") == 1
    }
