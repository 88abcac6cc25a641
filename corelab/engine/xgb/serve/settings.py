"""What the container reads from its environment when it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_MAX_CONTENT_LENGTH = 6 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """The serving container's switches (container spec 4.3 to 4.6 and 5)."""

    max_content_length: int = DEFAULT_MAX_CONTENT_LENGTH  # bytes
    batch: bool = False
    default_accept: str = "text/csv"
    selection: tuple[str, ...] | None = None  # None: selectable inference is off
    ensemble: bool = True
    cpu_count: int = 1

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], cpu_count: int = 1) -> Settings:
        """Read the variables; raises ValueError when MAX_CONTENT_LENGTH is not a whole number."""
        selection = environment.get("SAGEMAKER_INFERENCE_OUTPUT")
        return cls(
            max_content_length=int(environment.get("MAX_CONTENT_LENGTH", DEFAULT_MAX_CONTENT_LENGTH)),
            # Any text at all switches batch mode on, "false" included.
            batch=bool(environment.get("SAGEMAKER_BATCH")),
            default_accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv"),
            selection=None if selection is None else tuple(selection.replace(" ", "").lower().split(",")),
            ensemble=environment.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true",
            cpu_count=cpu_count,
        )
