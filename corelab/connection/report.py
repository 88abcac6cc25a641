"""What ``connect()`` returns, and how it looks in a terminal and in a notebook."""

from __future__ import annotations

import html
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True, repr=False)
class Connection:
    """Which cloud this process talks to."""

    target: Literal["local", "aws"]
    region: str
    account: str
    identity: str  # the caller's ARN
    console: str | None = None  # where to look at jobs in a browser
    url: str | None = None  # of the local server
    home: Path | None = None
    bill: float | None = None  # US dollars that AWS would have asked so far
    note: str | None = None

    @property
    def role(self) -> str | None:
        """The name of the role this process acts as; None when the identity is a user."""
        kind, _, rest = self.identity.rpartition(":")[2].partition("/")
        return rest.split("/")[0] if kind == "assumed-role" else None

    def facts(self) -> Iterator[tuple[str, str]]:
        """What a person should know, line by line."""
        yield "cloud", "local SageMaker, on this machine" if self.target == "local" else "AWS: real money"
        yield "account", f"{self.account}, {self.region}"
        yield "role", self.role or f"none: you are {self.identity}"
        if self.console:
            yield "console", self.console
        if self.bill is not None:
            yield "bill so far", f"${self.bill:.2f}, had it run on AWS"
        if self.note:
            yield "note", self.note

    def __repr__(self) -> str:
        return f"Connection(target={self.target!r}, region={self.region!r}, account={self.account!r})"

    def __str__(self) -> str:
        return "\n".join(f"{name:12}{value}" for name, value in self.facts())

    def __rich__(self) -> Table:
        from rich.markup import escape
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        for name, value in self.facts():
            table.add_row(f"[bold]{name}[/]", escape(value))
        return table

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{_linked(value)}</td></tr>"
            for name, value in self.facts()
        )
        return f"<table>{rows}</table>"

    def _ipython_display_(self) -> None:
        if _notebook_cell() not in (None, _shown_in.get(id(self))):
            _publish(self)
        elif _notebook_cell() is None:
            sys.stdout.write(f"{self}\n")


# connect() shows its answer at once; as the last line of the same cell it must not appear twice.
_shown_in: dict[int, int] = {}


def show(connection: Connection) -> None:
    """Print it: as a table in a notebook, as lines elsewhere."""
    cell = _notebook_cell()
    if cell is None:
        sys.stdout.write(f"{connection}\n")
        return
    _shown_in.clear()
    _shown_in[id(connection)] = cell
    _publish(connection)


def _publish(connection: Connection) -> None:
    display: Any = importlib.import_module("IPython.display")
    display.publish_display_data({"text/plain": str(connection), "text/html": connection._repr_html_()})


def _notebook_cell() -> int | None:
    """The number of the running cell; None outside a notebook."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell.execution_count if shell is not None and hasattr(shell, "kernel") else None


def _linked(value: str) -> str:
    shown = html.escape(value)
    # An address that starts with / is Jupyter's own, on a hub.
    if not value.startswith(("http://", "https://", "/")):
        return shown
    return f"<a href='{html.escape(value, quote=True)}' target='_blank' rel='noopener'>{shown}</a>"
