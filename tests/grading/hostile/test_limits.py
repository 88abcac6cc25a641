"""A submission uses what it may, costs itself only what it must, and is gone afterwards."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from corelab.grading.result import Result
from corelab.grading.walls.limits import MIB
from tests.grading import course
from tests.grading.conftest import QUICK, Grade

PROBE = """
import ctypes, os, socket, subprocess, errno
def tried(function):
    try: return str(function())
    except BaseException as problem: return type(problem).__name__ + ':' + str(getattr(problem, 'errno', ''))
def allocate():
    block = bytearray(8 << 30); return len(block)
def fill():
    with open('/tmp/fill', 'wb') as f:
        for _ in range(300): f.write(bytes(1 << 20))
def refused(number, *args):
    ctypes.set_errno(0); result = ctypes.CDLL(None, use_errno=True).syscall(number, *args)
    return 'EPERM' if result == -1 and ctypes.get_errno() == errno.EPERM else result
word = repr({
  'uid': os.getuid(), 'network': tried(lambda: socket.create_connection(('192.0.2.1', 80), 1)),
  'vsock': tried(lambda: socket.socket(40, socket.SOCK_STREAM)), 'memory': tried(allocate), 'disk': tried(fill),
  'root': tried(lambda: sorted(os.listdir('/root'))), 'shadow': tried(lambda: open('/etc/shadow').read()),
  'write': tried(lambda: open('/usr/x', 'w')), 'own_code': tried(lambda: open(course_file, 'a')),
  'unshare': refused(272, 0x10000000), 'ptrace': refused(101, 0, 0, 0, 0), 'processes': len([p for p in os.listdir('/proc') if p.isdigit()]),
  'course': os.path.exists('/course/secret.txt'), 'secrets': [k for k in os.environ if 'SECRET' in k], 'mounted': tried(lambda: ctypes.CDLL(None).mount(b'a', b'/tmp', b'tmpfs', 0, None)),
})
"""


def test_a_notebook_sees_nothing_and_reaches_nobody(grade: Grade) -> None:
    script = PROBE + "\nprint(word)"
    made = course.submission(
        course.honest(), first=f"import corelab.grading.judge as j\ncourse_file = j.__file__\n{script}"
    )
    result = grade(made, limits=replace(QUICK, disk_bytes=100 * MIB), course={"secret.txt": b"x"})
    assert result.notebook is not None
    printed = "".join(out.get("text", str(out)) for out in result.notebook["cells"][0]["outputs"])
    seen = eval(printed)  # a dict literal that our own probe printed
    assert seen.pop("uid") >= 1000
    assert seen.pop("processes") <= 4
    assert seen.pop("network") in ("OSError:101", "TimeoutError:")
    assert seen.pop("memory").startswith("MemoryError")
    assert seen.pop("disk").startswith(("OSError:27", "OSError:28"))
    assert seen.pop("root").startswith(("PermissionError", "FileNotFoundError", "['.pyenv']", "[]"))
    assert seen.pop("shadow").startswith(("PermissionError", "FileNotFoundError"))
    assert seen.pop("write").startswith(("PermissionError", "OSError:30"))
    assert seen.pop("own_code").startswith(("PermissionError", "OSError:30"))
    assert seen.pop("vsock").startswith("PermissionError")
    assert seen == {"unshare": "EPERM", "ptrace": "EPERM", "course": False, "secrets": [], "mounted": "-1"}
    assert result.score == 10


def score_of(result: Result) -> float:
    assert [item.name for item in result.items] == ["t1", "t2", "t3", "t4", "why"]
    return result.score


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "a_cell_that_waits_for_ever": "import time\ntime.sleep(999)",
        "a_loop_that_ignores_interrupts": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "a_cell_that_takes_all_memory": "hog = []\nwhile True: hog.append(bytearray(50_000_000))",
        "a_crash": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
        "a_flood_of_output": "for _ in range(3000): print('x' * 100_000)",
        "a_line_without_end": "print('y' * 60_000_000)",
        "a_huge_html_output": "from IPython.display import HTML\nHTML('<b>' * 20_000_000)",
        "a_daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(4321)\n    os._exit(0)",
        "a_full_disk": "try:\n    open('x', 'wb').write(bytes(600 << 20))\nexcept OSError: pass\nimport os; os.remove('x')",
        "a_recursion": "def f(): f()\nf()",
    }.items(),
)  # fmt: skip
def test_a_bad_cell_costs_nothing_but_itself(grade: Grade, name: str, text: str) -> None:
    made = course.submission(course.honest(), extra={"t1": text})
    limits = replace(QUICK, cell_seconds=2.5, memory_bytes=1000 * MIB, processes=40)
    result = grade(made, limits=limits)
    assert score_of(result) == 10, [(item.name, item.findings) for item in result.items]
    assert result.notebook is not None
    assert len(str(result.notebook)) < 6 * MIB


def test_a_pile_of_processes_ends_at_the_limit(grade: Grade) -> None:
    text = "import os, time\nfor count in range(2000):\n    try:\n        if os.fork() == 0: time.sleep(100)\n    except OSError: break\nprint('made', count)"
    result = grade(
        course.submission(course.honest(), extra={"t1": text}), limits=replace(QUICK, processes=30)
    )
    assert result.notebook is not None
    printed = next(cell["outputs"] for cell in result.notebook["cells"] if cell["source"] == text)[0]["text"]
    assert 5 < int(printed.split()[1]) < 30
    assert result.items[0].score == 3


def test_a_notebook_that_uses_up_its_time_keeps_what_it_had(grade: Grade) -> None:
    made = course.submission(course.honest(), extra={"t2": "import time\ntime.sleep(999)"})
    result = grade(made, limits=replace(QUICK, cell_seconds=30, whole_seconds=8))
    assert {item.name: item.score for item in result.items} == {
        "t1": 3,
        "t2": 3,
        "t3": 0,
        "t4": 0,
        "why": None,
    }


def test_a_function_that_never_returns_is_wrong_and_no_more(grade: Grade) -> None:
    made = course.submission({**course.honest(), "double": "def double(x):\n    while True: pass"})
    scores = {item.name: item.score for item in grade(made).items}
    assert (scores["t1"], scores["t2"], scores["t3"]) == (0, 3, 1)


def test_links_and_queues_in_the_folder_lead_nowhere(grade: Grade) -> None:
    text = "import os\nos.symlink('/proc/self/environ', 'link')\nos.mkfifo('queue')\nopen('file', 'w').write('x')"
    result = grade(course.submission(course.honest(), first=text))
    assert result.score == 10


def test_nothing_is_left_when_a_submission_is_done(grade: Grade) -> None:
    before = {process.pid for process in psutil.process_iter()}
    grade(course.submission(course.honest(), first="import subprocess\nsubprocess.Popen(['sleep', '4711'])"))
    left = [p for p in psutil.process_iter(["pid", "cmdline"]) if p.pid not in before and p.info["cmdline"]]
    assert [p.info["cmdline"] for p in left if "4711" in p.info["cmdline"]] == []


def test_everything_ends_when_the_grader_is_killed(warm: str, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(Path(course.__file__).parent)!r})\n"
        "import course\nfrom corelab.grading.unit import Job, grade\n"
        'made = course.submission(course.honest(), first=\'import subprocess, sys\\nprint(1)\\nsubprocess.run(["sleep", "4712"])\')\n'
        "print('go', flush=True)\n"
        f"grade(Job('a', 'small', 'small', course.source(), course.release(), course.as_bytes(made), walls={warm!r}))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        assert grader.stdout.readline() == "go\n"
        family = _wait_for("4712", grader)
        grader.kill()
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert gone
    assert alive == []


def _wait_for(argument: str, grader: subprocess.Popen[str]) -> list[psutil.Process]:
    while grader.poll() is None:
        found = [p for p in psutil.process_iter(["cmdline"]) if argument in (p.info["cmdline"] or [])]
        found = [p for p in found if p.info["cmdline"][0] == "sleep"]
        if found:
            return found
    raise AssertionError(f"the grader ended with {grader.returncode} before anything ran")
