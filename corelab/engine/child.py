"""What runs in a container's process before and after the algorithm.

worker parent ──fork──▶ run: own session, output pipe, environment, limits ──▶ entry(argument) ──▶ exit code
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corelab.engine import limits
from corelab.engine.output import WriteEnd

# What the container's own image would set; nothing else of the server's environment gets in.
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TZ")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container's process finds around it.

    Attributes:
        environment: all of its variables, but for the few an interpreter needs to live.
        memory_bytes: of the instance type.
    """

    root: Path
    environment: Mapping[str, str]
    memory_bytes: int


def run(output: WriteEnd, entry: str, argument: Any, surroundings: Surroundings) -> None:
    """Become the container and call ``entry`` (``module:function``), whose result is the exit code."""
    limits.lead_own_group()
    limits.die_with_parent()
    output.become_output()
    _set_environment(surroundings)
    limits.bound_memory(surroundings.memory_bytes)
    # Libraries speak to programmers there; the container's log has none of it.
    warnings.simplefilter("ignore")
    # Forked from a parent that has it, this does nothing; started anew, it must come before any library.
    importlib.import_module("corelab.engine.xgb.preload")
    module, _, function = entry.partition(":")
    try:
        code: int = getattr(importlib.import_module(module), function)(argument)
    except MemoryError:
        code = limits.OUT_OF_MEMORY_CODE
    sys.stdout.flush()
    sys.stderr.flush()
    # Nothing is left to tidy up, and freeing a large matrix piece by piece takes its time.
    os._exit(code)


def _set_environment(surroundings: Surroundings) -> None:
    temporary = surroundings.root / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | dict(surroundings.environment))
    # Libraries have read these already; they are for what the algorithm itself may start or load.
    os.environ.update({"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "TMPDIR": str(temporary)})
    tempfile.tempdir = None
    os.chdir(temporary)
