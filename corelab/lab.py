"""JupyterLab on the student's own copies of the notebooks, with the local cloud up, and its launcher's tile.

release/<assignment>/*  ──copied once──▶  work/<assignment>/*  ──▶ JupyterLab ──tile──▶ console
first_job.md            ──written once─▶  work/first_job.ipynb
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corelab.connection import launch, local_environment
from corelab.errors import CorelabError
from corelab.home import Home

WORK = "work"
_TILE_SECONDS = 60.0
# JupyterLab asks everybody once whether they want its news, even where they are switched off.
_SETTINGS = Path(__file__).parent / "jupyter"


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
    _write_first_job(root / WORK / "first_job.ipynb")
    return root / WORK


def _write_first_job(target: Path) -> None:
    """A notebook that only needs to be run: no assignment, so that nobody has to solve one to see a job."""
    if target.exists():
        return
    import jupytext

    notebook = jupytext.read(Path(__file__).parent / "first_job.md")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    target.parent.mkdir(parents=True, exist_ok=True)
    jupytext.write(notebook, target)


def environment(home: Home) -> dict[str, str]:
    """The process's own environment, pointed at the local cloud; starts the server if none runs."""
    # nbgrader starts its own commands by bare name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    settings = os.pathsep.join(filter(None, [str(_SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH")]))
    kept = {**os.environ, "CORELAB_HOME": str(home.path), "PATH": path, "JUPYTER_CONFIG_PATH": settings}
    for name, value in local_environment(home).items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = value
    return kept


def command(folder: Path, arguments: Sequence[str] = ()) -> list[str]:
    """What starts JupyterLab there; it asks no server of anybody's for news or updates."""
    quiet = [
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
    ]
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
    program, settings = command(prepare(root, folder), arguments), environment(home)
    if os.name == "posix":  # one process: whatever ends the command ends JupyterLab
        os.execve(program[0], program, settings)  # noqa: S606 (a list, and no shell)
    try:
        return subprocess.run(program, env=settings, check=False).returncode
    except KeyboardInterrupt:  # Jupyter heard it too, and has said good-bye
        return 0


def tile() -> dict[str, Any]:
    """The console as jupyter-server-proxy shows it: a tile in the launcher, an address under Jupyter's own.

    Jupyter asks for it whenever it starts, here or on a hub; the local cloud is started by the first click.
    """
    port = _console_port(Home())
    return {
        "command": [sys.executable, "-m", "corelab.lab"],
        "port": port,
        "timeout": _TILE_SECONDS,
        "mappath": console_path,
        # The server answers to its own name only, and a hub has another.
        "request_headers_override": {"Host": f"127.0.0.1:{port}"},
        # A console left open asks for news; that must not keep a hub from ending who is away.
        "update_last_activity": False,
        "launcher_entry": {
            "title": "SageMaker console",
            "category": "Other",
            "icon_path": str(Path(__file__).parent / "console" / "tile.svg"),
        },
    }


def console_path(path: str) -> str:
    """The console alone is reached this way, not the whole server."""
    return f"/_corelab/console{path}"


def _console_port(home: Home) -> int:
    """Where the home's server listens or will: the port is settled, and remembered, before anything listens there."""
    if server := home.running():
        return server.port
    if (port := home.last_port()) and _free(port):
        return port
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = int(chosen.getsockname()[1])
    home.create().remember_port(port)
    return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":  # there, the option would share a port that is taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answer_the_tile() -> None:
    """Start the local cloud. Never fails: Jupyter would start what fails again, without end."""
    try:
        launch.ensure(Home())
    except CorelabError as problem:
        sys.stderr.write(f"corelab: {problem}\n")


if __name__ == "__main__":
    _answer_the_tile()
