"""The process that owns one submission's walls, and starts who lives inside them.

request: {"uid", "walls", "limits", "submission", "course"} with a control socket and archives to unpack
start:   {"role", "port", "server"} with sockets for lease, channel, stdout and stderr
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from typing import Any, NoReturn

from corelab.grading.walls import init, linux, rootfs
from corelab.grading.walls.frames import receive_with_files, send_with_files
from corelab.grading.walls.limits import Limits


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What every occupant of one submission shares."""

    walls: str  # namespaces | none
    uid: int | None  # whom occupants run as; None is the grader's own user
    limits: Limits
    submission: str
    course: str


def live(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Build the walls, answer start requests, end with the control socket; never returns."""
    control = socket.socket(fileno=files[0])
    scratch = None
    try:
        os.setsid()
        if request["walls"] == "none":
            scratch = tempfile.mkdtemp(prefix="corelab-open-")
        place = _build(request, scratch)
        for descriptor, folder in zip(files[1:], (place.submission, place.course), strict=False):
            rootfs.unpack(descriptor, folder, place.uid)
        send_with_files(control, {"built": True})
        _answer(control, place)
    except (OSError, ValueError, KeyError) as problem:
        _report(control, problem)
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
        os._exit(0)


def _build(request: dict[str, Any], scratch: str | None) -> Enclosure:
    limits = Limits.of(request["limits"])
    if scratch is not None:
        folders = [os.path.join(scratch, name) for name in ("submission", "course")]  # noqa: PTH118
        for folder in folders:
            os.mkdir(folder, 0o700)  # noqa: PTH102
        return Enclosure("none", None, limits, *folders)
    flags = linux.NEWNS | linux.NEWIPC | linux.NEWUTS
    if os.geteuid() == 0:
        uid = 60_000 + os.getpid() % 5_000
        linux.unshare(flags)
    else:
        uid = 1000
        _become_user(uid, flags)
    rootfs.build(limits.disk_bytes, uid)
    return Enclosure("namespaces", uid, limits, rootfs.SUBMISSION, rootfs.COURSE)


def _become_user(uid: int, flags: int) -> None:
    """An ordinary user's way in: a user namespace in which they are somebody without rights elsewhere."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    linux.unshare(flags | linux.NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{uid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as stream:  # noqa: PTH123
            stream.write(text)


def _answer(control: socket.socket, place: Enclosure) -> None:
    children: list[int] = []
    while True:
        request, files = receive_with_files(control)
        for child in children[:]:
            if os.waitpid(child, os.WNOHANG)[0]:
                children.remove(child)
        if request is None:
            return
        child = os.fork()
        if child == 0:
            control.close()
            _enter(place, request, files)
        children.append(child)
        for descriptor in files:
            os.close(descriptor)


def _enter(place: Enclosure, request: dict[str, Any], files: list[int]) -> NoReturn:
    """Leave for new process, network and mount namespaces; process 1 in them is ``init``."""
    lease = socket.socket(fileno=files[0])
    try:
        init.die_with_parent()
        if place.walls == "namespaces":
            linux.unshare(linux.NEWPID | linux.NEWNET | linux.NEWNS | linux.NEWCGROUP)
            child = os.fork()
            if child:
                # The lease stays open here: its end tells the grader that nothing is left inside.
                os.closerange(3, lease.fileno())
                os.closerange(lease.fileno() + 1, 1024)
                _, status = os.waitpid(child, 0)
                os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
            init.die_with_parent()
        init.live(lease, files[1:], request, place)
    except (OSError, ValueError, KeyError) as problem:
        _report(lease, problem)
    os._exit(70)


def _report(channel: socket.socket, problem: Exception) -> None:
    with contextlib.suppress(OSError):  # a grader that has ended needs no report
        send_with_files(channel, {"failed": f"{type(problem).__name__}: {problem}"})
