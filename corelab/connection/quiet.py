"""Keeps the SDKs' remarks about themselves out of notebooks; what they say about jobs stays."""

from __future__ import annotations

import logging
import warnings

# Loggers whose level the SDKs set when they are imported: only a filter outlives that.
_ABOUT_THEMSELVES = {
    "sagemaker.config": logging.WARNING,
    "sagemaker.telemetry.telemetry_logging": logging.CRITICAL,
    "botocore.configprovider": logging.WARNING,
    "botocore.credentials": logging.WARNING,
}
_CLIENT_DEFAULTS = (
    "No boto3 session provided.",
    "No region provided.",
    "No config provided.",
)


def hush() -> None:
    """Filter those remarks from now on; calling it again changes nothing."""
    for name in _ABOUT_THEMSELVES:
        logging.getLogger(name).addFilter(_worth_reading)
    logging.getLogger("sagemaker_core.main.utils").addFilter(_not_about_defaults)
    # Said when Python first compiles the installed SDKs; nothing a learner can mend.
    warnings.filterwarnings(
        "ignore", "invalid escape sequence", module=r".*(sagemaker_core|smdebug_rulesconfig)"
    )


def speak() -> None:
    """Undo ``hush`` for the loggers."""
    for name in _ABOUT_THEMSELVES:
        logging.getLogger(name).removeFilter(_worth_reading)
    logging.getLogger("sagemaker_core.main.utils").removeFilter(_not_about_defaults)


def _worth_reading(record: logging.LogRecord) -> bool:
    return record.levelno >= _ABOUT_THEMSELVES.get(record.name, logging.NOTSET)


def _not_about_defaults(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_CLIENT_DEFAULTS)
