"""What assignments are worth: 100 points each, a third of them for reasoning that a person reads by a rubric."""

from __future__ import annotations

import pytest

from corelab.authoring import rubrics, syllabus
from corelab.authoring.build import read_lesson

from .conftest import ROOT

COURSE = syllabus.read(ROOT)
FOUR = [assignment for assignment in COURSE.assignments if assignment.name[:2] in ("a1", "a2", "a3", "a4")]
each = pytest.mark.parametrize("assignment", FOUR, ids=lambda assignment: assignment.name)


def marks_of(assignment):
    return [mark for _, mark in read_lesson(COURSE, assignment)]


@each
def test_an_assignment_is_worth_100_points_a_third_of_them_for_reasoning(assignment):
    points = [(mark.role, mark.points or 0) for mark in marks_of(assignment)]
    by_hand = sum(worth for role, worth in points if role in ("answer", "task"))
    assert sum(worth for _, worth in points) == 100
    assert 25 <= by_hand <= 40


@each
def test_no_single_check_decides_an_assignment(assignment):
    graded = [mark.points for mark in marks_of(assignment) if mark.points]
    assert len(graded) > 30
    assert max(graded) <= 7


@each
def test_a_rubric_has_levels_from_all_to_nothing_and_examples_of_a_full_and_a_half_answer(assignment):
    lesson = read_lesson(COURSE, assignment)
    answers = {mark.name: mark.points for _, mark in lesson if mark.role in ("answer", "task")}
    found = rubrics.read(COURSE, assignment, lesson)
    assert found.keys() == answers.keys()
    for name, rubric in found.items():
        levels = [points for points, _ in rubric.levels]
        assert max(levels) == answers[name] and min(levels) == 0 and len(levels) >= 3, name
        assert len(rubric.full.split()) > len(rubric.half.split()) > 5, name
