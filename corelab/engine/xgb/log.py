"""The container's log, on standard error: ``[2026-01-31:12:00:00:INFO] message``, times in UTC (Container spec 0.3)."""

from __future__ import annotations

import logging
import sys
import time


def start_logging() -> None:
    """Send every logger of this process to the container's output."""
    formatter = logging.Formatter("[%(asctime)s:%(levelname)s] %(message)s", "%Y-%m-%d:%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
