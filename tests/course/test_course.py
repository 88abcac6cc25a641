"""What holds for every assignment: up to date, no secrets in a release, rows of the guide accounted for."""

from __future__ import annotations

import re

import nbformat
import pytest

from corelab.authoring import rubrics, syllabus
from corelab.authoring.build import read_lesson
from corelab.authoring.coverage import coverage
from corelab.authoring.drift import stale

from .conftest import ROOT

COURSE = syllabus.read(ROOT)
each = pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.name)


def test_source_and_release_are_what_the_lessons_say():
    assert stale(ROOT) == []


@each
def test_notebooks_are_valid_and_run_on_python3(assignment):
    for path in (COURSE.source(assignment), COURSE.release(assignment)):
        node = nbformat.read(path, as_version=4)
        nbformat.validate(node)
        assert node.metadata.kernelspec.name == "python3"
        assert len({cell.id for cell in node.cells}) == len(node.cells)


@each
def test_a_release_holds_no_solution_hidden_test_key_or_rubric(assignment):
    node = nbformat.read(COURSE.release(assignment), as_version=4)
    readable = "\n".join([cell.source for cell in node.cells] + strings_in([node.metadata, *node.cells]))
    secrets = list(secrets_of(assignment))
    assert len(secrets) > 20
    assert [secret for secret in secrets if secret in readable] == []


def strings_in(item):
    """Every text in a notebook, metadata and outputs included."""
    if isinstance(item, dict):
        return [text for pair in item.items() for value in pair for text in strings_in(value)]
    if isinstance(item, list):
        return [text for value in item for text in strings_in(value)]
    return [item] if isinstance(item, str) else []


def secrets_of(assignment):
    """Every line of the lesson and of its rubrics that students must not see."""
    lesson = read_lesson(COURSE, assignment)
    for cell, mark in lesson:
        if mark.role == "answer":
            yield from (line for line in cell.source.splitlines() if len(line) > 30)
        regions = re.findall(r"### BEGIN (?:SOLUTION|HIDDEN).*?\n(.*?)### END", cell.source, re.DOTALL)
        for line in "\n".join(regions).splitlines():
            # A short or common line may well stand in a given cell too.
            if len(line.strip()) > 30 and not line.strip().startswith(("from ", "import ", ")")):
                yield line.strip()
        if mark.role == "quiz":
            yield f'{mark.name} = "{mark.key}"'
            yield f'checks.chosen("{mark.name}"'
    for rubric in rubrics.read(COURSE, assignment, lesson).values():
        yield from (rubric.full, rubric.half, rubric.asks, *(words for _, words in rubric.levels))


def test_the_rows_of_the_guide_are_counted():
    found = coverage(ROOT)
    assert len(found.titles) == len(found.served) + len(found.missing) == 165
    assert {"G001", "G002", "G003", "G101", "G133"} <= found.served.keys()
