"""How much one submission may use; every number is a setting of ``corelab grade``."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    cell_seconds: float = 300.0
    check_seconds: float = 60.0
    whole_seconds: float = 1200.0
    memory_bytes: int = 2048 * MIB
    processes: int = 256
    disk_bytes: int = 512 * MIB
    output_bytes: int = 1 * MIB
    notebook_bytes: int = 20 * MIB
    files_bytes: int = 64 * MIB

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, table: dict[str, Any]) -> Limits:
        return cls(**{name: table[name] for name in cls.__slots__ if name in table})


def apply_to_process(limits: Limits) -> None:
    """Set what the kernel counts for each process of its own; the whole is watched from outside."""
    try:
        import resource
    except ImportError:  # Windows has none
        return
    for name, value in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_DATA", limits.memory_bytes + 1024 * MIB),
        ("RLIMIT_FSIZE", limits.disk_bytes),
        ("RLIMIT_NOFILE", 1024),
        ("RLIMIT_NPROC", limits.processes),
        ("RLIMIT_CPU", int(limits.whole_seconds * 4)),
    ):
        number = getattr(resource, name, None)
        if number is None:
            continue
        _, hard = resource.getrlimit(number)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # not every system keeps every limit
            resource.setrlimit(number, (wanted, wanted))
