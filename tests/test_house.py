"""The house rules that a program can check, and the documents that must stay true."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import corelab
from corelab.cli import app
from tests.conftest import Lab

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "corelab").rglob("*.py"))
CODE = [
    path for folder in ("corelab", "tests", "benchmarks", "course") for path in (ROOT / folder).rglob("*.py")
]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
P90_FUNCTION = 30
MEDIAN_FUNCTION = 10
FORBIDDEN_NAME = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)(_|$)|^base(_|$)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (
                    f"{name_of(path)}:{node.lineno} {node.name}",
                    (node.end_lineno or node.lineno) - node.lineno + 1,
                )


def text() -> str:
    return "\n".join(document.read_text("utf-8") for document in DOCUMENTS)


def sessions(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_longer_than_a_reader_s_patience(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE


def test_functions_are_short() -> None:
    lengths = dict(functions())
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= P90_FUNCTION


def test_nothing_has_a_name_that_says_nothing() -> None:
    named = [
        path for path in CODE if any(FORBIDDEN_NAME.search(part) for part in (path.stem, *path.parent.parts))
    ]
    assert [name_of(path) for path in named] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not tree.body or ast.get_docstring(tree)


def test_the_version_is_one() -> None:
    assert PROJECT["project"]["version"] == corelab.__version__


def test_the_locks_pin_every_package_by_hash_and_name_no_host() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock"):
        lines = (ROOT / lock).read_text("utf-8")
        assert "://" not in lines
        for entry in re.split(r"\n(?=\S)", lines.strip()):
            assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+", entry), (lock, entry[:80])
            assert "--hash=sha256:" in entry, (lock, entry[:80])


def test_pip_is_never_asked_to_resolve_what_the_lock_leaves_out() -> None:
    places = [ROOT / "binder/postBuild", ROOT / "corelab/grading/container.py", *(ROOT / "docs").glob("*.md")]
    lines = [line for place in places for line in place.read_text("utf-8").splitlines()]
    installs = [line for line in lines if "pip install" in line and "requirements.lock" in line]
    assert len(installs) == 3
    assert [line for line in installs if "--no-deps" not in line] == []


def test_every_dependency_is_in_the_lock() -> None:
    locked = set(
        re.findall(
            r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==", (ROOT / "requirements.lock").read_text("utf-8"), re.M
        )
    )
    asked = {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in PROJECT["project"]["dependencies"]}  # type: ignore[index]
    assert asked - locked == set()


def test_the_documents_name_every_verb() -> None:
    known = text()
    assert [verb for verb in app.commands if f"corelab {verb}" not in known] == []


def test_every_command_in_the_documents_exists() -> None:
    named = set(re.findall(r"(?:^|`|\$ )(?:\.venv/bin/)?corelab ([a-z]+)", text(), re.M))
    assert named - set(app.commands) == set()


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = set(re.findall(r"(?:^|`|\$ )make ([a-z0-9-]+)", text(), re.M))
    assert named - targets == set()


def test_the_documents_name_every_setting() -> None:
    read = {name for path in MODULES for name in re.findall(r"\bCORELAB_[A-Z_]+\b", path.read_text("utf-8"))}
    known = text()
    assert [name for name in sorted(read) if name not in known] == []


def test_every_path_in_the_documents_exists() -> None:
    # What grading and students make is not in the repository.
    made = ("submitted/", "feedback/", "build/", "work/", ".venv")
    for document in DOCUMENTS:
        for path in re.findall(r"`([a-z_.][\w.-]*/[\w./-]*)`", document.read_text("utf-8")):
            if not path.startswith(made):
                assert (ROOT / path).exists() or (ROOT / "corelab" / path).exists(), (document.name, path)


def test_the_session_in_the_readme_runs(lab: Lab, tmp_path: Path) -> None:
    assert sessions("python")
    for session in sessions("python"):
        program = [sys.executable, "-c", session]
        environment = {"CORELAB_HOME": str(lab.home.path), "PATH": "", "HOME": str(tmp_path)}
        ended = subprocess.run(
            program, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == 0, ended.stderr
