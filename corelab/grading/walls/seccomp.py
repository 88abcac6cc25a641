"""A filter of system calls: what neither a notebook nor its libraries need, and break-outs do.

Calls in ``DENIED`` answer EPERM, clone3 answers ENOSYS (glibc then uses clone, whose flags can be read here),
sockets are limited to the local families.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
from typing import Final

from corelab.grading.walls import linux

_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name: (x86_64, aarch64); None where the architecture has no such call
DENIED: Final[dict[str, tuple[int | None, int | None]]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_CLONE, _CLONE3, _SOCKET = (56, 220), (435, 435), (41, 198)
_NAMESPACE_FLAGS: Final = 0x7E020000  # every CLONE_NEW... of clone
_FAMILIES: Final = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)  # 16: netlink, for getaddrinfo
_X32_BIT: Final = 0x40000000

_LOAD, _EQUAL, _MASK, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_PR_SET_SECCOMP, _FILTER = 22, 2
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


def install() -> None:
    """Filter this process and all it starts, for good; needs no_new_privs.

    Raises:
        OSError: the kernel has no seccomp, or this processor is not known here.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no system call filter for {machine}")
    code = program(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    block = ctypes.create_string_buffer(head, len(head))
    result = ctypes.CDLL(None, use_errno=True).prctl(
        _PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.c_ulong(ctypes.addressof(block)), 0, 0
    )
    linux._checked(result, "seccomp")


def program(machine: str) -> bytes:
    """The filter as the kernel reads it: eight bytes an instruction."""
    column = list(_ARCHITECTURES).index(machine)
    refuse = [_step(_RETURN, _ERRNO | errno.EPERM)]
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _ARCHITECTURES[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        steps += [_step(_AT_LEAST, _X32_BIT, 0, 1), *refuse]
    for numbers in DENIED.values():
        number = numbers[column]
        if number is not None:
            steps += [_step(_EQUAL, number, 0, 1), *refuse]
    steps += [_step(_EQUAL, _CLONE3[column], 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    argument = _step(_LOAD, _FIRST_ARGUMENT)
    steps += [_step(_EQUAL, _CLONE[column], 0, 3), argument, _step(_MASK, _NAMESPACE_FLAGS, 0, 1), *refuse]
    steps.append(_step(_LOAD, _NUMBER))
    known = len(_FAMILIES)
    families = [_step(_EQUAL, family, known - index, 0) for index, family in enumerate(_FAMILIES)]
    steps += [_step(_EQUAL, _SOCKET[column], 0, known + 2), argument, *families, *refuse]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
