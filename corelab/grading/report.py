"""What a class as a whole did: each check, the usual mistakes, checks that tell little, texts that are alike."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from corelab.grading.result import MANUAL, REJECTED, RIGHT, UNKNOWN, WRONG, Result

POOR_DISCRIMINATION: Final = 0.1
ALIKE: Final = 0.7
_LEAST_CELLS, _LEAST_TOKENS = 3, 12
_TOKEN: Final = re.compile(r"[A-Za-z_]\w*|\d+\.?\d*|'[^'\n]*'|\"[^\"\n]*\"|[^\s\w]")
_COMMENT: Final = re.compile(r"#[^\n]*")
_KEPT: Final = frozenset(
    {"def", "return", "for", "in", "if", "else", "import", "from", "as", "with", "while", "lambda"}
)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One check over the class.

    Attributes:
        discrimination: correlation of its score with the rest of the points, None when all or none were right.
        mistakes: the usual findings with how many made them, most first.
    """

    name: str
    points: float
    counts: dict[str, int]
    mean: float
    discrimination: float | None
    mistakes: list[tuple[str, int]]

    @property
    def poor(self) -> bool:
        """Whether strong students do no better on it than weak ones."""
        return self.discrimination is not None and self.discrimination < POOR_DISCRIMINATION


@dataclass(frozen=True, slots=True)
class ClassReport:
    """A class's results of one assignment."""

    assignment: str
    students: int
    states: dict[str, int]
    quartiles: tuple[float, float, float]
    most: float
    checks: list[CheckReport]
    alike: list[tuple[str, str, float]]


def report(assignment: str, results: Sequence[Result]) -> ClassReport:
    """Everything the page shows, as data; ``alike`` pairs are for a person to look at, no more."""
    scores = [result.score for result in results]
    cuts = (
        statistics.quantiles(scores, n=4, method="inclusive")
        if len(scores) > 1
        else [*scores, *scores, *scores]
    )
    names = list(dict.fromkeys(item.name for result in results for item in result.items))
    checks = [_check(name, results) for name in names]
    return ClassReport(
        assignment,
        len(results),
        dict(Counter(result.state for result in results)),
        (cuts[0], cuts[1], cuts[2]) if cuts else (0, 0, 0),
        max((result.most for result in results), default=0),
        [check for check in checks if check is not None],
        alike(results),
    )


def _check(name: str, results: Sequence[Result]) -> CheckReport | None:
    found = [(result, item) for result in results for item in result.items if item.name == name]
    if not found or found[0][1].outcome == MANUAL:
        return None
    decided = [(item.score, result.score - item.score) for result, item in found if item.score is not None]
    mistakes: Counter[str] = Counter()
    for _, item in found:
        mistakes.update({_mistake(finding) for finding in item.findings if finding["outcome"] != RIGHT})
    return CheckReport(
        name,
        found[0][1].points,
        {outcome: sum(item.outcome == outcome for _, item in found) for outcome in (RIGHT, WRONG, UNKNOWN)},
        statistics.fmean(score for score, _ in decided) if decided else 0.0,
        _correlation(decided),
        mistakes.most_common(5),
    )


def _mistake(finding: dict[str, Any]) -> str:
    """A finding without what is one student's own in it."""
    hint = finding.get("hint") or finding.get("note") or ""
    return f"{finding['claim']}: {hint}" if hint else str(finding["claim"])


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < 5:
        return None
    first, second = zip(*pairs, strict=True)
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return statistics.correlation(first, second)


def alike(results: Sequence[Result]) -> list[tuple[str, str, float]]:
    """Pairs of students whose answers are the same but for names, spaces and comments, most alike first.

    Only texts count that few in the class share: what everybody writes says nothing.
    """
    prints = {result.student: dict(_fingerprints(result)) for result in results if result.state != REJECTED}
    holders: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for student, cells in prints.items():
        for cell, digest in cells.items():
            holders[cell, digest].append(student)
    usual = max(3, len(prints) // 20)
    shared: Counter[tuple[str, str]] = Counter()
    for students in holders.values():
        if 1 < len(students) <= usual:
            shared.update(combinations(sorted(students), 2))
    pairs = []
    for (one, other), count in shared.items():
        share = count / max(min(len(prints[one]), len(prints[other])), 1)
        if count >= _LEAST_CELLS and share >= ALIKE:
            pairs.append((one, other, share))
    return sorted(pairs, key=lambda pair: (-pair[2], pair))


def _fingerprints(result: Result) -> Iterable[tuple[str, str]]:
    for cell in result.notebook["cells"] if result.notebook else []:
        mark = cell["metadata"].get("nbgrader", {})
        if mark.get("solution") and not mark.get("grade"):
            shape = _shape(cell["source"])
            if len(shape) >= _LEAST_TOKENS:
                yield mark["grade_id"], hashlib.sha256(" ".join(shape).encode()).hexdigest()


def _shape(source: str) -> list[str]:
    """Tokens with each own name replaced by the order of its first use."""
    known: dict[str, str] = {}
    tokens = []
    for token in _TOKEN.findall(_COMMENT.sub("", source)):
        own = token.isidentifier() and token not in _KEPT
        tokens.append(known.setdefault(token, f"n{len(known)}") if own else token)
    return tokens


def as_csv(results: Sequence[Result]) -> str:
    """One row a student, one column a check."""
    names = list(dict.fromkeys(item.name for result in results for item in result.items))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["student", "state", "score", "most", *names, "reason"])
    for result in results:
        scores = {item.name: "" if item.score is None else f"{item.score:g}" for item in result.items}
        row = [_inert(result.student), result.state, f"{result.score:g}", f"{result.most:g}"]
        writer.writerow([*row, *(scores.get(name, "") for name in names), _inert(result.reason)])
    return stream.getvalue()


def _inert(text: str) -> str:
    """Spreadsheets run cells that start like a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_page(made: ClassReport) -> str:
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("corelab.grading", "templates"), autoescape=True)
    return environment.get_template("report.html").render(report=made)


def as_json(made: ClassReport) -> str:
    from dataclasses import asdict

    return json.dumps(asdict(made), indent=1) + "\n"
