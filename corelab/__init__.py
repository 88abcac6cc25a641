"""SageMaker Essentials: a course, an autograder, and a local SageMaker that really runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corelab.connection import Connection

__version__ = "0.1.0"
__all__ = ["__version__", "connect", "disconnect"]


def connect(
    target: str | None = None,
    *,
    region: str | None = None,
    home: str | os.PathLike[str] | None = None,
    quietly: bool = False,
) -> Connection:
    """Point every AWS SDK in this process at one cloud, local or AWS; see ``corelab.connection.connect``."""
    from corelab import connection

    return connection.connect(target, region=region, home=home, quietly=quietly)


def disconnect() -> None:
    """Give this process its own environment back; see ``corelab.connection.disconnect``."""
    from corelab import connection

    connection.disconnect()


def load_ipython_extension(_shell: Any) -> None:
    """``%load_ext corelab`` connects."""
    connect()


def unload_ipython_extension(_shell: Any) -> None:
    disconnect()
