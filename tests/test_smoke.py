"""The smoke run: notebooks run to their end or are told apart from those that do."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
import zmq.asyncio
from filelock import FileLock
from jupyter_client.session import Session
from rich.console import Console

from corelab import smoke
from corelab.errors import CorelabError
from corelab.smoke.client import WakingClient


def notebook(*sources):
    node = nbformat.v4.new_notebook()
    for number, source in enumerate(sources):
        cell = nbformat.v4.new_code_cell(source, id=f"cell_{number}")
        if source.startswith("assert"):
            cell.metadata["nbgrader"] = {"grade": True}
        node.cells.append(cell)
    return node


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Three small notebooks, one of which fails, one with its own way of printing errors."""
    root = tmp_path_factory.mktemp("course")
    hook = (
        "def show(self, *_, **__):\n    print('my own words about it')\n"
        "import types\nip = get_ipython()\nip._showtraceback = types.MethodType(show, ip)\n1 / 0"
    )
    environment = "import os, pathlib\npathlib.Path('made.txt').write_text(os.environ['CORELAB_TARGET'])"
    for name, node in {
        "a_right": notebook(environment, "assert open('data.txt').read() == 'rows'", "assert True"),
        "b_wrong": notebook("x = 1", "assert x == 2, 'x is one'", "y = 2"),
        "c_strange": notebook("x = 1", hook),
    }.items():
        (root / "source" / name).mkdir(parents=True)
        nbformat.write(node, root / "source" / name / "n.ipynb")
    (root / "source/a_right/data.txt").write_text("rows")
    said = io.StringIO()
    status = smoke.run([], "aws", root / "out", root=root, console=Console(file=said, width=120))
    summary = json.loads((root / "out/summary.json").read_text(encoding="utf-8"))
    return (
        root,
        status,
        said.getvalue(),
        {entry["assignment"]: entry for entry in summary["notebooks"]},
        summary,
    )


def test_a_failed_notebook_fails_the_run_but_not_the_others(ran):
    _, status, _, notebooks, summary = ran
    assert status == 1
    assert summary["passed"] is False
    assert [entry["passed"] for entry in notebooks.values()] == [True, False, False]


def test_the_failing_cell_is_named_with_what_it_said(ran):
    _, _, said, notebooks, _ = ran
    assert notebooks["b_wrong"]["failure"]["cell"] == "cell_1"
    assert notebooks["b_wrong"]["failure"]["error"] == "AssertionError"
    assert "x is one" in said
    assert "failed in cell_1" in said


def test_an_error_that_a_library_prints_itself_is_found_too(ran):
    _, _, said, notebooks, _ = ran
    assert notebooks["c_strange"]["failure"]["cell"] == "cell_1"
    assert "my own words about it" in said


def test_cells_and_right_checks_are_counted(ran):
    _, _, _, notebooks, _ = ran
    assert [(entry["cells"], entry["checks"]) for entry in notebooks.values()] == [(3, 2), (2, 0), (2, 0)]


def test_files_are_written_beside_the_executed_copy_and_not_in_source(ran):
    root, *_ = ran
    assert (root / "out/a_right/made.txt").read_text() == "aws"
    assert sorted(path.name for path in (root / "source/a_right").iterdir()) == ["data.txt", "n.ipynb"]
    executed = nbformat.read(root / "out/b_wrong/n.ipynb", as_version=4)
    assert any(cell.get("execution_count") for cell in executed.cells)


def test_who_is_asked_between_cells_can_end_a_notebook_there(ran, tmp_path):
    root, *_ = ran
    asked = []

    def ask():
        asked.append(1)
        if len(asked) == 2:
            raise CorelabError("the budget is spent")

    assert smoke.run(["a_right"], "local", tmp_path, root=root, between_cells=ask) == 1
    [entry] = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["notebooks"]
    assert (entry["cells"], entry["failure"]["message"]) == (1, "CorelabError:\nthe budget is spent")


def test_the_environment_is_as_before(ran):
    assert "CORELAB_TARGET" not in os.environ


def test_a_second_run_in_the_same_folder_waits_its_turn(ran):
    root, *_ = ran
    with FileLock(root / "out/.lock"), pytest.raises(CorelabError, match="another smoke run"):
        smoke.run(["a_right"], "local", root / "out", root=root)


def test_an_unknown_assignment_or_an_empty_course_is_refused(ran, tmp_path):
    root, *_ = ran
    with pytest.raises(CorelabError, match=r"no assignment 'a9'; .* holds a_right, b_wrong, c_strange"):
        smoke.run(["a9"], "local", root / "out", root=root)
    with pytest.raises(CorelabError, match="run: corelab build"):
        smoke.run([], "local", tmp_path / "out", root=tmp_path)


def test_a_notebook_waits_for_those_it_builds_on_and_for_no_others(tmp_path):
    """Each one waits for a file that its partner writes; the last reads what both have left."""
    meet = "import pathlib, time\npathlib.Path('../{}').touch()\nwhile not pathlib.Path('../{}').exists(): time.sleep(0.05)"
    for name, source in {
        "a": meet.format("a_is_there", "b_is_there"),
        "b": meet.format("b_is_there", "a_is_there")
        + "\ntime.sleep(1)\npathlib.Path('../b_has_ended').touch()",
        "c": "import pathlib\nassert pathlib.Path('../b_has_ended').exists()",
    }.items():
        (tmp_path / "source" / name).mkdir(parents=True)
        nbformat.write(notebook(source), tmp_path / "source" / name / "n.ipynb")
    said = io.StringIO()
    status = smoke.run(
        root=tmp_path, out=tmp_path / "out", console=Console(file=said), workers=2, needs={"c": ["b"]}
    )
    assert status == 0, said.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be forked there")
def test_a_kernel_has_imported_what_the_notebooks_import_but_bound_no_name(tmp_path):
    missing = "import sys\nassert 'colorsys' in sys.modules and 'colorsys' not in globals()"
    (tmp_path / "source/a").mkdir(parents=True)
    nbformat.write(
        notebook(missing, "import colorsys, not_there.at_all", "%matplotlib inline"),
        tmp_path / "source/a/n.ipynb",
    )
    said = io.StringIO()
    assert smoke.run(root=tmp_path, out=tmp_path / "out", console=Console(file=said)) == 1
    assert "No module named 'not_there'" in said.getvalue()


def test_a_kernel_ends_with_the_process_that_ran_its_notebook(tmp_path):
    (tmp_path / "source/a").mkdir(parents=True)
    tell = "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)"
    nbformat.write(notebook(tell), tmp_path / "source/a/n.ipynb")
    run = [sys.executable, "-c", "from corelab import smoke; smoke.run()"]
    with subprocess.Popen(run, cwd=tmp_path, stdout=subprocess.DEVNULL) as runner:
        kernel = psutil.Process(int(written(tmp_path / "build/smoke/a/pid")))
        runner.kill()
    assert psutil.wait_procs([kernel], 30)[1] == []


def written(path):
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.1)
    return path.read_text()


def test_a_reply_that_comes_while_a_client_sends_is_seen():
    """It is seen without waiting for another: a second reply to come would hide what this is about."""

    async def answered():
        with (
            zmq.asyncio.Context() as context,
            context.socket(zmq.DEALER) as socket,
            zmq.Context() as other,
            other.socket(zmq.ROUTER) as kernel,
        ):
            socket.connect(f"tcp://127.0.0.1:{kernel.bind_to_random_port('tcp://127.0.0.1')}")
            session = Session(key=b"")
            channel = WakingClient().shell_channel_class(socket, session)
            channel.send(session.msg("execute_request"))
            identity = kernel.recv_multipart()[0]
            waiting = asyncio.ensure_future(channel.get_msg(timeout=60))
            await asyncio.sleep(0.1)
            session.send(kernel, "execute_reply", ident=identity)
            time.sleep(0.5)  # the loop is busy; the reply arrives meanwhile
            channel.send(session.msg("comm_msg"))
            return await asyncio.wait_for(waiting, 30)

    assert asyncio.run(answered())["msg_type"] == "execute_reply"
