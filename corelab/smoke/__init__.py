"""Runs the reference notebooks through papermill and says whether each of them works.

source/<assignment>/*.ipynb ──papermill──▶ build/smoke/<assignment>/    executed copy, files it wrote
                                           build/smoke/summary.json
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock, Timeout
from rich.console import Console
from rich.table import Table

from corelab.errors import CorelabError
from corelab.smoke import kernels

CELL_SECONDS = 600
SHOWN_LINES = 12


@dataclass(frozen=True, slots=True)
class Failure:
    """The cell that stopped a notebook, by its name, and the end of what it said."""

    cell: str
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Result:
    """How one notebook ran."""

    assignment: str
    notebook: str
    seconds: float
    cells: int
    checks: int
    failure: Failure | None = None

    @property
    def passed(self) -> bool:
        return self.failure is None


def run(
    assignments: Sequence[str] = (),
    target: str = "local",
    out: Path = Path("build/smoke"),
    root: Path = Path(),
    console: Console | None = None,
    between_cells: Callable[[], None] | None = None,
    workers: int = 1,
    needs: Mapping[str, Sequence[str]] | None = None,
) -> int:
    """Run the reference notebooks of the named assignments (all by default).

    Args:
        target: ``local`` or ``aws``, handed to the notebooks as ``CORELAB_TARGET``.
        out: where executed copies, the files they write and ``summary.json`` go.
        root: the course root, which holds ``source/``.
        between_cells: called before each cell; a CorelabError from it ends the notebook. Notebooks then run one by one.
        workers: how many notebooks run at once.
        needs: which assignments must have run before one starts; without it they start in their names' order.

    Returns:
        0 when every notebook ran to its end, else 1.

    Raises:
        CorelabError: there is no such assignment, or nothing to run.
    """
    console, out = console or Console(), out.resolve()
    notebooks = _notebooks(root / "source", assignments)
    with _only_run(out), _kernel_environment(target):
        if between_cells:
            results = [_run_one(notebook, out, console, between_cells) for notebook in notebooks]
        else:
            results = _run_together(notebooks, out, console, workers, needs or {})
        _write_summary(results, target, out)
    console.print(_table(results))
    return 0 if all(result.passed for result in results) else 1


def _run_one(notebook: Path, out: Path, console: Console, between_cells: Callable[[], None]) -> Result:
    with console.status(f"{notebook.parent.name}: running {notebook.name}"):
        result = _execute(notebook, out / notebook.parent.name, between_cells)
    _tell(result, console)
    return result


def _run_together(
    notebooks: Sequence[Path], out: Path, console: Console, workers: int, needs: Mapping[str, Sequence[str]]
) -> list[Result]:
    """Start each notebook when those it builds on have ended; papermill changes folders, hence processes."""
    chosen = {notebook.parent.name: notebook for notebook in notebooks}
    order = TopologicalSorter({name: [n for n in needs.get(name, ()) if n in chosen] for name in chosen})
    order.prepare()
    running: dict[Future[Result], str] = {}
    results: dict[str, Result] = {}
    # A parent of processes keeps the environment it started with; what a run needs is given to each.
    given = _set_environment, (dict(os.environ),)
    with (
        kernels.context(notebooks) as forking,
        ProcessPoolExecutor(workers, forking, *given, max_tasks_per_child=1) as pool,
        console.status("") as status,
    ):
        while order.is_active():
            for name in order.get_ready():
                running[pool.submit(_execute_forked, chosen[name], out / name)] = name
            status.update(f"{len(results)} of {len(chosen)} done; running {', '.join(running.values())}")
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                results[name] = _ended(future, name)
                _tell(results[name], console)
                order.done(name)
    return [results[name] for name in chosen]


def _ended(future: Future[Result], name: str) -> Result:
    try:
        return future.result()
    except BrokenExecutor as problem:
        raise CorelabError(
            f"the process that ran {name} was ended by the system, perhaps for memory; try: corelab smoke --workers 1"
        ) from problem


def _tell(result: Result, console: Console) -> None:
    if result.failure:
        console.print(
            f"{result.assignment}, cell {result.failure.cell!r}:", style="bold red", highlight=False
        )
        console.print(result.failure.message, markup=False, highlight=False)
    else:
        console.print(f"{result.assignment}: passed in {result.seconds:.1f} s", highlight=False)


@contextlib.contextmanager
def _only_run(out: Path) -> Iterator[None]:
    """Two runs in one folder would pull it from under each other's kernels."""
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as problem:
        raise CorelabError(f"another smoke run is writing to {out}; wait for it or give --out") from problem
    try:
        yield
    finally:
        lock.release()


def _notebooks(source: Path, assignments: Sequence[str]) -> list[Path]:
    found = sorted(source.glob("*/*.ipynb"))
    known = {notebook.parent.name for notebook in found}
    if not found:
        raise CorelabError(f"expected notebooks in {source.resolve()}, got none; run: corelab build")
    for name in assignments:
        if name not in known:
            raise CorelabError(f"there is no assignment {name!r}; {source} holds {', '.join(sorted(known))}")
    return [notebook for notebook in found if not assignments or notebook.parent.name in assignments]


def _execute_forked(notebook: Path, folder: Path) -> Result:
    from corelab.smoke import engine

    with kernels.ready():
        return _execute(notebook, folder, engine=engine.NAME)


def _execute(
    notebook: Path,
    folder: Path,
    between_cells: Callable[[], None] | None = None,
    engine: str | None = None,
) -> Result:
    # papermill takes a second to import; `corelab --help` must not.
    import papermill
    from papermill.exceptions import PapermillException

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(notebook.parent, folder, ignore=shutil.ignore_patterns("*.ipynb", ".*"))
    executed = folder / notebook.name
    started, failure = time.monotonic(), None
    with _kernel_config() as config:
        try:
            papermill.execute_notebook(
                str(notebook),
                str(executed),
                cwd=str(folder),
                kernel_name="python3",
                engine_name=engine,
                progress_bar=False,
                execution_timeout=CELL_SECONDS,
                on_cell_start=between_cells and (lambda **_: between_cells()),
                config=config,
            )
        except (PapermillException, RuntimeError, TimeoutError, CorelabError) as problem:
            # A dead kernel and a cell out of time are nbclient's own errors, both of RuntimeError or TimeoutError.
            failure = _failure(problem, executed)
    cells, checks = _counts(executed)
    return Result(
        notebook.parent.name, notebook.stem, round(time.monotonic() - started, 1), cells, checks, failure
    )


@contextlib.contextmanager
def _kernel_environment(target: str) -> Iterator[None]:
    """What the notebooks' kernels inherit; a caller's ``-W error`` is not meant for students' notebooks."""
    wanted = {"CORELAB_TARGET": target, "PYTHONWARNINGS": None, "MPLBACKEND": None}
    before = {name: os.environ.get(name) for name in wanted}
    _set_environment(wanted)
    try:
        yield
    finally:
        _set_environment(before)


@contextlib.contextmanager
def _kernel_config() -> Iterator[Any]:
    """Sockets in a private folder in place of loopback ports, where the system has them: no race, no eavesdropper."""
    from traitlets.config import Config

    from corelab.smoke import client

    config = Config(client.SETTINGS)
    if os.name == "nt":
        yield config
        return
    # A socket's path has room for about a hundred characters, so not below ``out``.
    with tempfile.TemporaryDirectory(prefix="corelab-") as folder:
        config.KernelManager.transport, config.KernelManager.ip = "ipc", f"{folder}/kernel"
        yield config


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _failure(problem: Exception, executed: Path) -> Failure:
    """What the failed cell said; libraries that print their own traceback leave no error output."""
    name, message, cell = type(problem).__name__, str(problem), "?"
    for node in _cells(executed):
        if not node.metadata.get("papermill", {}).get("exception"):
            continue
        cell = node.get("id", "?")
        errors = [output for output in node.outputs if output.output_type == "error"]
        if errors:
            name, message = errors[-1].ename, errors[-1].evalue
        else:
            message = "".join(_printed(output) for output in node.outputs) or message
    lines = [line.rstrip() for line in message.splitlines() if line.strip()]
    return Failure(cell, name, "\n".join([f"{name}:", *lines[-SHOWN_LINES:]]))


def _printed(output: Any) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return "".join(text) + "\n"


def _cells(notebook: Path) -> list[Any]:
    if not notebook.exists():
        return []
    reads: Any = nbformat.reads
    return list(reads(notebook.read_text(encoding="utf-8"), as_version=4).cells)


def _counts(executed: Path) -> tuple[int, int]:
    """Code cells that ran, and graded ones among them that ended without an error."""
    ran = [cell for cell in _cells(executed) if cell.cell_type == "code" and cell.get("execution_count")]
    right = [
        cell
        for cell in ran
        if cell.metadata.get("nbgrader", {}).get("grade")
        and not any(output.output_type == "error" for output in cell.outputs)
    ]
    return len(ran), len(right)


def _table(results: Sequence[Result]) -> Table:
    table = Table("assignment", "result", title="reference notebooks")
    for heading in ("cells", "checks", "seconds"):
        table.add_column(heading, justify="right")
    for result in results:
        said = (
            "[green]passed[/]"
            if result.passed
            else f"[red]failed[/] in {result.failure.cell if result.failure else ''}"
        )
        table.add_row(result.assignment, said, str(result.cells), str(result.checks), f"{result.seconds:.1f}")
    return table


def _write_summary(results: Sequence[Result], target: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    summary = {
        "target": target,
        "passed": all(result.passed for result in results),
        "notebooks": [asdict(result) | {"passed": result.passed} for result in results],
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
