"""Process 1 of an occupant: prepares its surroundings, watches its memory, ends it all when the lease ends."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from corelab.grading.walls import linux, rootfs, seccomp
from corelab.grading.walls.frames import Channel, receive_with_files, send_with_files
from corelab.grading.walls.limits import MIB, apply_to_process

if TYPE_CHECKING:
    from corelab.grading.walls.enclosure import Enclosure

_WATCH_SECONDS: Final = 0.2
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_KEPT: Final = ("LANG", "LC_ALL", "TZ")


def live(lease: socket.socket, files: list[int], request: dict[str, Any], place: Enclosure) -> NoReturn:
    """Start the occupant of ``request["role"]`` and stay until it or the lease ends."""
    role, home = request["role"], _home(place, request)
    if place.walls == "namespaces":
        _furnish(role, place)
    else:
        linux_only_subreaper()
    if request.get("server"):
        port = _listen(lease, request, place)
        _announce(home, request["server"], port, place.uid)
    child = os.fork()
    if child == 0:
        lease.close()
        _become_occupant(role, files, home, place, request)
    for descriptor in files:
        os.close(descriptor)
    _watch(lease, child, place)


def die_with_parent() -> None:
    with contextlib.suppress(OSError):
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def linux_only_subreaper() -> None:
    """Without a process namespace, orphans come to us to be ended."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)


def _home(place: Enclosure, request: dict[str, Any]) -> Path:
    if place.walls == "namespaces":
        return Path(rootfs.HOME)
    home = Path(place.submission).parent / f"home-{request['role']}-{os.getpid()}"
    home.mkdir(mode=0o700)
    return home


def _furnish(role: str, place: Enclosure) -> None:
    assert place.uid is not None
    rootfs.own_folders(place.limits.disk_bytes if role != "cloud" else 2048 * MIB, place.uid)
    if role == "kernel":
        linux.unmount(place.course)
    if role == "judge":
        rootfs.look_only(place.submission)
    linux.loopback_up()


def _listen(lease: socket.socket, request: dict[str, Any], place: Enclosure) -> int:
    """A listening socket of this network namespace, handed out to the cloud: the only way in or out."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", request["port"] if place.walls == "namespaces" else 0))
        listener.listen(128)
        send_with_files(lease, {"listening": listener.getsockname()[1]}, [listener.fileno()])
        return int(listener.getsockname()[1])


def _announce(home: Path, server: dict[str, Any], port: int, uid: int | None) -> None:
    """A corelab home in which a server runs, as far as ``corelab.connect()`` can see."""
    folder = home / ".corelab"
    folder.mkdir(mode=0o700)
    info = server | {"port": port, "url": f"http://127.0.0.1:{port}", "started": time.time()}
    (folder / "server.json").write_text(json.dumps(info), encoding="utf-8")
    lock = os.open(folder / "server.lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # held as long as this process lives
    os.set_inheritable(lock, False)
    if uid is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, uid, uid)


def _become_occupant(
    role: str, files: list[int], home: Path, place: Enclosure, request: dict[str, Any]
) -> NoReturn:
    die_with_parent()
    channel = _rearrange(files)
    os.setsid()
    os.environ.clear()
    os.environ.update(_environment(home, place, request))
    os.chdir(place.course if role == "judge" else place.submission if role == "kernel" else home)
    apply_to_process(place.limits)
    if place.walls == "namespaces":
        _give_up_rights(place.uid)
    code = 70
    try:
        from corelab.grading import roles

        code = roles.play(role, Channel(channel), request, place)
    except SystemExit:
        code = 0
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _rearrange(files: list[int]) -> socket.socket:
    """Give stdin, stdout and stderr their places, close all that is not ours; the channel is left."""
    channel = files[0]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if len(files) > 2:
        os.dup2(files[1], 1)
        os.dup2(files[2], 2)
    high = os.dup(channel) if channel < 3 else channel
    os.closerange(3, high)
    os.closerange(high + 1, 4096)
    os.set_inheritable(high, False)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.__stdout__, sys.__stderr__, sys.__stdin__ = sys.stdout, sys.stderr, sys.stdin  # type: ignore[misc]
    return socket.socket(fileno=high)


def _environment(home: Path, place: Enclosure, request: dict[str, Any]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    folder = str(Path(sys.executable).parent)
    return kept | {
        "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "CORELAB_HOME": str(home / ".corelab"),
        "TMPDIR": "/tmp" if place.walls == "namespaces" else str(home),  # noqa: S108
        "USER": "student",
        "LANG": kept.get("LANG", "C.UTF-8"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(home / ".matplotlib"),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        **{str(name): str(value) for name, value in request.get("environment", {}).items()},
    }


def _give_up_rights(uid: int | None) -> None:
    """Become a user without rights, or refuse: nobody's notebook runs as root."""
    if uid is None or uid == 0:
        raise OSError("no unprivileged user to run as")
    if os.geteuid() == 0:
        for number in range(linux._LAST_CAPABILITY + 1):
            with contextlib.suppress(OSError):
                linux.prctl(linux.PR_CAPBSET_DROP, number)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    die_with_parent()  # a change of user takes the wish back
    seccomp.install()
    if os.geteuid() == 0:
        raise OSError("still root after giving up root")


def _watch(lease: socket.socket, child: int, place: Enclosure) -> NoReturn:
    why = ""
    ended = os.pidfd_open(child) if hasattr(os, "pidfd_open") else -1
    while True:
        with contextlib.suppress(ChildProcessError):
            while (pair := os.waitpid(-1, os.WNOHANG))[0]:
                if pair[0] == child:
                    _farewell(lease, os.waitstatus_to_exitcode(pair[1]), why, place)
        watched = [lease.fileno()] + ([ended] if ended >= 0 else [])
        ready, _, _ = select.select(watched, [], [], _WATCH_SECONDS)
        if lease.fileno() in ready:
            order, _ = receive_with_files(lease)
            if order is None:
                _farewell(None, -signal.SIGKILL, "", place)
            _obey(order, child)
        if not why and place.walls == "namespaces" and _too_large(place.limits.memory_bytes):
            why = "memory"
            os.kill(child, signal.SIGKILL)


def _obey(order: dict[str, Any], child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGINT if order.get("do") == "interrupt" else signal.SIGKILL)


def _farewell(lease: socket.socket | None, code: int, why: str, place: Enclosure) -> NoReturn:
    if lease is not None:
        with contextlib.suppress(OSError):
            send_with_files(lease, {"ended": code, "why": why})
    if place.walls != "namespaces":
        _end_descendants()
    os._exit(0)


def _end_descendants() -> None:
    """Without a process namespace: end whoever the occupant left behind."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()


def _too_large(limit: int) -> bool:
    """The quick sum counts what the warm parent lends to every child; the exact one is asked when it matters."""
    processes = [entry.name for entry in os.scandir("/proc") if entry.name.isdigit() and entry.name != "1"]
    return sum(map(_resident, processes)) > limit and sum(map(_private, processes)) > limit


def _resident(process: str) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    return 0


def _private(process: str) -> int:
    total = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                total += int(line.split()[1]) * 1024
    return total
