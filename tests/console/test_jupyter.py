"""From JupyterLab to a Completed job and to the console, in a real Chromium, as a student clicks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import list_running_servers

from corelab.home import Home
from corelab.lab import tile
from tests.conftest import Lab

Tab = Callable[..., Any]
PATIENCE_MS = 180_000  # a busy machine is slow; what never comes still ends the test


@pytest.fixture(scope="module")
def jupyter(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of JupyterLab, opened as ``corelab lab`` opens it in a course's folder."""
    root = tmp_path_factory.mktemp("course")
    (root / "release").mkdir()
    runtime = root / "runtime"
    settings = os.environ | {
        "CORELAB_HOME": str(lab.home.path),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(root / "config"),
        "JUPYTER_DATA_DIR": str(root / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(root / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / "workspaces"),
    }
    options = ["--ServerApp.port=0", "--no-browser", "--allow-root"]
    with (root / "log").open("wb") as log:
        program = [sys.executable, "-m", "corelab", "lab", "--", *options]
        child = subprocess.Popen(program, cwd=root, env=settings, stdout=log, stderr=log)
        try:
            yield _address(child, runtime, root / "log")
        finally:
            child.terminate()
            child.wait(60)


def _address(child: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and child.poll() is None:
        for server in list_running_servers(str(runtime)):
            if os.name == "posix":
                assert server["pid"] == child.pid  # so that whoever ends the command ends JupyterLab
            return f"{server['url']}lab?token={server['token']}"
        time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8"))


def test_three_clicks_lead_to_a_completed_job_and_its_page(jupyter: str, tab: Tab, lab: Lab) -> None:
    page = tab(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(jupyter)
    page.get_by_role("listitem", name="first_job.ipynb").dblclick()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # what is asked of a kernel before is lost
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    link = page.get_by_role("link", name="look at it in the console")
    link.wait_for()
    assert page.locator(".jp-RenderedMarkdown", has=link).locator("strong").inner_text() == "Completed"
    with page.context.expect_page() as opened:
        link.click()
    opened.value.locator("#facts .s-Completed").wait_for()
    assert opened.value.locator("#log .log li").count() > 5


def test_the_launcher_s_tile_opens_the_console_under_jupyter_s_own_address(jupyter: str, tab: Tab) -> None:
    page = tab(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{jupyter}&reset")  # what another test left open may hide the launcher
    with page.context.expect_page() as opened:
        page.locator(".jp-LauncherCard", has_text="SageMaker console").click()
    # Nobody is asked whether they want news.
    assert page.get_by_text("Jupyter news").count() == 0
    console = opened.value
    console.get_by_role("heading", name="Local SageMaker").wait_for()
    console.get_by_role("link", name="Training", exact=True).click()
    console.get_by_role("heading", name="Training jobs").wait_for()
    assert console.url.split("/")[2:] == [jupyter.split("/")[2], "corelab", "training"]


def test_the_tile_settles_a_port_before_a_server_runs_and_the_server_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORELAB_HOME", str(tmp_path / "home"))
    port = tile()["port"]
    assert tile()["port"] == port == Home(tmp_path / "home").last_port()
