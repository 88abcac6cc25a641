"""The grader's side of the walls: warm parents, enclosures, occupants."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from typing import Any, Final

from corelab.errors import ServerError
from corelab.grading.walls.frames import receive_with_files, send_with_files
from corelab.grading.walls.limits import Limits
from corelab.grading.walls.occupant import Occupant

_START_SECONDS: Final = 120.0
_BUILD_SECONDS: Final = 30.0
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH")
_THREADS: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class WallsFailed(ServerError):
    """The walls around a submission could not be built; says what the system refused."""


class WarmParent:
    """A process with the libraries loaded, which forks an enclosure on request.

    Args:
        kind: ``notebook`` or ``cloud``, what it loads.
        walls: ``namespaces`` or ``none``.
    """

    def __init__(self, kind: str, walls: str) -> None:
        self._walls = walls
        self._lock = threading.Lock()
        self._stream, other = socket.socketpair()
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        settings = {
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": tempfile.gettempdir(),
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
            "HOME": "/nonexistent",  # the grader's own settings and credentials stay unread
            "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # large pages are fewer to copy and to fill
        }
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "corelab.grading.walls.warm", kind, str(other.fileno())],
                pass_fds=[other.fileno()],
                env=kept | settings | _THREADS,
                stdin=subprocess.DEVNULL,
                cwd="/",
            )
        self._ready = False

    def wait_until_ready(self) -> None:
        """Raises WallsFailed when the parent does not come up."""
        with self._lock:
            if self._ready:
                return
            self._stream.settimeout(_START_SECONDS)
            try:
                answer, _ = receive_with_files(self._stream)
            except TimeoutError:
                answer = None
            if answer is None:
                raise WallsFailed(f"The warm parent (process {self._process.pid}) did not start.")
            self._stream.settimeout(None)
            self._ready = True

    def enclose(
        self, limits: Limits, submission: int | None = None, course: int | None = None
    ) -> EnclosureControl:
        """Build walls; the descriptors are archives to unpack inside.

        Raises:
            WallsFailed: the system refused; the text says what.
        """
        self.wait_until_ready()
        mine, other = socket.socketpair()
        request = {"walls": self._walls, "limits": limits.as_dict()}
        archives = [descriptor for descriptor in (submission, course) if descriptor is not None]
        with other, self._lock:
            send_with_files(self._stream, request, [other.fileno(), *archives])
        return EnclosureControl(mine)

    def close(self) -> None:
        self._stream.close()
        if not self._ready:  # it would finish loading before it looks up
            self._process.kill()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class EnclosureControl:
    """The hold on one enclosure: closing it ends everything inside."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._built = False

    def start(self, role: str, limits: Limits, request: dict[str, Any] | None = None) -> Occupant:
        """Start an occupant. Raises WallsFailed."""
        self._await_built()
        lease, their_lease = socket.socketpair()
        channel, their_channel = socket.socketpair()
        out, their_out = os.pipe()
        err, their_err = os.pipe()
        theirs = [their_lease.fileno(), their_channel.fileno(), their_out, their_err]
        try:
            send_with_files(self._control, {"role": role, **(request or {})}, theirs)
        except OSError as problem:
            raise WallsFailed(f"The enclosure has ended: {problem}") from problem
        finally:
            their_lease.close()
            their_channel.close()
            os.close(their_out)
            os.close(their_err)
        return Occupant(lease, channel, out, err, limits.output_bytes)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._control.close()

    def _await_built(self) -> None:
        if self._built:
            return
        self._control.settimeout(_BUILD_SECONDS)
        try:
            answer, _ = receive_with_files(self._control)
        except TimeoutError:
            answer = None
        self._control.settimeout(None)
        if not answer or "built" not in answer:
            raise WallsFailed(f"The walls could not be built: {(answer or {}).get('failed', 'no answer')}")
        self._built = True
