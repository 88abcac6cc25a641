from __future__ import annotations

import nbformat
import pytest

from corelab.authoring.build import build
from corelab.errors import CourseError

from .conftest import LESSON, SYLLABUS


def built(root):
    [path] = build(root)
    return nbformat.read(path, as_version=4)


def test_a_build_is_a_valid_notebook_for_python3(course):
    node = built(course())
    nbformat.validate(node)
    assert node.metadata.kernelspec.name == "python3"
    assert [cell.id for cell in node.cells] == [
        "a-tiny-lesson-1", "setup", "double", "double_check", "colour_question", "colour", "colour_check",
        "a-tiny-lesson-6", "why_green",
    ]  # fmt: skip


def test_building_twice_gives_the_same_bytes(course):
    root = course()
    [path] = build(root)
    first = path.read_bytes()
    build(root)
    assert path.read_bytes() == first
    assert b"\r" not in first


def test_an_edit_changes_the_edition_and_no_id_of_other_sections(course):
    more = LESSON.replace("# %% given", "# %% [markdown]\n# ## Later\n\n# %%\nprint(1)\n\n# %% given", 1)
    before = built(course())
    after = built(course(lesson=more))
    assert before.metadata.corelab.edition != after.metadata.corelab.edition
    assert {cell.id for cell in before.cells[:1]} <= {cell.id for cell in after.cells}


def test_files_beside_the_lesson_are_copied_but_rubrics_are_not(course):
    root = course()
    (root / "course/a9_tiny/figures").mkdir()
    (root / "course/a9_tiny/figures/map.svg").write_text("<svg/>")
    (root / "course/a9_tiny/.hidden").write_text("x")
    build(root)
    names = {
        path.relative_to(root / "source").as_posix()
        for path in (root / "source").rglob("*")
        if path.is_file()
    }
    assert names == {"a9_tiny/tiny.ipynb", "a9_tiny/figures/map.svg"}


def test_an_assignment_that_left_the_syllabus_leaves_source(course):
    root = course()
    (root / "source/a8_gone").mkdir(parents=True)
    build(root)
    assert [folder.name for folder in (root / "source").iterdir()] == ["a9_tiny"]


def test_one_assignment_can_be_built_by_name(course):
    root = course()
    assert build(root, ["a9_tiny"])
    with pytest.raises(CourseError, match="no assignment 'a7'; the course has a9_tiny"):
        build(root, ["a7"])


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('test="double_check"', 'test="double"', r"lesson.py:15: the name 'double' was used on line 9"),
        ("# # A tiny", "# ## A tiny", "level 2 after level 0"),
        ("# Some words.", "# #### Deep", "level 4 after level 1"),
        ("# Some words.", "# ![](map.png)", "needs words for those who cannot see it"),
        ("    return 2 * x", "\n".join(f"    x = {n}" for n in range(12)), "at most 12 lines, this one 13"),
        ("points=3", "points=2", "add up to 7 points, the syllabus says 8"),
        ("(4 points)", "(5 points)", r"says '\(4 points\)'"),
        ('answer="why_green" points=4', 'answer="why_blue" points=4', "has no rubric"),
        ('# %% test="double_check" points=3 guide="G002"', "# %%", "no solution or test|stands in a cell that is no test"),
    ],
)  # fmt: skip
def test_a_lesson_that_is_not_well_formed_is_refused_in_words(course, old, new, complaint):
    assert old in LESSON
    with pytest.raises(CourseError, match=complaint):
        build(course(lesson=LESSON.replace(old, new)))


def test_a_plot_needs_labels_and_a_reading(course):
    plot = '# %% given="draw"\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\n\n# %%\nprint(1)\n\n# %%\nprint(2)\n\n'
    with pytest.raises(CourseError) as refused:
        build(course(lesson=LESSON.replace("# %% solution", plot + "# %% solution")))
    assert "followed by a reading" in str(refused.value)
    assert "labels its axes" in str(refused.value)


@pytest.mark.parametrize(
    ("drawing", "complaint"),
    [
        ('plt.plot([1], color="red", label="one")\nplt.legend()', "black, gray and white, got color"),
        ('plt.plot([1], label="one")\nplt.plot([2], label="two")\nplt.legend()', "not in colour alone"),
    ],
)
def test_a_plot_says_nothing_by_colour_alone(course, drawing, complaint):
    drawn = f'# %% given="draw"\n{drawing}\nplt.show()\n\n# %% [markdown]\n# *In words:* a line.\n\n'
    with pytest.raises(CourseError, match=complaint):
        build(course(lesson=LESSON.replace("# %% solution", drawn + "# %% solution")))
    sound = drawn.replace("red", "black").replace("label=", 'linestyle="--", label=')
    build(course(lesson=LESSON.replace("# %% solution", sound + "# %% solution")))


def test_a_solution_without_a_check_is_refused(course):
    more = '\n# %% solution="more"\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n'
    with pytest.raises(CourseError, match="a solution is followed by its check"):
        build(course(lesson=LESSON + more))


@pytest.mark.parametrize(
    ("rubrics", "complaint"),
    [
        (None, "has no rubric"),
        ("[why_green]\nasks = 'x'\n", "needs exactly asks, full, half, levels"),
        ("[why_green]\nasks='a'\nfull='f'\nhalf='h'\n[why_green.levels]\n4='x'\n2='y'\n", "down to 0"),
        ("[why_green]\nasks='a'\nfull='f'\nhalf='h'\n[why_green.levels]\n3='x'\n0='y'\n", "gives up to 3"),
        (
            "[why_green]\nasks='a'\nfull='f'\nhalf='h'\n[why_green.levels]\nfour='x'\n0='y'\n",
            "map points to text",
        ),
        ("not toml", "rubrics.toml"),
    ],
)
def test_rubrics_fit_the_answers(course, rubrics, complaint):
    with pytest.raises(CourseError, match=complaint):
        build(course(rubrics=rubrics))


def test_a_rubric_without_an_answer_is_refused(course):
    orphan = "[other]\nasks='a'\nfull='f'\nhalf='h'\n[other.levels]\n3='x'\n0='y'\n"
    root = course()
    with (root / "course/a9_tiny/rubrics.toml").open("a", encoding="utf-8") as file:
        file.write(orphan)
    with pytest.raises(CourseError, match="'other' belongs to no answer"):
        build(root)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[[assignment]]", "[assignment]", r"expected \[\[assignment\]\] tables"),
        ("minutes = 1", "minutes = 'long'", r"needs minutes \(int\), got 'long'"),
        ('notebook = "tiny"', 'notebook = "../tiny"', "expected a notebook of small letters"),
        ('guide = ["G001-G002"]', 'guide = ["1"]', "expected a guide row"),
        ('guide = ["G001-G002"]', 'needs = ["a0"]', "needs 'a0', which does not come before it"),
        ('guide = ["G001-G002"]', "colour = 1", "unknown key 'colour'"),
        ('[[assignment]]\nname = "a9_tiny"', "= broken", "cannot be read as a syllabus"),
    ],
)
def test_a_bad_syllabus_is_refused(course, old, new, complaint):
    with pytest.raises(CourseError, match=complaint):
        build(course(syllabus=SYLLABUS.replace(old, new)))


def test_a_folder_without_a_course_is_told_where_to_go(tmp_path):
    with pytest.raises(CourseError, match=r"no course/syllabus\.toml; run this in the project's folder"):
        build(tmp_path)


def test_an_assignment_stands_once_in_the_syllabus(course):
    with pytest.raises(CourseError, match="stands twice"):
        build(course(syllabus=SYLLABUS + SYLLABUS))
