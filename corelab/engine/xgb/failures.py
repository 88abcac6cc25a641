"""How the algorithm fails: its error classes, and the report it leaves (Container spec 0.2)."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from corelab.engine.container import write_failure
from corelab.engine.limits import OUT_OF_MEMORY_CODE, ran_out_of_memory

logger = logging.getLogger(__name__)
_HERE = Path(__file__).parents[3]


class ToolkitError(Exception):
    """An error of the algorithm's own making."""

    # Tracebacks name the class as the container's do.
    __module__ = "sagemaker_algorithm_toolkit.exceptions"

    def __init__(self, message: str | None = None, caused_by: BaseException | None = None) -> None:
        text = message or "unknown error occurred"
        super().__init__(f"{text} (caused by {type(caused_by).__name__})" if caused_by is not None else text)


class UserError(ToolkitError):
    """The job's hyperparameters, channels or data are not usable."""

    __module__ = ToolkitError.__module__


class AlgorithmError(ToolkitError):
    """Training broke; not known to be the user's fault."""

    __module__ = ToolkitError.__module__


class PlatformError(ToolkitError):
    """The surroundings are not as the platform promises."""

    __module__ = ToolkitError.__module__


def report(root: Path, error: BaseException) -> int:
    """Write ``output/failure`` and the log of a failed run; gives the exit code."""
    # A literal nested too deep is a MemoryError as well, and then it is the user's.
    if "bad_alloc" in str(error) or (not isinstance(error, UserError) and ran_out_of_memory(error)):
        logger.error("Out of memory: %s", error)
        return OUT_OF_MEMORY_CODE
    text = f"framework error: \n{_traceback(error)}\n{error}"
    logger.error("Reporting training FAILURE")
    logger.error(text)
    write_failure(root, text)
    code = getattr(error, "errno", None)
    return code if isinstance(code, int) and 0 < code < OUT_OF_MEMORY_CODE else 1


def _traceback(error: BaseException) -> str:
    """The traceback without its causes and with short file names: AWS shows 1024 characters, message included."""
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list([_shortened(frame) for frame in told.stack])
    return "".join(told.format(chain=False))


def _shortened(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    path = Path(frame.filename)
    if "site-packages" in path.parts:
        path = Path(*path.parts[path.parts.index("site-packages") + 1 :])
    elif path.is_relative_to(_HERE):
        path = path.relative_to(_HERE)
    return traceback.FrameSummary(
        path.as_posix(), frame.lineno, frame.name, lookup_line=False, line=frame.line
    )
