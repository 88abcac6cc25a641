"""The model process: frames in, answers out, all waiting requests at a time."""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from corelab.engine.frames import FrameSplitter, Verb, read_request, response_bytes
from corelab.engine.serving_contract import InvocationResponse, Startup
from corelab.engine.xgb.log import start_logging
from corelab.engine.xgb.serve.access_log import AccessLog
from corelab.engine.xgb.serve.app import ServingApp
from corelab.engine.xgb.serve.model_files import UnloadableModel
from corelab.engine.xgb.serve.settings import Settings

_CHUNK = 64 << 10

logger = logging.getLogger(__name__)


def main(startup: Startup) -> int:
    """Serve until the other side hangs up; the result is the exit code, 1 when there is nothing to serve."""
    signal.signal(signal.SIGTERM, _leave)
    start_logging()
    try:
        app = _load(startup)
    except (UnloadableModel, ValueError) as error:
        logger.exception("%s", error)
        return 1
    # What is loaded stays: the collector need not look at it again.
    gc.freeze()
    with startup.connection as connection, AccessLog(batch="SAGEMAKER_BATCH" in os.environ) as log:
        _serve(connection, app, log)
    return 0


def _load(startup: Startup) -> ServingApp:
    if "SAGEMAKER_PROGRAM" in os.environ:
        raise ValueError(
            "SAGEMAKER_PROGRAM asks for a user's own inference script; "
            "expected a model of the built-in algorithm without that variable"
        )
    app = ServingApp(startup.model_folder, Settings.from_environment(os.environ, startup.cpu_count))
    app.load()
    return app


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _serve(connection: socket.socket, app: ServingApp, log: AccessLog) -> None:
    splitter = FrameSplitter()
    while True:
        if log.waiting and not select.select([connection], [], [], log.seconds_left())[0]:
            log.write()
            continue
        try:
            data = connection.recv(_CHUNK)
            if frames := splitter.feed(data):
                connection.sendall(_answer(app, frames, log))
        except ConnectionError:
            return
        if not data:
            return


def _answer(app: ServingApp, frames: Sequence[bytes], log: AccessLog) -> bytes:
    asked = [read_request(frame) for frame in frames]
    invocations = [(number, request) for number, verb, request in asked if verb == Verb.INVOKE]
    responses = app.invoke_many([request for _, request in invocations])
    answers = [
        response_bytes(number, log.noted(response))
        for (number, _), response in zip(invocations, responses, strict=True)
    ]
    answers += [response_bytes(number, _get(app, verb)) for number, verb, _ in asked if verb != Verb.INVOKE]
    return b"".join(answers)


def _get(app: ServingApp, verb: int) -> InvocationResponse:
    return app.ping() if verb == Verb.PING else app.execution_parameters()
