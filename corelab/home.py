"""The folder in which one local SageMaker lives, and the lock that says whether it is alive.

~/.corelab/            CORELAB_HOME; 0700, one server each
├── server.lock        held by the running server; the system frees it, however that ends
├── server.json        where it listens, written once it does
├── server.log         what it printed
├── start.lock         held by a client while it starts a server
├── sdk.yaml           the SDKs' configuration in local mode
├── state.db           resources and the request journal
├── aws/               S3 objects, roles, logs, metrics
└── jobs/              what runs now
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from corelab.errors import BadArgument, HomeInUse, ServerError

# A client that asks whether the server lives holds the lock for a moment; a starting server outwaits it.
_PROBE_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a running server says about itself."""

    pid: int
    port: int
    url: str
    started: float  # epoch seconds
    version: str

    @property
    def console_url(self) -> str:
        return f"{self.url}/_corelab/console/"


class Home:
    """One home's paths and locks.

    Args:
        path: the folder; by default ``CORELAB_HOME``, else ``~/.corelab``. It is made when first needed.

    Raises:
        BadArgument: when the path is taken by something that is not a folder.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        chosen = path or os.environ.get("CORELAB_HOME") or "~/.corelab"
        self.path = Path(chosen).expanduser().absolute()
        if self.path.exists() and not self.path.is_dir():
            raise BadArgument(
                f"CORELAB_HOME must be a folder, but {self.path} is a file. Name another folder."
            )

    def __repr__(self) -> str:
        return f"Home({str(self.path)!r})"

    @property
    def server_file(self) -> Path:
        return self.path / "server.json"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def sdk(self) -> Path:
        return self.path / "sdk"

    @property
    def state_db(self) -> Path:
        return self.path / "state.db"

    @property
    def aws(self) -> Path:
        return self.path / "aws"

    @property
    def jobs(self) -> Path:
        return self.path / "jobs"

    def create(self) -> Home:
        """Make the folders, readable by their owner only; keep what is there."""
        try:
            for folder in (self.path, self.aws, self.jobs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not any(folder.iterdir()):  # somebody's full folder keeps the mode they chose
                    folder.chmod(0o700)
        except OSError as problem:
            raise ServerError(
                f"Cannot write the home folder {self.path}: {problem.strerror}. "
                "Set CORELAB_HOME to a folder of your own."
            ) from problem
        return self

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Own this home until the block ends; the server's whole life goes inside.

        Raises:
            HomeInUse: when another running server owns it.
        """
        self.create()
        held = self._server_lock()
        try:
            held.acquire(timeout=_PROBE_GRACE_SECONDS)
        except Timeout:
            raise HomeInUse(self._owner_text()) from None
        try:
            self.server_file.unlink(missing_ok=True)  # a killed server could not
            yield
        finally:
            self.server_file.unlink(missing_ok=True)
            held.release()

    def announce(self, port: int, version: str, host: str = "127.0.0.1") -> ServerInfo:
        """Say where the server listens; call it under ``lock()`` once it accepts connections."""
        info = ServerInfo(os.getpid(), port, f"http://{host}:{port}", time.time(), version)
        self.write_private(self.server_file, json.dumps(asdict(info)))
        return info

    def running(self) -> ServerInfo | None:
        """The server that owns this home now, or None when there is none or it does not listen yet."""
        info = self._read_announcement()
        return info if info and self.owned() else None

    def owned(self) -> bool:
        """Whether a living process holds the server's lock, listening or not."""
        if not self.path.is_dir():
            return False
        probe = self._server_lock()
        try:
            probe.acquire(timeout=0)
        except Timeout:
            return True
        probe.release()
        return False

    @contextmanager
    def starting(self, timeout: float) -> Iterator[None]:
        """Let one client at a time start a server here.

        Raises:
            ServerError: when another client is still at it after ``timeout`` seconds.
        """
        self.create()
        held = FileLock(self.path / "start.lock", mode=0o600, thread_local=False)
        try:
            held.acquire(timeout=timeout)
        except Timeout:
            raise ServerError(
                f"Another process has been starting the server of {self.path} for {timeout:.0f} s. "
                f"Read {self.log}, or end that process and try again."
            ) from None
        try:
            yield
        finally:
            held.release()

    def last_port(self) -> int | None:
        """Where the server listened when it was last started; None when that is not known."""
        try:
            port = int((self.path / "port").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None
        return port if 1024 <= port <= 65535 else None

    def remember_port(self, port: int) -> None:
        self.write_private(self.path / "port", str(port))

    def last_log_lines(self, count: int = 15, since: int = 0) -> str:
        """The end of ``server.log``, nothing before byte ``since``; empty when there is none."""
        try:
            with self.log.open("rb") as stream:
                stream.seek(max(since, self.log.stat().st_size - 64 * 1024))
                text = stream.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-count:])

    def wipe(self) -> None:
        """Delete every resource, object, log and job; the folder, its locks and all settings stay.

        Raises:
            HomeInUse: when a server runs here.
        """
        if not self.path.is_dir():
            return
        with self.lock():
            for folder in (self.aws, self.jobs):
                shutil.rmtree(folder)
            for file in (*self.path.glob("*.db*"), *self.path.glob(f"{self.log.name}*")):
                file.unlink()
            self.create()

    def write_private(self, path: Path, text: str) -> None:
        """Put the text in place in one step, readable by its owner only."""
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)

    def _server_lock(self) -> FileLock:
        return FileLock(self.path / "server.lock", mode=0o600, thread_local=False)

    def _read_announcement(self) -> ServerInfo | None:
        try:
            return ServerInfo(**json.loads(self.server_file.read_text("utf-8")))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return None  # not there, or not ours: as good as silent

    def _owner_text(self) -> str:
        owner = self._read_announcement()
        where = f" (process {owner.pid}, {owner.url})" if owner else ""
        return (
            f"Another server already owns {self.path}{where}. "
            "Use it, stop it with `corelab down`, or set CORELAB_HOME to another folder."
        )
