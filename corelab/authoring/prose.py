"""What Markdown must be for every reader: headings in order, pictures and links with words of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from corelab.authoring.links import written_out

EMPTY_WORDS: Final = {"here", "click here", "this", "this page", "link", "this link", "more", "read more"}

# The number of the text that a complaint is about, and the complaint.
Complaint = tuple[int, str]


def complaints(texts: Sequence[str]) -> Iterator[Complaint]:
    """Every complaint about texts that a reader meets in this order."""
    yield from _headings(texts)
    for number, text in enumerate(texts):
        for problem in (*_pictures(text), *_link_words(text), *_addresses(text)):
            yield number, problem


def _headings(texts: Sequence[str]) -> Iterator[Complaint]:
    last = 0
    for number, text in enumerate(texts):
        for hashes, title in re.findall(r"^(#{1,6}) +(.+)$", _without_code(text), re.MULTILINE):
            level = len(hashes)
            if level > last + 1 or (level == 1) != (last == 0):
                yield number, f"heading {title!r} is of level {level} after level {last}"
            last = level
    if last == 0:
        yield 0, "the text opens with one heading of level 1"


def _pictures(text: str) -> Iterator[str]:
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", text):
        if len(alt.split()) < 3:
            yield f"the picture {target!r} needs words for those who cannot see it, got {alt!r}"
    if re.search(r"<img\b(?![^>]*\balt=\"[^\"]+ )", text):
        yield "an <img> needs alt text"


def _link_words(text: str) -> Iterator[str]:
    for words in re.findall(r"(?<!!)\[([^\]]+)\]\([^)]*\)", _without_code(text)):
        if words.strip(" .*_`").lower() in EMPTY_WORDS:
            yield f"the words of a link say where it goes, got {words!r}"


def _addresses(text: str) -> Iterator[str]:
    for address in written_out(text):
        yield f"{address} belongs into course/links.toml: write [words](link:its_name)"


def _without_code(markdown: str) -> str:
    return re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
