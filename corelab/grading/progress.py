"""The bar that tells an instructor how far grading is and when it will be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from corelab.grading.batch import Progress


@contextmanager
def shown(console: Console | None = None) -> Iterator[Callable[[Progress], None]]:
    """A bar on the terminal; yields what ``grade_class`` tells."""
    columns = (
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bar = Bar(TextColumn(columns[0]), *columns[1:], console=console or Console(stderr=True))
    with bar:
        task = bar.add_task("grading", total=None)

        def tell(progress: Progress) -> None:
            last = progress.last
            name = f"{last.assignment} {last.student}" if last else "grading"
            bar.update(task, total=progress.total, completed=progress.done, description=name)
            if last is not None and last.reason:
                bar.console.print(
                    f"{last.student}: {last.state}: {last.reason}", markup=False, highlight=False
                )

        yield tell
