"""Where lessons and pages point to: they name a target, and the address is written once.

[words](link:xgboost)                    an address outside, from course/links.toml
[words](page:glossary)                   course/guide/glossary.md
[words](cell:a1_training_job/job_check)  a cell of a notebook, as JupyterLab addresses it
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from corelab.authoring.syllabus import Syllabus
from corelab.errors import CourseError

TARGET: Final = re.compile(r"\]\((link|page|cell):([\w/.-]+)\)")
ADDRESS: Final = re.compile(r"\bhttps?://[^\s)>`]+")


@dataclass(frozen=True, slots=True)
class Links:
    """Everything that a lesson or page may point to."""

    outside: dict[str, str]
    pages: frozenset[str]
    notebooks: dict[str, str]

    def expand(self, text: str, place: str) -> str:
        """The text with addresses in place of names; ``place`` is named in errors.

        Raises:
            CourseError: nothing has that name.
        """
        return TARGET.sub(lambda found: f"]({self._address(found[1], found[2], place)})", text)

    def _address(self, kind: str, name: str, place: str) -> str:
        # Notebooks and pages lie side by side: release/<assignment>/x.ipynb, release/guide/x.md.
        if kind == "link" and name in self.outside:
            return self.outside[name]
        if kind == "page" and name in self.pages:
            return f"../guide/{name}.md"
        assignment, _, cell = name.partition("/")
        if kind == "cell" and assignment in self.notebooks and cell:
            return f"../{assignment}/{self.notebooks[assignment]}.ipynb#cell-id={cell}"
        raise CourseError(f"{place}: nothing is called {kind}:{name}")


def read(course: Syllabus) -> Links:
    """What ``course/links.toml``, ``course/guide/`` and the syllabus name.

    Raises:
        CourseError: the file is not TOML, or an address does not start with https.
    """
    file = course.root / "course" / "links.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except ValueError as problem:
        raise CourseError(f"{file}: {problem}") from problem
    outside = {str(key): str(value) for key, value in table.items()}
    for key, address in outside.items():
        if not address.startswith("https://"):
            raise CourseError(f"{file}: {key} should start with https://, got {address!r}")
    pages = (page.stem for page in (course.root / "course" / "guide").glob("*.md"))
    notebooks = {assignment.name: assignment.notebook for assignment in course.assignments}
    return Links(outside, frozenset(pages), notebooks)


def written_out(text: str) -> Iterator[str]:
    """Addresses that a text holds itself, in place of a name; what stands in code does not count."""
    yield from ADDRESS.findall(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL))
