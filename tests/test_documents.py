"""The documents are true: their commands run, their generated parts are up to date, the site builds, links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs import faithful
from tests.conftest import Lab

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>.+?) -->\n)?^(?P<indent> *)```(?P<language>console|bash)\n(?P<text>.*?)^ *```$",
    re.M | re.S,
)
# A new one is a decision: say in the comment why it cannot run here, and count it.
NOT_RUN = 16


@dataclass(frozen=True)
class Block:
    """A fenced session of a document; ``reason`` says why it is not run."""

    document: str
    line: int
    commands: list[str]
    session: bool
    reason: str | None


def blocks() -> Iterator[Block]:
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for found in _BLOCK.finditer(text):
            lines = [line.removeprefix(found["indent"]) for line in found["text"].splitlines()]
            session = found["language"] == "console"
            commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ") or not session]
            line = text.count("\n", 0, found.start("language")) + 1
            yield Block(document.name, line, commands, session, found["reason"])


def _shells(block: Block) -> list[str]:
    """What is given to a shell: a script as a whole, a session's commands one by one; nothing of what is not run."""
    if block.reason is not None:
        return []
    return block.commands if block.session else ["\n".join(block.commands)]


def test_every_command_in_the_documents_runs(lab: Lab, tmp_path: Path) -> None:
    # A cloud of its own: one of the commands deletes everything in it.
    settings = os.environ | {
        "CORELAB_HOME": str(tmp_path / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    ran = 0
    try:
        for block in blocks():
            for command in _shells(block):
                ended = subprocess.run(
                    ["/bin/sh", "-ec", command],
                    cwd=ROOT,
                    env=settings,
                    capture_output=True,
                    text=True,
                    timeout=300,
                )
                # Some say by their status what they found: nothing runs, too little memory, a stale notebook.
                tells = command.startswith(("corelab status", "corelab doctor", "corelab build --check"))
                assert ended.returncode == 0 or (tells and ended.returncode == 1), (block, command, ended)
                assert "Traceback" not in ended.stderr, (block, command, ended)
                ran += 1
    finally:
        subprocess.run([sys.executable, "-m", "corelab", "down"], env=settings, check=True, timeout=120)
    assert ran >= 8


def test_what_is_not_run_is_marked_and_counted() -> None:
    marked = [block for block in blocks() if block.reason is not None]
    assert len(marked) == NOT_RUN, [(block.document, block.line, block.reason) for block in marked]


def test_the_page_about_faithfulness_is_what_the_code_says() -> None:
    assert faithful.PAGE.read_text("utf-8") == faithful.page(), "run `make docs`"


def test_every_difference_is_about_operations_that_are_served() -> None:
    served = {operation for operations in faithful.served().values() for operation in operations}
    named = {name for each in faithful.known_differences() for name in each["operations"]}
    assert named - served == set()
    for service, operations in faithful.served().items():
        assert set(operations) <= faithful.known_to_aws(service), service


def test_the_site_builds_with_every_link_checked(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="sphinx, of the development environment, is missing")
    strict = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    built = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            *strict,
            "-d",
            str(tmp_path / "cache"),
            str(ROOT / "docs"),
            str(tmp_path / "site"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "site" / "faithful.html").read_text("utf-8")
    assert "CreateTrainingJob" in page
    others = re.findall(r'(?:src|href)="(https?://[^"]+)"', page)
    # The theme names its authors; nothing is loaded from anywhere.
    assert not [url for url in others if url.endswith((".js", ".css", ".woff2"))]
