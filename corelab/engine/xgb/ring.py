"""Several hosts as one: who takes part, and the ring in which XGBoost adds up their gradients (Container spec 3.8).

every host:  <ring>/<host>  says whether it has data          the first that has: starts the tracker, <ring>/tracker
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xgboost import RabitTracker, collective

from corelab.engine.xgb.failures import PlatformError

logger = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_TRACKER = "tracker"
_MEETING_SECONDS = 15 * 60
_LOOK_SECONDS = 0.01
_LAST_WORDS_SECONDS = 30


def members(folder: Path, hosts: Sequence[str], current: str, has_data: bool) -> list[str]:
    """Meet the other hosts in a folder they share; gives those with data, in order.

    Raises:
        PlatformError: a host did not come.
    """
    # The container asks around in a first ring, with pickles; anybody on this machine could join that.
    _put(folder / f"{current}.host", "data" if has_data else "none")
    return [host for host in sorted(hosts) if _await(folder / f"{host}.host") == "data"]


@contextmanager
def joined(folder: Path, hosts: Sequence[str], current: str) -> Iterator[None]:
    """Be part of the ring of these hosts; the first of them has rank 0.

    Raises:
        PlatformError: the first host did not start the tracker.
        xgboost.core.XGBoostError: the ring cannot be closed, or a host left it.
    """
    tracker = None
    if current == hosts[0]:
        # Ranks by task name make the first host rank 0, the one that prints and saves.
        tracker = RabitTracker(_LOOPBACK, len(hosts), use_logger=True, sortby="task")
        tracker.start(len(hosts))
        _put(folder / _TRACKER, str(tracker.port))
    port = int(_await(folder / _TRACKER))
    collective.init(DMLC_TRACKER_URI=_LOOPBACK, DMLC_TRACKER_PORT=port, DMLC_TASK_ID=current)
    yield
    # After an error the ring is left as it is: the other hosts may never come to take leave.
    collective.finalize()
    if tracker is not None and tracker.thread is not None:
        tracker.thread.join(_LAST_WORDS_SECONDS)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(text, "ascii")
    unfinished.replace(path)


def _await(path: Path) -> str:
    deadline = time.monotonic() + _MEETING_SECONDS
    while time.monotonic() < deadline:
        try:
            return path.read_text("ascii")
        except FileNotFoundError:
            time.sleep(_LOOK_SECONDS)
    raise PlatformError(
        f"Waited {_MEETING_SECONDS} s for '{path.stem}' of this training job, which did not come."
    )
