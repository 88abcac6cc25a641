"""JupyterLab on the student's own copies of the notebooks, with the local cloud up.

release/<assignment>/*  ──copied once──▶  work/<assignment>/*  ──▶ JupyterLab
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from corelab.connection import local_environment
from corelab.errors import CorelabError
from corelab.home import Home

WORK = "work"


def prepare(root: Path, folder: Path | None = None) -> Path:
    """The folder to open: the one named, else ``work/`` with every released file that is not there yet.

    What a student has changed is never overwritten. Outside the course's folder this is ``root`` itself.
    """
    if folder is not None:
        if not folder.is_dir():
            raise CorelabError(f"Expected a folder, got {folder}, which is none.")
        return folder
    release = root / "release"
    if not release.is_dir():
        return root
    for source in sorted(path for path in release.rglob("*") if path.is_file()):
        target = root / WORK / source.relative_to(release)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return root / WORK


def environment(home: Home) -> dict[str, str]:
    """The process's own environment, pointed at the local cloud; starts the server if none runs."""
    # nbgrader starts its own commands by bare name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    kept = {**os.environ, "CORELAB_HOME": str(home.path), "PATH": path}
    for name, value in local_environment(home).items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = value
    return kept


def command(folder: Path, arguments: Sequence[str] = ()) -> list[str]:
    """What starts JupyterLab there; it asks no server of anybody's for news or updates."""
    quiet = ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url="]
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder.resolve()}",
        *quiet,
        *arguments,
    ]


def run(root: Path, home: Home, folder: Path | None, arguments: Sequence[str]) -> int:
    """Run JupyterLab until it is ended; gives its exit status."""
    opened = prepare(root, folder)
    try:
        return subprocess.run(command(opened, arguments), env=environment(home), check=False).returncode
    except KeyboardInterrupt:  # Jupyter heard it too, and has said good-bye
        return 0
