"""Who may live inside walls: the student's kernel, the judge, a cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from corelab.grading.walls.frames import Channel

if TYPE_CHECKING:
    from corelab.grading.walls.enclosure import Enclosure


def play(role: str, channel: Channel, request: dict[str, Any], place: Enclosure) -> int:
    """Be that one until the work is done; the process's exit code."""
    return _ROLES[role](channel, request, place)


def _kernel(channel: Channel, _request: dict[str, Any], _place: Enclosure) -> int:
    from corelab.grading.kernel import Kernel

    return Kernel(channel).serve()


def _judge(channel: Channel, _request: dict[str, Any], place: Enclosure) -> int:
    from corelab.grading.judge import Judge

    return Judge(channel, place.course, place.submission).serve()


def _cloud(channel: Channel, _request: dict[str, Any], place: Enclosure) -> int:
    from corelab.grading.cloud import run

    return run(channel, place.submission)


_ROLES: dict[str, Callable[[Channel, dict[str, Any], Enclosure], int]] = {
    "kernel": _kernel,
    "judge": _judge,
    "cloud": _cloud,
}
