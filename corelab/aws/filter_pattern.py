"""CloudWatch Logs' filter patterns for plain text. Source: CloudWatch Logs user guide, filter pattern syntax.

error timeout        both words        ?error ?warn     either
error -timeout       one without the other              "exact words"    %regular expression%
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corelab.errors import AWSError

_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|(\S+))')


@dataclass(frozen=True, slots=True)
class FilterPattern:
    """A pattern that was read; an empty one matches everything."""

    required: tuple[re.Pattern[str], ...] = ()
    either: tuple[re.Pattern[str], ...] = ()
    forbidden: tuple[re.Pattern[str], ...] = ()

    def matches(self, message: str) -> bool:
        return (
            all(term.search(message) for term in self.required)
            and (not self.either or any(term.search(message) for term in self.either))
            and not any(term.search(message) for term in self.forbidden)
        )


def parse(text: str | None) -> FilterPattern:
    """Read a pattern.

    Raises:
        AWSError: for the patterns over JSON and space-delimited events, which are not served here.
    """
    text = (text or "").strip()
    if text.startswith(("{", "[")):
        reason = "Filter patterns for JSON or space-delimited events are not implemented by this local AWS."
        raise AWSError("InvalidParameterException", reason)
    terms: dict[str, list[re.Pattern[str]]] = {"": [], "?": [], "-": []}
    for sign, quoted, expression, word in _TERM.findall(text):
        terms[sign].append(_compiled(quoted, expression, word))
    return FilterPattern(tuple(terms[""]), tuple(terms["?"]), tuple(terms["-"]))


def _compiled(quoted: str, expression: str, word: str) -> re.Pattern[str]:
    if expression:
        try:
            return re.compile(expression)
        except re.error:
            raise AWSError("InvalidParameterException", "Invalid filter pattern") from None
    if quoted:
        return re.compile(re.escape(re.sub(r"\\(.)", r"\1", quoted)))
    return re.compile(re.escape(word))
