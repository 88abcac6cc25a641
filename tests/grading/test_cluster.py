"""The same units of work run on a Dask cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed")

PROGRAM = """
import sys
from pathlib import Path
from distributed import LocalCluster
from corelab.grading.batch import Course, grade_class
from corelab.grading.cluster import cluster
from corelab.grading.walls.limits import Limits

if __name__ == "__main__":
    course = Course(Path(sys.argv[1]), sys.argv[2], Limits(cell_seconds=20, whole_seconds=120))
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, silence_logs=50) as machines:
        with cluster(machines.scheduler_address) as pool:
            for result in grade_class(course, pool=pool):
                print(result.student, result.score, result.state)
"""


def test_two_workers_of_a_real_scheduler_grade_a_class(walls: str, tmp_path: Path) -> None:
    from tests.grading import course, small_course

    root = small_course.make(tmp_path / "class")
    for number in range(4):
        answers = course.honest() if number else {}
        small_course.hand_in(root, f"s{number}", course.submission(answers))
    program = tmp_path / "grade.py"
    program.write_text(PROGRAM)
    ended = subprocess.run(
        [sys.executable, str(program), str(root), walls], capture_output=True, text=True, timeout=400
    )
    assert ended.stdout.split("\n")[:4] == ["s0 0.0 graded", *(f"s{n} 10.0 graded" for n in (1, 2, 3))], (
        ended.stderr
    )


def test_a_scheduler_that_does_not_answer_is_an_error_with_its_address() -> None:
    from corelab.errors import ServerError
    from corelab.grading import cluster

    with pytest.raises(ServerError, match=r"127\.0\.0\.1:1"), cluster.cluster("tcp://127.0.0.1:1", 1):
        raise AssertionError("there is none")
