"""The trusted evaluator: runs the instructor's cells and checks on plain values, never a byte of the student's.

run    {source}          -> {"error": text or null}           an instructor's own cell
bind   {values, drop}    -> {"lost": {name: why}}             what the student's kernel says its names hold
check  {source, missing} -> {"findings": [...], "credit": number or null, "settled": bool}
ask                         sent by the judge itself while a check calls the student's function
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from corelab.checks.outcome import CannotTell, CheckFailed
from corelab.grading.values import Decoder, Handle, NotPlain
from corelab.grading.walls.frames import Broken, Channel

BEGIN_HIDDEN: Final = "### BEGIN HIDDEN TESTS"
END_HIDDEN: Final = "### END HIDDEN TESTS"
SHOWN: Final = 600

RIGHT, WRONG, UNKNOWN = "right", "wrong", "could not tell"


# What a value of another type or size than asked for leads to; anything else is nobody's wrong answer.
_MISFITS: Final = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Finding:
    """What one statement of a check cell said. ``owner`` is whose fault an outcome other than right is."""

    outcome: str
    claim: str
    hidden: bool
    expected: str = ""
    got: str = ""
    hint: str = ""
    note: str = ""
    owner: str = ""


class StudentRaised(Exception):
    """The student's own function raised; ``kind`` is the class's name."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class StudentTooSlow(Exception):
    """The student's own function did not return in time, or its kernel ended."""


class Judge:
    """Answers the grader's requests, one at a time.

    Args:
        course: where instructor's cells run, with the assignment's own files.
        submission: where checks look for files; read-only.
    """

    def __init__(self, channel: Channel, course: str, submission: str) -> None:
        self._channel = channel
        self._course, self._submission = course, submission
        self._may_change = self._asked = False
        self._names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
        warnings.simplefilter("ignore")
        sys.path[:] = [path for path in sys.path if path not in ("", ".", course, submission)]

    def serve(self) -> int:
        while True:
            try:
                request = self._channel.receive()
            except Broken:
                return 0
            self._channel.send(getattr(self, f"_do_{request['do']}")(request))

    def _do_run(self, request: dict[str, Any]) -> dict[str, Any]:
        os.chdir(self._course)
        try:
            with _silence():
                exec(compile(request["source"], "<course>", "exec"), self._names)  # noqa: S102
        except Exception as problem:  # noqa: BLE001 - an instructor's cell that fails here is reported, not fatal
            return {"error": f"{type(problem).__name__}: {problem}"[:SHOWN]}
        return {"error": None}

    def _do_bind(self, request: dict[str, Any]) -> dict[str, Any]:
        lost = {}
        for name in request["drop"]:
            self._names.pop(name, None)
        for name, encoded in request["values"].items():
            try:
                self._names[name] = Decoder(self._ask).decode(encoded)
            except (NotPlain, RecursionError) as problem:
                lost[name] = str(problem)[:SHOWN]
        return {"lost": lost}

    def _do_check(self, request: dict[str, Any]) -> dict[str, Any]:
        os.chdir(self._submission)
        source, missing = request["source"], request["missing"]
        hidden = list(hidden_lines(source))
        findings: list[Finding] = []
        credit, self._may_change, self._asked = None, False, False
        for statement in ast.parse(source).body:
            code = ast.get_source_segment(source, statement) or ""
            failed = any(finding.outcome != RIGHT for finding in findings)
            finding, value = self._one(statement, code, statement.lineno in hidden, missing)
            if finding.outcome != RIGHT and failed and not isinstance(statement, ast.Expr | ast.Assert):
                continue  # it only stumbles over what the first failure left undone
            if finding.outcome != RIGHT or finding.claim:
                findings.append(finding)
            credit = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        told = [asdict(finding) for finding in findings]
        return {"findings": told, "credit": credit, "settled": not self._may_change}

    def _one(
        self, statement: ast.stmt, code: str, hidden: bool, missing: dict[str, str]
    ) -> tuple[Finding, Any]:
        finding, value, printed = Finding(RIGHT, "", hidden), None, io.StringIO()
        try:
            with _silence(printed):
                if isinstance(statement, ast.Expr):
                    value = eval(compile(ast.Expression(statement.value), "<check>", "eval"), self._names)  # noqa: S307
                else:
                    exec(compile(ast.Module([statement], []), "<check>", "exec"), self._names)  # noqa: S102
        except CheckFailed as failed:
            # Logs and metrics of a cloud come a moment late; a student's function is not called twice.
            self._may_change = not self._asked
            finding = Finding(
                WRONG, failed.claim, hidden, failed.expected, failed.got, failed.hint, owner="student"
            )
        except AssertionError as failed:
            claim = str(failed) or (code if not hidden else "a condition holds")
            finding = Finding(WRONG, claim, hidden, expected=claim, owner="student")
        except Exception as problem:  # noqa: BLE001 - a check may raise anything; whose fault it is decides what it costs
            finding = self._stumbled(problem, code, hidden, missing)
        if finding.outcome == RIGHT:
            finding.claim, finding.note = _said(printed.getvalue())
        for name in ("claim", "expected", "got", "hint", "note"):
            setattr(finding, name, str(getattr(finding, name))[:SHOWN])
        return finding, value

    def _stumbled(self, problem: Exception, code: str, hidden: bool, missing: dict[str, str]) -> Finding:
        claim = "The check runs" if hidden else code.splitlines()[0]
        if isinstance(problem, NameError) and problem.name in missing:
            why = missing[problem.name] or "the notebook does not define it"
            hint = f"define {problem.name} in the cell above; did that cell run to its end?"
            return Finding(WRONG, claim, hidden, f"a value named {problem.name}", why, hint, owner="student")
        if isinstance(problem, StudentRaised):
            hint = "call it yourself with other arguments"
            return Finding(
                WRONG, claim, hidden, "a function that returns", str(problem), hint, owner="student"
            )
        if isinstance(problem, StudentTooSlow):
            hint = "does it wait for something, or loop for ever?"
            return Finding(WRONG, claim, hidden, "an answer in time", str(problem), hint, owner="student")
        if isinstance(problem, CannotTell):
            return Finding(UNKNOWN, claim, hidden, note=str(problem), owner="cloud")
        if isinstance(problem, _MISFITS) and not _in_our_code(problem):
            got = f"one that leads to {type(problem).__name__}: {problem}"
            hint = "has it the type and the size that the task asks for?"
            return Finding(
                WRONG, claim, hidden, "a value the check can work with", got, hint, owner="student"
            )
        return Finding(UNKNOWN, claim, hidden, note=f"{type(problem).__name__}: {problem}", owner="check")

    def _ask(self, request: dict[str, Any]) -> Any:
        """Let the student's kernel do something with an object it kept; the answer comes by value."""
        self._asked = True
        self._channel.send({"ask": request})
        answer = self._channel.receive()
        if "error" not in answer:
            try:
                return Decoder(self._ask).decode(answer.get("value"))
            except NotPlain as problem:
                raise StudentRaised("NotPlain", str(problem)) from None
        kind, text = str(answer["error"]), str(answer.get("text", ""))[:SHOWN]
        if kind == "TooSlow":
            raise StudentTooSlow(text)
        if request["do"] == "get" and kind == "AttributeError":
            raise AttributeError(text)
        known = getattr(builtins, kind, None)
        if isinstance(known, type) and issubclass(
            known, ValueError | TypeError | LookupError | ArithmeticError
        ):
            raise type(kind, (StudentRaised, known), {})(kind, text)
        raise StudentRaised(kind, text)


def hidden_lines(source: str) -> Iterator[int]:
    """Numbers of the lines inside hidden regions, from 1."""
    inside = False
    for number, line in enumerate(source.splitlines(), 1):
        inside = inside or line.strip().startswith(BEGIN_HIDDEN)
        if inside:
            yield number
        inside = inside and not line.strip().startswith(END_HIDDEN)


def _in_our_code(problem: Exception) -> bool:
    """Whether a check of ours stumbled, which it must not do whatever it is given."""
    frames = traceback.walk_tb(problem.__traceback__)
    modules = {str(frame.f_globals.get("__name__", "")) for frame, _ in frames}
    return any(name.startswith("corelab.") and name != __name__ for name in modules)


def _said(printed: str) -> tuple[str, str]:
    """Claim and note of a check that printed ``✓ claim (note)``; empty when it printed something else."""
    line = next((line for line in printed.splitlines() if line.startswith("✓ ")), "")
    claim, _, note = line.removeprefix("✓ ").partition(" (")
    return claim, note.removesuffix(")")


@contextlib.contextmanager
def _silence(printed: io.StringIO | None = None) -> Iterator[None]:
    with contextlib.redirect_stdout(printed or io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


__all__ = ["RIGHT", "UNKNOWN", "WRONG", "Finding", "Handle", "Judge", "hidden_lines"]
