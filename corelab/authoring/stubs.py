"""Steps of nbgrader's own that this course changes: what is cut, and what is left in its place."""

from __future__ import annotations

import re
from typing import Any, Final

from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor

from corelab.authoring import rubrics
from corelab.authoring.marks import BEGIN_SOLUTION

STUB: Final = re.compile(rf"^(?P<indent>\s*){re.escape(BEGIN_SOLUTION)}(?::\s*(?P<hint>.+))?$", re.MULTILINE)


class ExplainingClearSolutions(ClearSolutions):  # type: ignore[misc]
    """nbgrader's ClearSolutions; text after ``### BEGIN SOLUTION:`` goes into the NotImplementedError."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        hints = [found["hint"] for found in STUB.finditer(cell.source)] if cell.cell_type == "code" else []
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "this cell")
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        for hint in hints:
            words = f"{name} is not written yet: {hint}" if hint else f"{name} is not written yet"
            cell.source = cell.source.replace("NotImplementedError()", f"NotImplementedError({words!r})", 1)
        return cell, resources


class ClearRubrics(NbGraderPreprocessor):  # type: ignore[misc]
    """Leaves out of feedback what stands below an answer for its grader."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        nb.cells = [cell for cell in nb.cells if rubrics.TAG not in cell.metadata.get("tags", [])]
        return nb, resources


# nbgrader's own list and order, with our stub.
PREPROCESSORS: Final = [
    ExplainingClearSolutions if step is ClearSolutions else step
    for step in GenerateAssignment.preprocessors.default()
]
