"""Which walls this machine can build, tried and not guessed."""

from __future__ import annotations

import os
import sys
from typing import Final

from corelab.grading.walls import linux
from corelab.grading.walls.parent import WallsFailed

NAMESPACES: Final = "namespaces"
NONE: Final = "none"
_WITHOUT: Final = (
    "Students' notebooks are run inside walls: no network, no other files, limits. This machine cannot build "
    "them ({why}). {cure} To run them without walls, with your own rights, say --unsafe-no-sandbox."
)
_CURES: Final = {
    "linux": "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu "
    "kernel.apparmor_restrict_unprivileged_userns=0), or grade in a container: corelab grade --container.",
    "other": "Grade in a Linux container: install Docker or Podman and say corelab grade --container.",
}


def choose(unsafe: bool = False) -> str:
    """The walls to use.

    Raises:
        WallsFailed: there are none and nobody said to do without.
    """
    if not sys.platform.startswith("linux"):
        # Sending open files between processes, on which all rests, is not the same elsewhere.
        raise WallsFailed(_WITHOUT.format(why=f"it runs {sys.platform}", cure=_CURES["other"]))
    if unsafe:
        return NONE
    why = refusal()
    if why:
        raise WallsFailed(_WITHOUT.format(why=why, cure=_CURES["linux"]))
    return NAMESPACES


def refusal() -> str:
    """What the kernel says against new namespaces; empty when nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        problem = ""
        try:
            flags = linux.NEWNS | linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS
            linux.unshare(flags | (0 if os.geteuid() == 0 else linux.NEWUSER))
            linux.mount("none", "/", flags=linux.REC | linux.PRIVATE)
        except OSError as refused:
            problem = str(refused)
        finally:
            os.write(writer, problem.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        text = stream.read().decode()
    os.waitpid(child, 0)
    return text
