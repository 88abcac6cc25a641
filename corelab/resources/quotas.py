"""What an account may use at once: AWS's quotas as data."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from corelab.errors import CorelabError, limit_exceeded

_DEFAULTS = Path(__file__).with_name("quotas.toml")
_USAGE = {"training": "training job usage", "transform": "transform job usage", "endpoint": "endpoint usage"}


class Quotas:
    """Limits by usage (training, transform, endpoint, ...) and instance type."""

    def __init__(self, limits: Mapping[str, Mapping[str, int]]) -> None:
        self._limits = limits

    @classmethod
    def load(cls, override: Path | None = None) -> Quotas:
        """The shipped limits, single lines replaced by the file's. Raises CorelabError for a file that is not right."""
        limits: dict[str, dict[str, int]] = tomllib.loads(_DEFAULTS.read_text("utf-8"))
        if override is not None and override.exists():
            for usage, lines in _read(override).items():
                limits.setdefault(usage, {}).update(lines)
        return cls(limits)

    def limit(self, usage: str, name: str) -> int:
        lines = self._limits[usage]
        return lines.get(name, lines.get("default", 0))

    def instances(self, types: Iterable[str]) -> list[tuple[str, int]]:
        """Every quota of instances under its name in Service Quotas, such as ``ml.m5.large for endpoint usage``."""
        names = sorted({*types, *(name for usage in _USAGE for name in self._limits[usage])} - {"default"})
        return [
            (f"{name} for {words}", self.limit(usage, name))
            for usage, words in _USAGE.items()
            for name in names
        ]

    def check_instances(self, usage: str, instance_type: str, used: int, wanted: int) -> None:
        """Raises ResourceLimitExceeded in AWS's words (service spec 5.1)."""
        limit = self.limit(usage, instance_type)
        if used + wanted > limit:
            raise limit_exceeded(f"{instance_type} for {_USAGE[usage]}", limit, used, wanted)


def _read(path: Path) -> dict[str, dict[str, int]]:
    try:
        parsed: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CorelabError(f"{path} is not valid TOML: {error}") from error
    for usage, lines in parsed.items():
        if not isinstance(lines, dict) or not all(type(v) is int and v >= 0 for v in lines.values()):
            raise CorelabError(
                f'{path}: [{usage}] must hold lines such as "ml.m5.large" = 4, whole numbers from 0 up'
            )
    return parsed
