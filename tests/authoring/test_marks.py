from __future__ import annotations

from pathlib import Path

import pytest

from corelab import checks
from corelab.authoring import text
from corelab.authoring.marks import expand, mark_of
from corelab.errors import CourseError

SOLUTION = '# %% solution="work"\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n'
QUIZ = "# **Question.** Which?\n#\n# - A. This.\n# - B. That.\n# - C. Both.\n"


def expanded(source: str):
    [cell] = text.parse(source, Path("lesson.py"))
    return list(expand(cell, mark_of(cell), "section-1"))


def nbgrader(node):
    entry = dict(node.metadata["nbgrader"])
    assert entry.pop("schema_version") == 3
    return entry


def test_a_solution_mark_becomes_an_unlocked_solution_cell():
    [node] = expanded(SOLUTION)
    assert node.id == "work"
    assert nbgrader(node) == {
        "grade_id": "work", "cell_type": "code", "grade": False, "solution": True, "locked": False, "task": False
    }  # fmt: skip


def test_a_test_mark_becomes_a_locked_graded_cell_with_points():
    [node] = expanded('# %% test="work_check" points=5 guide="G113,G131"\nassert x\n')
    assert node.id == "work_check"
    assert nbgrader(node) == {
        "grade_id": "work_check", "cell_type": "code", "grade": True, "solution": False, "locked": True,
        "task": False, "points": 5,
    }  # fmt: skip
    assert node.metadata["corelab"] == {"guide": ["G113", "G131"]}


def test_an_answer_mark_becomes_a_cell_that_a_person_grades():
    [node] = expanded('# %% [markdown] answer="why" points=4\n# Because.\n')
    entry = nbgrader(node)
    assert (entry["grade"], entry["solution"], entry["locked"], entry["points"]) == (True, True, False, 4)


def test_a_task_mark_becomes_a_task_cell():
    [node] = expanded('# %% [markdown] task="essay" points=3\n# Write.\n')
    entry = nbgrader(node)
    assert (entry["task"], entry["locked"], entry["grade"], entry["solution"]) == (True, True, False, False)


def test_a_quiz_becomes_question_answer_and_check_with_the_key_hidden():
    question, answer, check = expanded(f'# %% [markdown] quiz="pick" points=2 key="B"\n{QUIZ}')
    assert [node.id for node in (question, answer, check)] == ["pick_question", "pick", "pick_check"]
    assert nbgrader(question)["locked"]
    assert '"B"' in answer.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
    visible = check.source.split("### BEGIN HIDDEN TESTS")[0]
    assert 'among="ABC"' in visible
    assert '"B"' not in visible
    assert nbgrader(check)["points"] == 2


def test_the_visible_check_of_a_quiz_says_right_or_wrong_with_the_authors_hint():
    *_, check = expanded(
        f'# %% [markdown] quiz="pick" points=2 key="AC" hint="it isn\'t this, is it?"\n{QUIZ}'
    )
    visible = check.source.split("### BEGIN HIDDEN TESTS")[0]
    exec(visible, {"checks": checks, "pick": "c, a"})
    with pytest.raises(checks.CheckFailed, match="it isn't this, is it") as wrong:
        exec(visible, {"checks": checks, "pick": "B"})
    assert "AC" not in str(wrong.value)


def test_a_cell_without_a_mark_takes_the_id_of_its_section():
    [node] = expanded('# %% tags=["wide"]\nprint(1)\n')
    assert node.id == "section-1"
    assert node.metadata == {"tags": ["wide"]}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('# %% sollution="x"\npass\n', "unknown mark 'sollution'"),
        ('# %% solution="x" test="y" points=1\npass\n', "one role, got solution and test"),
        ('# %% solution="Not A Name"\npass\n', "small letters, digits and _"),
        ('# %% solution="x-y"\npass\n', "small letters, digits and _"),
        ('# %% solution="x"\npass\n', "needs its '### BEGIN SOLUTION'"),
        ('# %% [markdown] solution="x"\n# words\n', "belongs on a code cell"),
        ('# %% answer="x" points=2\npass\n', "belongs on a markdown cell"),
        ('# %% test="x"\nassert 1\n', "needs points=0..100, got None"),
        ('# %% test="x" points="five"\nassert 1\n', "got 'five'"),
        ('# %% test="x" points=2.5\nassert 1\n', "got 2.5"),
        ('# %% [markdown] answer="x" points=0\n# words\n', "needs points=1..100"),
        ('# %% points=3\npass\n', "needs a graded role"),
        ('# %% given="x" guide="G1"\npass\n', "expected guide rows"),
        ('# %% test="x" points=1 key="A"\nassert 1\n', "key= belongs to a quiz"),
        ('# %% test="x" points=1 hint="a"\nassert 1\n', "hint= belongs to a quiz"),
        (f'# %% [markdown] quiz="q" points=1\n{QUIZ}', "expected key="),
        (f'# %% [markdown] quiz="q" points=1 key="D"\n{QUIZ}', "options 'ABC'"),
        (f'# %% [markdown] quiz="q" points=1 key="CA"\n{QUIZ}', "in order, got 'CA'"),
        ('# %% [markdown] quiz="q" points=1 key="A"\n# - A. Only one.\n', "lists its options"),
        ('# %%\n### BEGIN SOLUTION\n### END SOLUTION\n', "no answer or solution"),
        ('# %% solution="x"\n### BEGIN SOLUTION\nx = 1\n', "do not pair up"),
        ('# %% solution="x"\n### BEGIN SOLUTION\n### END SOLUTION\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n',
         "no test"),
        ('# %% test="x" points=1\n### END HIDDEN TESTS\n### BEGIN HIDDEN TESTS\n', "do not pair up"),
    ],
)  # fmt: skip
def test_a_bad_mark_is_refused_with_file_and_line(source, complaint):
    *_, cell = text.parse("# %%\npass\n\n" + source, Path("course/a9/lesson.py"))
    with pytest.raises(CourseError) as refused:
        mark_of(cell)
    assert str(refused.value).startswith("course/a9/lesson.py:4: ")
    assert complaint in str(refused.value)
