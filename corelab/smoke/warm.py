"""Loaded by the kernels' parent before it forks for the first time: imports what it was asked to."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import warnings

from corelab.smoke.kernels import ASKED

_ALWAYS = ("corelab.smoke.engine", "ipykernel.kernelapp", "ipykernel.ipkernel")


def _preload() -> None:
    # matplotlib reads it once, when it is imported; ipykernel sets it later, in each kernel.
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    logging.disable(logging.INFO)
    for name in (*_ALWAYS, *os.environ.get(ASKED, "").split()):
        # Whatever is wrong with a module, the notebook that imports it is to say so.
        with warnings.catch_warnings(), contextlib.redirect_stderr(None), contextlib.suppress(Exception):
            warnings.simplefilter("ignore")
            importlib.import_module(name)
    logging.disable(logging.NOTSET)
    del os.environ["MPLBACKEND"]


_preload()
