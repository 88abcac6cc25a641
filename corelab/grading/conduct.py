"""One submission from file to result: the kernel runs the student's cells, the judge decides the checks.

step by step:  student's or plain cell ─▶ kernel
               check ─▶ kernel: values of the wanted names ─▶ judge: bind, check ─▶ item
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

from corelab.grading.document import Document
from corelab.grading.plan import Cell, Plan
from corelab.grading.rebuild import Rebuilt, Step
from corelab.grading.result import MANUAL, RIGHT, UNKNOWN, WRONG, Item
from corelab.grading.runtime import Household
from corelab.grading.walls.frames import TooSlow
from corelab.grading.walls.limits import Limits
from corelab.grading.walls.occupant import Gone, Occupant
from corelab.grading.walls.parent import WallsFailed

_INTERRUPT_GRACE: Final = 2.0
_VALUES_SECONDS: Final = 20.0
_MOST_STARTS: Final = 4
_CONNECT: Final = "import corelab; corelab.connect(quietly=True)"
_SHORT: Final = 120
# A log or a metric may come a moment after the call it tells of: nothing of a cloud is wrong at first sight.
_SETTLE_SECONDS: Final = 1.0


@dataclass(slots=True)
class Conductor:
    """Runs one rebuilt notebook in its household; ``items`` and ``document`` are the outcome."""

    plan: Plan
    rebuilt: Rebuilt
    household: Household
    limits: Limits
    items: list[Item] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    document: Document = field(init=False)
    _until: float = 0.0
    _kernel: Occupant | None = None
    _judge: Occupant | None = None
    _starts: int = 0
    _ran: list[str] = field(default_factory=list)
    _judged: list[Cell] = field(default_factory=list)
    _missing: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Raises WallsFailed when this machine, not the submission, is at fault."""
        self.document = Document(self.plan)
        self._until = time.monotonic() + self.limits.whole_seconds
        self._start_judge()
        for step in self.rebuilt.steps:
            self._take(step)

    def _take(self, step: Step) -> None:
        cell = step.cell
        if cell is not None and cell.role == "test":
            self._check(step, cell)
        elif cell is not None and cell.role in ("answer", "task"):
            self.document.add(step)
            self.items.append(Item(str(cell.grade_id), cell.points, MANUAL, None))
        elif step.kind != "code":
            self.document.add(step)
        else:
            self.document.add(step, self._run(step.source))
            if cell is not None and cell.index in self.plan.judged:
                self._judge_runs(cell)

    # the student's side

    def _run(self, source: str) -> list[dict[str, Any]]:
        """Outputs of a cell; a cell that takes its kernel down costs itself and no other."""
        if not source.strip():
            return []
        seconds = min(self.limits.cell_seconds, self._left())
        if seconds <= 0:
            return [_error("NotRun", f"the notebook had used up its {self.limits.whole_seconds:g} s")]
        kernel = self._living_kernel()
        if kernel is None:
            return [_error("NotRun", "the kernel had ended too often")]
        try:
            answer = kernel.ask({"do": "run", "source": source}, seconds)
        except TooSlow:
            return [*_streams(kernel), *self._stop(kernel, source, seconds)]
        except Gone as end:
            return [*_streams(kernel), self._ended(end)]
        self._ran.append(source)
        return [*_streams(kernel), *_outputs(answer)]

    def _stop(self, kernel: Occupant, source: str, seconds: float) -> list[dict[str, Any]]:
        """A cell that took too long is interrupted, and its kernel killed when it does not listen."""
        kernel.interrupt()
        too_long = _error("TimeoutError", f"stopped after {seconds:.0f} s")
        try:
            kernel.answer(_INTERRUPT_GRACE)
        except (TooSlow, Gone):
            self._kernel = None
            return [too_long]
        self._ran.append("")
        return [*_streams(kernel), too_long]

    def _ended(self, end: Gone) -> dict[str, Any]:
        self._kernel = None
        if end.why == "refused":
            self.remarks.append("the kernel sent what no kernel sends; look at this notebook's code")
        if end.why == "memory":
            return _error("MemoryError", f"ended for using more than {self.limits.memory_bytes >> 20} MiB")
        return _error("KernelEnded", f"this cell ended its kernel ({end}); it was started again")

    def _living_kernel(self) -> Occupant | None:
        """The kernel, started again and brought back to where it was when it had ended."""
        if self._kernel is None and self._starts < _MOST_STARTS:
            self._starts += 1
            self._kernel = self.household.start("kernel")
            for source in self._ran:
                self._again(source)
        return self._kernel

    def _again(self, source: str) -> None:
        seconds = min(self.limits.cell_seconds, self._left())
        if self._kernel is None or seconds <= 0 or not source:
            return
        try:
            self._kernel.ask({"do": "run", "source": source}, seconds)
        except (TooSlow, Gone):
            self._kernel = None
        else:
            self._kernel.printed()

    def _values(self, names: list[str]) -> dict[str, Any]:
        """What the kernel says the names hold; why others are missing goes to ``_missing``."""
        for name in names:
            self._missing[name] = ""
        kernel = self._kernel if self._kernel is not None else self._living_kernel()
        if not names or kernel is None:
            return {}
        try:
            answer = kernel.ask({"do": "values", "names": names}, _VALUES_SECONDS)
        except (TooSlow, Gone) as problem:
            self._kernel = None
            for name in names:
                self._missing[name] = f"its value could not be had: {problem}"
            return {}
        values, lost = answer.get("values"), answer.get("lost")
        for name, why in lost.items() if isinstance(lost, dict) else ():
            self._missing[str(name)] = str(why)[:_SHORT]
        # Names that nobody asked for would be the student's own words in the judge's mouth.
        return {name: values[name] for name in names if name in values} if isinstance(values, dict) else {}

    # the instructor's side

    def _start_judge(self) -> Occupant:
        self._judge = self.household.start("judge")
        if self.plan.connects:
            problem = self._judge_asks({"do": "run", "source": _CONNECT}).get("error")
            if problem:
                raise WallsFailed(f"The judge cannot reach the submission's cloud: {problem}")
        for cell in self._judged:
            self._bind(cell)
            self._judge_asks({"do": "run", "source": cell.source})
        return self._judge

    def _judge_runs(self, cell: Cell) -> None:
        self._judged.append(cell)
        self._bind(cell)
        problem = self._judge_asks({"do": "run", "source": cell.source}).get("error")
        if problem:
            for name in cell.names.binds:
                self._missing[name] = f"the cell that makes it needs what is not there: {problem}"
        else:
            for name in cell.names.binds:
                self._missing.pop(name, None)

    def _bind(self, cell: Cell) -> dict[str, Any]:
        names = self.plan.wanted(cell)
        values = self._values(names)
        answer = self._judge_asks({"do": "bind", "values": values, "drop": sorted(self.plan.student_names)})
        self._missing.update(answer.get("lost", {}))
        return values

    def _check(self, step: Step, cell: Cell) -> None:
        if self._judge is None:
            self._start_judge()
        try:
            values = self._bind(cell)
            request = {"do": "check", "source": cell.source, "missing": self._missing}
            answer = self._judge_asks(request, self.limits.check_seconds)
            if self.plan.connects and not answer["settled"]:
                time.sleep(_SETTLE_SECONDS)
                answer = self._judge_asks(request, self.limits.check_seconds)
        except (TooSlow, Gone) as problem:
            self._judge = None
            text = f"the check did not end: {problem}"
            finding = {
                "outcome": UNKNOWN,
                "claim": "The check runs",
                "hidden": False,
                "note": text,
                "owner": "check",
            }
            item = Item(str(cell.grade_id), cell.points, UNKNOWN, None, [finding])
        else:
            item = _item(cell, answer)
            item.evidence = {name: _short(value) for name, value in values.items() if _short(value)}
        self.items.append(item)
        self.document.add_check(step, cell, item)

    def _judge_asks(self, request: dict[str, Any], seconds: float = 60.0) -> dict[str, Any]:
        """The judge's answer; meanwhile its questions go to the student's kernel. Raises TooSlow, Gone."""
        assert self._judge is not None
        until = time.monotonic() + seconds
        answer = self._judge.ask(request, seconds)
        while "ask" in answer:
            reply = self._kernel_does(answer["ask"], until - time.monotonic())
            answer = self._judge.ask(reply, max(until - time.monotonic(), 1.0))
        self._judge.printed()
        return answer

    def _kernel_does(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        kernel = self._kernel
        if kernel is None or seconds <= 0:
            return {"error": "TooSlow", "text": "the kernel has ended"}
        try:
            answer = kernel.ask(request, min(seconds / 2, self.limits.cell_seconds))
        except (TooSlow, Gone) as problem:
            self._kernel = None
            return {"error": "TooSlow", "text": f"the function did not return: {problem}"}
        kernel.printed()
        return answer

    def _left(self) -> float:
        return self._until - time.monotonic()


def _item(cell: Cell, answer: dict[str, Any]) -> Item:
    findings = answer["findings"]
    outcomes = {finding["outcome"] for finding in findings}
    name, points = str(cell.grade_id), cell.points
    if WRONG in outcomes:
        return Item(name, points, WRONG, 0.0, findings)
    if UNKNOWN in outcomes:
        return Item(name, points, UNKNOWN, None, findings)
    credit = answer.get("credit")
    if isinstance(credit, int | float) and 0 <= credit <= points:
        return Item(name, points, RIGHT if credit == points else WRONG, float(credit), findings)
    return Item(name, points, RIGHT, points, findings)


def _error(kind: str, text: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": kind, "evalue": text, "traceback": [f"{kind}: {text}"]}


def _streams(kernel: Occupant) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": name, "text": text} for name, text in kernel.printed()]


def _outputs(answer: dict[str, Any]) -> list[dict[str, Any]]:
    outputs = answer.get("outputs")
    return [output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []


def _short(value: Any) -> str:
    """A text or number worth showing as evidence."""
    return str(value) if isinstance(value, str | int | float) and len(str(value)) <= _SHORT else ""


__all__ = ["Conductor", "WallsFailed"]
