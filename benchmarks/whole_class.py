"""Two hundred submissions, one in twenty hostile, the grader killed halfway: a second run finishes what is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.figures import Bar, Figure, at_most
from benchmarks.grading import ASSIGNMENT, Notebook, answered, command, hand_in, make_class, scores

_SUBMISSIONS, _QUICK = 200, 20
_ONE_IN = 20
_NONE = Bar("none", lambda ours, _: ours == 0)
_MEGABYTE = 1e6
_LOOK_SECONDS, _END_SECONDS = 1.0, 30.0
# Each stands where a student's own first cell would.
HOSTILE = (
    "import os\nwhile True: os.fork()",
    "kept = []\nwhile True: kept.append(bytearray(64 << 20))",
    "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)",
    "while True: print('x' * 100_000)",
    "open('/tmp/full', 'wb').write(b'x' * (4 << 30))",
    "import os\nos._exit(0)",
    "import socket\nsocket.create_connection(('1.1.1.1', 80), 5)",
    "from corelab.checks import outcome\noutcome.check = lambda function: (lambda *a, **k: None)",
    "import subprocess\nsubprocess.Popen(['sleep', '9999'], start_new_session=True)",
    "import sys\nsys.stdout.write('{' * 2_000_000)\nsys.setrecursionlimit(10**6)",
)


def measure(quick: bool) -> list[Figure]:
    count = _QUICK if quick else _SUBMISSIONS
    with tempfile.TemporaryDirectory(prefix="class-") as name:
        root = make_class(Path(name, "class"))
        honest, hostile = _handed_in(root, count)
        line = command("corelab", "grade", "--root", str(root), "--assignment", ASSIGNMENT)
        began = time.monotonic()
        first, left = _killed_halfway(line, root, count // 2)
        kept = _results(root)
        second = _to_the_end(line)
        seconds = time.monotonic() - began
        marks = scores(root)
        full = Counter(marks[student] for student in honest if student in marks).most_common(1)[0][0]
        changed = sum(_results(root)[student] != when for student, when in kept.items())
    return [
        Figure(f"{count} submissions in two runs", "s", [seconds]),
        Figure("honest submissions without full automatic marks", "",
               [sum(marks.get(student) != full for student in honest)], bar=_NONE),
        Figure("hostile submissions with more than that", "",
               [sum(marks.get(student, 0) > full for student in hostile)], bar=_NONE),
        Figure("graded when the grader was killed", "", [len(kept)], better="more"),
        Figure("of these graded again by the second run", "", [changed], bar=_NONE),
        Figure("students without a mark in the gradebook", "", [count - len(marks)], bar=_NONE),
        Figure("processes alive after the kill", "", [left], bar=_NONE),
        Figure("peak memory of all processes, shared pages once", "MB", [max(first, second) / _MEGABYTE],
               bar=at_most(6_000, "MB")),
    ]  # fmt: skip


def _handed_in(root: Path, count: int) -> tuple[list[str], list[str]]:
    """Names of the honest and of the hostile."""
    honest, hostile = [], []
    for number in range(count):
        made = answered()
        name = f"student{number:03}"
        if number % _ONE_IN:
            honest.append(name)
        else:
            hostile.append(name)
            made["cells"].insert(0, _cell(HOSTILE[number // _ONE_IN % len(HOSTILE)]))
        hand_in(root, name, json.dumps(made).encode())
    return honest, hostile


def _cell(source: str) -> Notebook:
    return {"cell_type": "code", "id": "own", "metadata": {}, "source": source, "outputs": [],
            "execution_count": None}  # fmt: skip


def _results(root: Path) -> dict[str, float]:
    """How long each graded submission took, by student: another number would be another grading."""
    files = (root / "build/grading/results" / ASSIGNMENT).glob("[!.]*.json")
    return {file.stem: json.loads(file.read_text("utf-8"))["seconds"] for file in files}


def _killed_halfway(line: list[str], root: Path, enough: int) -> tuple[int, int]:
    """Kill the grader when enough results are there; peak memory, and who of its processes outlived it."""
    peak = 0
    with _started(line) as grader:
        while grader.poll() is None and len(_results(root)) < enough:
            peak = max(peak, _memory(grader.pid))
            time.sleep(_LOOK_SECONDS)
        family = _family(grader.pid)
        grader.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=_END_SECONDS)
    return peak, len(alive)


def _to_the_end(line: list[str]) -> int:
    peak = 0
    with _started(line) as grader:
        while grader.poll() is None:
            peak = max(peak, _memory(grader.pid))
            time.sleep(_LOOK_SECONDS)
    return peak


def _started(line: list[str]) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"PATH": path}
    )


def _family(pid: int) -> list[psutil.Process]:
    try:
        grader = psutil.Process(pid)
        return [grader, *grader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _memory(pid: int) -> int:
    """Bytes; a page that several processes share is divided among them."""
    total = 0
    for process in _family(pid):
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total
