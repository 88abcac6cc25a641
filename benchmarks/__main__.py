"""Runs benchmarks one after the other, prints their tables, writes ``build/bench/<name>.json``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console

from benchmarks.figures import Figure, show, surroundings, write

# In this order: what is short and what the bars are strictest about comes first.
TITLES = {
    "training": "A training job against XGBoost called directly",
    "start": "Start and idle memory against plain moto",
    "endpoint": "One row through an endpoint against gunicorn and Flask with the same booster",
    "tuning": "A 20-trial tuning job against a bare loop at the same parallelism",
    "transform": "Batch transform against pandas and XGBoost",
    "objects": "S3 objects against plain moto",
    "cold_start": "A serverless endpoint's cold start against a fresh process",
    "console": "The web console's pages for a home with 500 jobs and 10,000 objects",
    "faults": "What breaks while it is used",
    "search": "Bayesian against Random search at 20 trials",
    "grading": "Twenty submissions against one nbgrader autograde process",
}
# Takes many minutes, so only when asked for by name.
LONG = {"whole_class": "A class of 200, one in twenty hostile, the grader killed halfway"}
FOLDER = Path("build/bench")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*TITLES, *LONG]))
@click.option("--quick", is_flag=True, help="Small sizes and few repeats: does it work, roughly how fast.")
def main(names: Sequence[str], quick: bool) -> None:
    """Measure ratios against floors in the same run."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    console = Console(width=120 if not sys.stdout.isatty() else None)
    verdicts: list[bool] = []
    for name in names or TITLES:
        before = surroundings(quick)
        measure: Callable[[bool], list[Figure]] = import_module(f"benchmarks.{name}").measure
        figures = measure(quick)
        show((TITLES | LONG)[name], figures, console)
        path = write(FOLDER, name, figures, {**before, "load_after": surroundings(quick)["load"]})
        console.print(f"load {before['load'][0]} on {before['cores']} cores; {path}\n", highlight=False)
        verdicts += [figure.holds for figure in figures if figure.holds is not None]
    console.print(f"{sum(verdicts)} of {len(verdicts)} bars hold.", highlight=False)


if __name__ == "__main__":
    main()
