"""Grades inside a Linux container where this machine has no namespaces of its own: Docker or Podman.

The container gets the course folder and nothing else, no network, and no rights on this machine; inside it,
``corelab grade`` builds the same walls as on Linux.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from corelab.errors import ServerError

IMAGE: Final = "corelab-grading"
_ENGINES: Final = ("docker", "podman")
_RECIPE: Final = """\
FROM python:{version}-slim
WORKDIR /opt/corelab
COPY requirements.lock pyproject.toml README.md ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY corelab corelab
RUN pip install --no-cache-dir --no-deps . && useradd --create-home grader
USER grader
WORKDIR /course
ENTRYPOINT ["corelab"]
"""


def run(root: Path, arguments: Sequence[str]) -> int:
    """Build the image if needed and run ``corelab`` with these arguments in it; returns its exit code.

    Raises:
        ServerError: neither Docker nor Podman answers, or the image cannot be built.
    """
    owner = root.stat().st_uid
    if owner == 0 and os.name == "posix":
        raise ServerError(f"{root} belongs to root, and nothing in the container runs as root: chown it.")
    engine = running_engine()
    _build(engine, Path(__file__).resolve().parents[2])
    return subprocess.run(command(engine, root.resolve(), arguments), check=False).returncode


def running_engine() -> str:
    """The first engine that answers: Docker's command is often there without its daemon.

    Raises:
        ServerError: none does; says what each of them said.
    """
    complaints = []
    for name in _ENGINES:
        if found := shutil.which(name):
            asked = subprocess.run([found, "info"], capture_output=True, text=True, check=False)
            if asked.returncode == 0:
                return found
            complaints.append(f"{name}: {(asked.stderr.strip().splitlines() or ['no answer'])[-1]}")
    said = "; ".join(complaints) or "neither is installed"
    raise ServerError(f"Grading in a container needs Docker or Podman: {said}.")


def command(engine: str, root: Path, arguments: Sequence[str]) -> list[str]:
    """The command line that starts the container."""
    owner = root.stat()
    # On Windows, Docker's own machine gives everybody what is shared with it.
    user = [f"--user={owner.st_uid}:{owner.st_gid}"] if os.name == "posix" else []
    if Path(engine).stem == "podman" and os.name == "posix" and os.getuid():
        user.append("--userns=keep-id")  # without it another number stands for this user inside
    # Namespaces inside the container need system calls that the engine's default profile refuses.
    rights = [
        f"--security-opt={option}"
        for option in ("seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined")
    ]
    kept = _without_root(arguments)
    return [engine, "run", "--rm", "--init", "--network=none", "--cap-drop=ALL", *rights, *user,
            f"--volume={root}:/course", "--env=HOME=/tmp", IMAGE, *kept, "--root=/course"]  # fmt: skip


def _without_root(arguments: Sequence[str]) -> list[str]:
    """The folder has another name inside."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if not skip and argument != "--root" and not argument.startswith("--root="):
            kept.append(argument)
        skip = argument == "--root"
    return kept


def _build(engine: str, project: Path) -> None:
    if not (project / "requirements.lock").exists():
        raise ServerError(
            f"The container is built from the project's folder, and {project} has no requirements.lock."
        )
    Console(stderr=True).print(f"Building {IMAGE}: minutes the first time, seconds after it.")
    recipe = _RECIPE.format(version=f"{sys.version_info.major}.{sys.version_info.minor}")
    built = subprocess.run([engine, "build", "--quiet", f"--tag={IMAGE}", "--file=-", str(project)],
                           input=recipe.encode(), check=False)  # fmt: skip
    if built.returncode:
        raise ServerError(f"{engine} could not build the image {IMAGE}; its words are above.")
