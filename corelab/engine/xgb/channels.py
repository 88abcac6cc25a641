"""The channels a job may have, and how each may be configured (Container spec 2.1)."""

from __future__ import annotations

from collections.abc import Mapping

from corelab.engine.xgb.content_types import FORMATS
from corelab.engine.xgb.failures import UserError

DEFAULT_CONTENT_TYPE = "text/libsvm"
_DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")
_DATA = {
    (content_type, mode, distribution)
    for content_type, parsed in FORMATS.items()
    for mode in ("File", "Pipe")
    for distribution in _DISTRIBUTIONS
    if not (mode == "Pipe" and parsed == "libsvm")
}
_SUPPORTED = {"train": _DATA, "validation": _DATA, "code": {("text/python", "File", "FullyReplicated")}}

Config = Mapping[str, str]


def validate(given: Mapping[str, Config]) -> dict[str, dict[str, str]]:
    """The channels as ``inputdataconfig.json`` has them, with the default content type filled in.

    Raises:
        UserError: no train channel, a channel of another name, or a configuration that is not supported.
        KeyError: a channel without mode or distribution.
    """
    if "train" not in given:
        raise UserError("Missing required channel: train")
    checked = {}
    for name, config in given.items():
        if name not in _SUPPORTED:
            raise UserError(f"Extraneous channel found: {name}")
        filled = dict(config)
        filled.setdefault("ContentType", DEFAULT_CONTENT_TYPE)
        described = (filled["ContentType"], filled["TrainingInputMode"], filled["S3DistributionType"])
        if described not in _SUPPORTED[name]:
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {filled}")
        checked[name] = filled
    return checked
