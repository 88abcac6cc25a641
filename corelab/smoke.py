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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock, Timeout
from rich.console import Console
from rich.table import Table

from corelab.errors import CorelabError

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
) -> int:
    """Run the reference notebooks of the named assignments (all by default), one after the other.

    Args:
        target: ``local`` or ``aws``, handed to the notebooks as ``CORELAB_TARGET``.
        out: where executed copies, the files they write and ``summary.json`` go.
        root: the course root, which holds ``source/``.
        between_cells: called before each cell; a CorelabError from it ends the notebook.

    Returns:
        0 when every notebook ran to its end, else 1.

    Raises:
        CorelabError: there is no such assignment, or nothing to run.
    """
    console, out = console or Console(), out.resolve()
    results = []
    notebooks = _notebooks(root / "source", assignments)
    with _only_run(out):
        for notebook in notebooks:
            results.append(_run_one(notebook, out / notebook.parent.name, target, console, between_cells))
        _write_summary(results, target, out)
    console.print(_table(results))
    return 0 if all(result.passed for result in results) else 1


def _run_one(
    notebook: Path, folder: Path, target: str, console: Console, between_cells: Callable[[], None] | None
) -> Result:
    with console.status(f"{notebook.parent.name}: running {notebook.name}"):
        result = _execute(notebook, folder, target, between_cells)
    if result.failure:
        console.print(
            f"{result.assignment}, cell {result.failure.cell!r}:", style="bold red", highlight=False
        )
        console.print(result.failure.message, markup=False, highlight=False)
    return result


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


def _execute(notebook: Path, folder: Path, target: str, between_cells: Callable[[], None] | None) -> Result:
    # papermill takes a second to import; `corelab --help` must not.
    import papermill
    from papermill.exceptions import PapermillException

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(notebook.parent, folder, ignore=shutil.ignore_patterns("*.ipynb", ".*"))
    executed = folder / notebook.name
    started, failure = time.monotonic(), None
    with _kernel_environment(target), _kernel_sockets() as config:
        try:
            papermill.execute_notebook(
                str(notebook),
                str(executed),
                cwd=str(folder),
                kernel_name="python3",
                progress_bar=False,
                execution_timeout=CELL_SECONDS,
                on_cell_start=between_cells and (lambda **_: between_cells()),
                **config,
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
    """What the notebook's kernel inherits; a caller's ``-W error`` is not meant for students' notebooks."""
    wanted = {"CORELAB_TARGET": target, "PYTHONWARNINGS": None, "MPLBACKEND": None}
    before = {name: os.environ.get(name) for name in wanted}
    _set_environment(wanted)
    try:
        yield
    finally:
        _set_environment(before)


@contextlib.contextmanager
def _kernel_sockets() -> Iterator[dict[str, Any]]:
    """Sockets in a private folder in place of loopback ports, where the system has them: no race, no eavesdropper."""
    if os.name == "nt":
        yield {}
        return
    from traitlets.config import Config

    # A socket's path has room for about a hundred characters, so not below ``out``.
    with tempfile.TemporaryDirectory(prefix="corelab-") as folder:
        yield {"config": Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})}


def _set_environment(values: dict[str, str | None]) -> None:
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
