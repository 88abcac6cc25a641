from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.authoring import text
from corelab.errors import CourseError

WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=40)


def test_cells_know_their_lines_and_marks():
    cells = text.parse('# %% [markdown]\n# Hello\n\n# %% test="a" points=3 tags=["x"]\nassert True\n')
    assert [(cell.kind, cell.line) for cell in cells] == [("markdown", 1), ("code", 4)]
    assert cells[1].marks == {"test": "a", "points": 3, "tags": ["x"]}


def test_shell_lines_are_commented_in_text_and_live_in_notebooks():
    [cell] = text.parse("# %%\n# !corelab doctor\n")
    assert cell.source == "!corelab doctor"
    assert "# !corelab doctor" in text.write([cell])


@given(st.lists(st.tuples(st.sampled_from(["code", "markdown"]), WORDS), min_size=1, max_size=6))
def test_written_text_reads_back_the_same(cells):
    written = [
        text.Cell(kind, f"# {words.strip()}\nx = 1" if kind == "code" else words.strip() or "x")
        for kind, words in cells
    ]
    read = text.parse(text.write(written))
    assert [(cell.kind, cell.source) for cell in read] == [(cell.kind, cell.source) for cell in written]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("", "expected '# %%' on the first line"),
        ("---\njupyter: {}\n---\n# %%\n", "expected '# %%' on the first line"),
        ('# %%\nx = """\n# %% not a cell\n"""\n', "2 lines start with '# %%' but there are 1 cells"),
    ],
)
def test_text_that_is_no_lesson_is_refused(source, complaint):
    with pytest.raises(CourseError, match=complaint):
        text.parse(source)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "latin.py").write_bytes(b"# %%\n# caf\xe9\n")
    with pytest.raises(CourseError, match=r"latin\.py: cannot be read"):
        text.read(tmp_path / "latin.py")
    with pytest.raises(CourseError, match=r"nothing\.py: cannot be read"):
        text.read(tmp_path / "nothing.py")
