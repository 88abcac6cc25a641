from __future__ import annotations

import pytest

from corelab.authoring.coverage import coverage
from corelab.errors import CourseError

from .conftest import LESSON, ROWS


def test_rows_are_served_by_cells_and_pages(course):
    root = course(rows=ROWS + 'G003 = "doctor"\nG004 = "nothing serves it"\n')
    (root / "course/guide").mkdir()
    (root / "course/guide/start.md").write_text("# Start\n\n<!-- guide: G003, G001 -->\n")
    found = coverage(root)
    assert found.served["G001"] == ("course/a9_tiny/lesson.py:1", "course/guide/start.md:3")
    assert found.served["G002"] == ("course/a9_tiny/lesson.py:15",)
    assert found.missing == ("G004",)
    assert str(found) == "3 of 4 rows of the guide are served"


def test_a_row_that_the_guide_does_not_have_is_refused(course):
    with pytest.raises(CourseError, match=r"lesson\.py:1: the guide has no row G999"):
        coverage(course(lesson=LESSON.replace("G001", "G999")))
