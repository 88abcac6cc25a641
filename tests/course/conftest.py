"""Runs a notebook's code cells in this process, each against what the ones before it left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., dict[str, BaseException | None]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a notebook in an empty folder; ``written`` replaces cells by id; answers the error of each cell, by id."""
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")

    def run_cells(
        notebook: Path, written: Mapping[str, str] = {}, until: str = ""
    ) -> dict[str, BaseException | None]:
        outcomes: dict[str, BaseException | None] = {}
        names: dict[str, object] = {"__name__": "__main__"}
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.id == until:
                break
            if cell.cell_type == "code":
                outcomes[cell.id] = outcome(written.get(cell.id, cell.source), names)
        return outcomes

    return run_cells


def outcome(source: str, names: dict[str, object]) -> BaseException | None:
    try:
        exec(compile(source, "<cell>", "exec"), names)
    except Exception as problem:  # noqa: BLE001 - whatever a cell raises is what is asked for
        return problem
    finally:
        plt.close("all")  # as a notebook's own backend does after each cell
    return None


@pytest.fixture(scope="module")
def kernels_use_lab(lab) -> Iterator[None]:
    """Kernels started now connect to the tests' own local SageMaker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORELAB_HOME", str(lab.home.path))
        yield
