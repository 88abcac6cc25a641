"""SageMaker's instance types: vCPUs, memory, GPUs and local disks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from corelab.errors import BadArgument

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One type; ``memory_bytes`` is the machine's, of which a container may use all."""

    name: str
    vcpus: int
    memory_bytes: int
    gpus: int = 0
    nvme: bool = False  # a local disk of fixed size: VolumeSizeInGB does not apply


def instance_type(name: str) -> InstanceType:
    """Look a type up, such as ``ml.m5.large``.

    Raises:
        BadArgument: no such type.
    """
    known = instance_types().get(name)
    if known is None:
        raise BadArgument(f"Expected an instance type such as ml.m5.large, got {name!r}.")
    return known


@cache
def instance_types() -> Mapping[str, InstanceType]:
    """All types by name."""
    families = tomllib.loads(files(__package__).joinpath("instances.toml").read_text("utf-8"))
    return {
        (name := f"ml.{family}.{size}"): InstanceType(
            name,
            int(numbers[0]),
            int(numbers[1] * _GIB),
            int(numbers[2]) if len(numbers) > 2 else 0,
            table["nvme"],
        )
        for family, table in families.items()
        for size, numbers in table["sizes"].items()
    }
