"""A container's bounds: the memory of its instance type, its own process group, its parent's life."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from multiprocessing import parent_process

# A process that reports this code ran into the memory wall itself, before anybody killed it.
OUT_OF_MEMORY_CODE = 137
_SLACK_BYTES = 256 << 20
_PR_SET_PDEATHSIG = 1


def bound_memory(limit_bytes: int) -> None:
    """Make allocations far beyond the limit fail in this process, where the system can do that.

    The limit itself is kept by whoever watches resident memory: address space that is asked for and never touched
    costs a container nothing, so this wall stands behind it and only stops a single huge step.
    """
    # Not every system has the module, or lets this limit be set.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        wall = limit_bytes + max(limit_bytes // 4, _SLACK_BYTES)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            wall = min(wall, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (wall, hard))


def lead_own_group() -> None:
    """Leave the server's process group: Ctrl+C there must not reach a running job."""
    if hasattr(os, "setsid"):
        os.setsid()


def die_with_parent() -> None:
    """End this process when the server or the worker parent ends, however they end."""
    if sys.platform == "linux":
        # The kernel's own signal also ends a process whose threads all sit in C code.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # Elsewhere, and when the server goes but the worker parent stays, a thread notices.
    server = parent_process()
    if server is None:
        return

    def watch() -> None:
        server.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, or what caused it, is a failed allocation in Python or in C++."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or "bad_alloc" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
