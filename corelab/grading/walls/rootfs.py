"""The file system an occupant sees: the system and Python read-only, its own folders, nothing else.

/usr /lib /etc(a few files)  sys.prefix  the corelab package      read-only
/submission                  the student's folder, of limited size
/course                      the assignment's own files, read-only but for the judge
/tmp /home/student           of limited size, each occupant its own
"""

from __future__ import annotations

import contextlib
import os
import site
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from corelab.grading.walls import linux
from corelab.grading.walls.limits import MIB

SUBMISSION: Final = "/submission"
COURSE: Final = "/course"
HOME: Final = "/home/student"
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC: Final = (
    "alternatives",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "ssl",
)
_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_PEOPLE: Final = "root:x:0:0::/:/usr/sbin/nologin\nstudent:x:{uid}:{uid}::/home/student:/bin/sh\n"


def python_folders() -> list[Path]:
    """Where this interpreter, its packages and corelab itself are."""
    package = Path(__file__).resolve().parents[2]
    found = [Path(sys.prefix), Path(sys.base_prefix), package, *map(Path, site.getsitepackages())]
    found += [path.resolve() for path in (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable))]
    folders = [path if path.is_dir() else path.parent for path in found if path.exists()]
    folders.append(Path(sys.executable).parent)
    return _outermost(folders)


def _outermost(folders: Iterable[Path]) -> list[Path]:
    kept: list[Path] = []
    for folder in sorted(set(folders), key=lambda path: len(path.parts)):
        covered = any(folder.is_relative_to(other) for other in [*kept, *map(Path, _SYSTEM)])
        if not covered:
            kept.append(folder)
    return kept


def build(disk_bytes: int, uid: int) -> None:
    """Make the new root and move into it; call it in a mount namespace of one's own."""
    linux.mount("none", "/", flags=linux.REC | linux.PRIVATE)
    root = tempfile.mkdtemp(prefix="corelab-root-")
    linux.mount("tmpfs", root, "tmpfs", linux.NOSUID | linux.NODEV, "size=16m,mode=755")
    for path in _SYSTEM:
        _system_folder(root, Path(path))
    for folder in python_folders():
        _bind(folder, root)
    _etc(root, uid)
    _devices(root)
    for name in ("proc", "tmp", "home/student", SUBMISSION[1:], COURSE[1:], "old"):
        Path(root, name).mkdir(parents=True, exist_ok=True)
    _own_folder(root + SUBMISSION, disk_bytes, uid)
    _own_folder(root + COURSE, 64 * MIB, uid)
    # The kernel gives a user namespace a process list of its own only where it can see one already.
    linux.mount("/proc", f"{root}/proc", flags=linux.BIND | linux.REC)
    linux.pivot_root(root, f"{root}/old")
    os.chdir("/")
    Path(f"/old{root}").rmdir()  # nothing is mounted there any more
    linux.unmount("/old")
    Path("/old").rmdir()
    with contextlib.suppress(OSError):
        linux.mount("none", "/", flags=linux.REMOUNT | linux.BIND | linux.RDONLY | linux.NOSUID | linux.NODEV)


def own_folders(size_bytes: int, uid: int) -> None:
    """A /tmp, a home and process list of this occupant alone."""
    for place in ("/tmp", HOME):  # noqa: S108 (new, empty file systems)
        _own_folder_around_python(place, size_bytes, uid)
    _own_folder("/dev/shm", size_bytes, uid)  # noqa: S108
    try:
        linux.mount("proc", "/proc", "proc", linux.NOSUID | linux.NODEV | linux.NOEXEC)
    except OSError:  # a container may forbid it; then nobody sees any process
        linux.mount("tmpfs", "/proc", "tmpfs", linux.RDONLY, "size=4k")


def look_only(folder: str) -> None:
    """From here on this process sees the folder read-only, and no symbolic link in it leads anywhere."""
    linux.mount(folder, folder, flags=linux.BIND)
    flags = linux.REMOUNT | linux.BIND | linux.RDONLY | linux.NOSUID | linux.NODEV | linux.NOEXEC
    try:
        linux.mount("none", folder, flags=flags | linux.NOSYMFOLLOW)
    except OSError:  # before Linux 5.10
        linux.mount("none", folder, flags=flags)


def unpack(descriptor: int, folder: str, uid: int | None) -> None:
    """Regular files of an archive the grader made itself, owned by the student."""
    with os.fdopen(descriptor, "rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        stream.seek(0)
        archive.extractall(folder, filter="data")
    if uid is not None:
        for path in [Path(folder), *Path(folder).rglob("*")]:
            os.chown(path, uid, uid)


def _system_folder(root: str, path: Path) -> None:
    if path.is_symlink():
        Path(root, *path.parts[1:]).symlink_to(path.readlink())
    elif path.is_dir():
        _bind(path, root)


def _bind(path: Path, root: str) -> None:
    target = Path(root, *path.parts[1:])
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    linux.mount(str(path), str(target), flags=linux.BIND | linux.REC)
    if path.is_relative_to("/dev"):
        return
    flags = linux.REMOUNT | linux.BIND | linux.RDONLY | linux.NOSUID | linux.NODEV
    linux.mount("none", str(target), flags=flags)


def _etc(root: str, uid: int) -> None:
    etc = Path(root, "etc")
    etc.mkdir()
    for name in _ETC:
        source = Path("/etc", name)
        if source.exists():
            _bind(source, root)
    (etc / "passwd").write_text(_PEOPLE.format(uid=uid))
    (etc / "group").write_text(f"root:x:0:\nstudent:x:{uid}:\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    (etc / "nsswitch.conf").write_text("hosts: files\n")


def _devices(root: str) -> None:
    Path(root, "dev/shm").mkdir(parents=True)
    for name in _DEVICES:
        _bind(Path("/dev", name), root)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        Path(root, "dev", name).symlink_to(f"/proc/self/fd/{number}")
    Path(root, "dev/fd").symlink_to("/proc/self/fd")


def _own_folder(path: str, size_bytes: int, uid: int) -> None:
    linux.mount("tmpfs", path, "tmpfs", linux.NOSUID | linux.NODEV, f"size={size_bytes},mode=755")
    os.chown(path, uid, uid)


def _own_folder_around_python(path: str, size_bytes: int, uid: int) -> None:
    """An empty folder, but for what of Python is installed below it."""
    below = [folder for folder in python_folders() if folder.is_relative_to(path)]
    opened = [(folder, os.open(folder, os.O_PATH)) for folder in below]
    _own_folder(path, size_bytes, uid)
    for folder, descriptor in opened:
        folder.mkdir(parents=True, exist_ok=True)
        linux.mount(f"/proc/self/fd/{descriptor}", str(folder), flags=linux.BIND | linux.REC)
        os.close(descriptor)
