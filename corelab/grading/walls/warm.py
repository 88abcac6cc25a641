"""The warm parent: loads the heavy libraries once, then forks an enclosure for every submission.

It holds no test, no mark and no credential: its children inherit its memory.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import socket
import sys
import warnings
from typing import Final

from corelab.grading.walls import enclosure, preheat
from corelab.grading.walls.frames import receive_with_files, send_with_files

NOTEBOOK: Final = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "boto3",
    "s3transfer.manager",
    "xgboost",
    "sklearn.metrics",
    "sagemaker_core.resources",
    "sagemaker_core.helper.session_helper",
    "sagemaker",
    "sagemaker.image_uris",
    "sagemaker.serializers",
    "IPython.core.completerlib",
    "IPython.core.interactiveshell",
    "IPython.core.magics",
    "pandas.io.formats.csvs",
    "rich._emoji_codes",
    "corelab.connection",
    "corelab.checks",
    "corelab.churn",
    "corelab.core.session",
    "corelab.grading.kernel",
    "corelab.grading.judge",
)
CLOUD: Final = (
    "corelab.engine.xgb.preload",
    "corelab.server.serve",
    "corelab.grading.cloud",
    "multiprocessing.popen_forkserver",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
    "uvloop",
)
KINDS: Final = {"notebook": NOTEBOOK, "cloud": CLOUD}


def main() -> None:
    kind = sys.argv[1]
    asked = socket.socket(fileno=int(sys.argv[2]))
    gc.disable()  # what is loaded here stays: looking for what may go would take a seventh of the time
    failed = preload(KINDS[kind])
    preheat.heat()
    for heat in (
        (preheat.heat_clients, preheat.heat_notebook) if kind == "notebook" else (preheat.heat_cloud,)
    ):
        heat()
    gc.freeze()  # without a collection before it, whose holes every child would fill by copying pages
    gc.enable()
    # Nobody waits for the children: each lives on its own channel.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send_with_files(asked, {"ready": kind, "failed": failed})
    while True:
        try:
            request, files = receive_with_files(asked)
        except OSError:
            request, files = None, []
        if request is None:
            os._exit(0)
        if os.fork() == 0:
            asked.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            enclosure.live(request, files)
        for descriptor in files:
            os.close(descriptor)


def preload(modules: tuple[str, ...]) -> list[str]:
    """Import what can be imported; the names of what could not."""
    failed = []
    with warnings.catch_warnings(), contextlib.redirect_stderr(None):
        warnings.simplefilter("ignore")
        logging.disable(logging.INFO)
        for name in modules:
            try:
                importlib.import_module(name)
            except ImportError:
                failed.append(name)
        logging.disable(logging.NOTSET)
    return failed


if __name__ == "__main__":
    main()
