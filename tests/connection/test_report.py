"""A connection shows itself once, everywhere, and inert."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import nbclient
import nbformat
import pytest
from rich.console import Console

from corelab.connection import Connection
from corelab.home import Home

LOCAL = Connection(
    console="http://127.0.0.1:4000/_corelab/console/",
    target="local", region="us-east-1", account="123456789012", url="http://127.0.0.1:4000", home=Path("home"),
    identity="arn:aws:sts::123456789012:assumed-role/LabRole/learner", bill=0.0,
)  # fmt: skip
USER = Connection(
    target="aws",
    region="eu-west-1",
    account="123456789012",
    identity="arn:aws:iam::123456789012:user/<b>[red]ada",
)


def test_the_role_is_the_assumed_one_and_a_user_has_none() -> None:
    assert LOCAL.role == "LabRole"
    assert USER.role is None
    assert "none: you are arn:aws:iam::123456789012:user/" in str(USER)


def test_the_console_is_shown_when_there_is_one() -> None:
    assert "http://127.0.0.1:4000/_corelab/console/" in str(LOCAL)
    assert "console" not in str(USER)


def test_a_console_behind_a_hub_is_a_link_too() -> None:
    assert "<a href='/user/ada/corelab/'" in replace(LOCAL, console="/user/ada/corelab/")._repr_html_()


def test_a_bill_is_shown_when_there_is_one() -> None:
    assert "$0.00" in str(LOCAL)
    assert "bill" not in str(USER)


def test_markup_in_a_name_stays_text() -> None:
    assert "&lt;b&gt;[red]ada" in USER._repr_html_()
    assert "<b>" not in USER._repr_html_()
    screen = io.StringIO()
    Console(file=screen, width=120).print(USER)
    assert "<b>[red]ada" in screen.getvalue()


def test_a_notebook_shows_the_table_once_a_cell(small_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORELAB_HOME", str(small_home.path))
    cells = [
        "import corelab; corelab.connect()",
        "connection = corelab.connect()",
        "connection",
        "%load_ext corelab",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [cell.outputs for cell in notebook.cells]
    assert [len(each) for each in outputs] == [1, 1, 1, 1]
    for (output,) in outputs:
        assert output.output_type == "display_data"
        assert "LabRole" in output.data["text/html"]
        assert "LabRole" in output.data["text/plain"]
