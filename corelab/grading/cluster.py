"""The same units of work on a Dask cluster: each worker process starts its own warm parents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from corelab.errors import ServerError
from corelab.grading.result import Result
from corelab.grading.unit import Job

_CONNECT_SECONDS = 30


class DaskPool:
    """Hands units to a Dask scheduler and turns its answers into ordinary futures.

    A unit whose worker dies is run again elsewhere by the scheduler; units change nothing outside themselves,
    so that is harmless.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Callable[[Job], Result], job: Job, /) -> Future[Result]:
        answer: Future[Result] = Future()
        # Large jobs travel as one scattered object and not inside the task graph.
        task = self._client.submit(function, job, key=f"grade-{job.assignment}-{job.student}-{job.digest[:12]}",
                                   pure=False, retries=2)  # fmt: skip

        def done(finished: Any) -> None:
            if finished.status == "finished":
                answer.set_result(finished.result())
            else:
                answer.set_exception(
                    ServerError(f"The cluster lost {job.student}'s unit: {finished.exception()}")
                )

        task.add_done_callback(done)
        return answer


@contextmanager
def cluster(address: str, seconds: float = _CONNECT_SECONDS) -> Iterator[DaskPool]:
    """A pool on the scheduler at ``address``.

    Raises:
        ServerError: dask.distributed is not installed, or nobody answers there.
    """
    try:
        from distributed import Client
    except ImportError as problem:
        raise ServerError("Grading on a cluster needs dask.distributed: pip install distributed") from problem
    try:
        client = Client(address, timeout=seconds)
    except (OSError, ValueError) as problem:
        raise ServerError(f"No Dask scheduler answers at {address}: {problem}") from problem
    with client:
        yield DaskPool(client)
