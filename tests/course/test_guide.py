"""The guide's pages: every row served, every link leads somewhere, every claim is proved by graded work."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from corelab.authoring import links, syllabus
from corelab.authoring.coverage import coverage
from corelab.cli import app
from corelab.core.prices import load_prices

from .conftest import ROOT

COURSE = syllabus.read(ROOT)
PAGES = sorted((ROOT / "release/guide").glob("*.md"))
NOTEBOOKS = [COURSE.release(assignment) for assignment in COURSE.assignments]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def cells(notebook: Path):
    return {cell.id: cell for cell in nbformat.read(notebook, as_version=4).cells}


def markdown(path: Path) -> str:
    """What a reader of a page or notebook sees as prose."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    return "\n\n".join(cell.source for cell in cells(path).values() if cell.cell_type == "markdown")


def targets(path: Path) -> list[str]:
    return LINK.findall(CODE.sub("", markdown(path)))


def test_every_row_of_the_guide_is_served():
    found = coverage(ROOT)
    assert found.missing == (), str(found)
    assert str(found) == "165 of 165 rows of the guide are served"


def test_every_page_is_released_and_reached_from_the_first_one():
    names = {page.stem for page in (ROOT / "course/guide").glob("*.md")}
    assert {page.stem for page in PAGES} == names
    first = ROOT / "release/guide/start.md"
    reached = {Path(target).stem for target in targets(first) if target.endswith(".md")}
    assert reached == names - {"start"}


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_every_link_inside_the_course_leads_to_a_page_or_a_cell(path):
    inside = [target for target in targets(path) if not target.startswith("https://")]
    for target in inside:
        file, _, fragment = target.partition("#")
        there = (path.parent / unquote(file)).resolve()
        assert there.is_file(), target
        if fragment:
            assert fragment.removeprefix("cell-id=") in cells(there), target


def test_every_address_is_in_the_one_file_and_every_one_there_is_used():
    known = tomllib.loads((ROOT / "course/links.toml").read_text("utf-8"))
    used = {target for path in (*PAGES, *NOTEBOOKS) for target in targets(path) if "://" in target}
    assert used == set(known.values())
    for path in [*(ROOT / "course").glob("*/lesson.py"), *(ROOT / "course/guide").glob("*.md")]:
        assert list(links.written_out(path.read_text("utf-8"))) == [], path


def test_every_item_of_the_checklist_is_proved_by_graded_work():
    items = re.split(r"\n- \[ \] ", (ROOT / "release/guide/checklist.md").read_text("utf-8"))[1:]
    assert len(items) == 17 + 13
    for item in items:
        proofs = [target for target in LINK.findall(item.split("\n\n")[0]) if "#cell-id=" in target]
        assert proofs, item
        for proof in proofs:
            file, _, cell = proof.partition("#cell-id=")
            found = cells((ROOT / "release/guide" / file).resolve())[cell]
            assert found.metadata.nbgrader.grade, proof


def test_costs_on_the_pages_are_those_of_the_price_file():
    text = (ROOT / "release/guide/cost_traps.md").read_text("utf-8")
    rows = re.findall(r"^\| `(ml\.\S+)` \| \$(\S+) \| \$(\S+) \| \$(\S+) \|", text, re.M)
    prices = load_prices()
    assert len(rows) == 3
    for machine, *said in rows:
        hour = prices.hourly(machine)
        assert [float(figure) for figure in said] == [hour, round(24 * hour, 2), round(720 * hour, 2)]
    assert f"never more than ${20 * 0.5 * prices.hourly('ml.m5.large'):.2f}" in text


def test_every_command_on_the_pages_exists():
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    verbs = set(re.findall(r"(?:^|`|/|\\)corelab ([a-z]+)", text, re.M))
    assert {"lab", "doctor", "cleanup", "bill"} <= verbs <= set(app.commands)
    files = re.findall(r"(requirements[\w-]*\.lock)", text)
    assert files
    assert all((ROOT / file).is_file() for file in files)
