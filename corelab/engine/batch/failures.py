"""Why an object's transform ended, in the words of the job's data log."""

from __future__ import annotations

from typing import Self

from corelab.engine.serving_contract import InvocationResponse

_SHOWN_BYTES = 8 << 10


class ObjectFailed(Exception):
    """One object could not be transformed; the others go on.

    Attributes:
        lines: what the data log says about it, each to be written after ``<bucket>/<key>: ``.
        client_fault: whether the job's FailureReason names a ClientError instead of an AlgorithmError.
    """

    def __init__(self, *lines: str, client_fault: bool = True) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.client_fault = client_fault

    @classmethod
    def bad_answer(cls, response: InvocationResponse) -> Self:
        """The container refused the payload, or failed on it (Service spec 7)."""
        refused = 400 <= response.status < 500
        first = (
            f"ClientError: {response.status}"
            if refused
            else (f"Bad HTTP status received from algorithm: {response.status}")
        )
        body = response.body[:_SHOWN_BYTES].decode("utf-8", "replace")
        return cls(first, "", "Message:", *body.splitlines(), client_fault=refused)

    @classmethod
    def no_answer(cls) -> Self:
        """The container crashed or took too long."""
        return cls("Unable to get response from algorithm", client_fault=False)

    @classmethod
    def unreadable(cls, record: bytes, form: str, reason: str) -> Self:
        """A filter or join met a record that is not what its content type says."""
        shown = record[:200].decode("utf-8", "replace")
        return cls("ClientError: 400", "", "Message:", f"Failed to parse line: '{shown}' as {form}: {reason}")


class TransformStopped(Exception):
    """The job is being stopped; what is unfinished is not to be stored."""
