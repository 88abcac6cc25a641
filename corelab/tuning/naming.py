"""Names of a tuning job's children."""

from __future__ import annotations

import hashlib


def child_name(tuning_job: str, number: int, salt: str) -> str:
    """``<tuning job>-<NNN>-<8 hex>``, NNN the launch order (Service spec 6.2).

    Args:
        salt: what tells this tuning job from an earlier one of its name, such as its ARN and creation time; with
            it a server that starts again gives the same child the same name.
    """
    tail = hashlib.blake2b(f"{salt}\0{number}".encode(), digest_size=4).hexdigest()
    return f"{tuning_job}-{number:03d}-{tail}"
