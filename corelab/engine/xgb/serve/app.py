"""One request's life in the serving container: /ping, /execution-parameters, /invocations."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from corelab.engine.serving_contract import InvocationRequest, InvocationResponse
from corelab.engine.xgb.serve import answer, pages
from corelab.engine.xgb.serve.model_files import UnloadableModel
from corelab.engine.xgb.serve.payload import Features, UnsupportedPayload, read_features
from corelab.engine.xgb.serve.scorer import Predictions, Scorer
from corelab.engine.xgb.serve.selection import Unselectable, encode_selected, select
from corelab.engine.xgb.serve.settings import Settings

# The web framework leaves the code no body of these: it has parsed a form from it.
_FORMS = ("application/x-www-form-urlencoded", "application/x-url-encoded")

logger = logging.getLogger(__name__)


class ServingApp:
    """The container's application over one model folder; loads the model when first needed."""

    def __init__(self, model_folder: Path, settings: Settings) -> None:
        self._folder = model_folder
        self._settings = settings
        self._scorer: Scorer | None = None

    def load(self) -> Scorer:
        """The model, loaded once. Raises UnloadableModel."""
        if self._scorer is None:
            self._scorer = Scorer.load(self._folder, self._settings.ensemble)
        return self._scorer

    def ping(self) -> InvocationResponse:
        """200 once the model is loaded, 500 when it cannot be."""
        try:
            self.load()
        except UnloadableModel as error:
            logger.exception("%s", error)
            return InvocationResponse(500, pages.TEXT, b"")
        return InvocationResponse(200, pages.TEXT, b"")

    def execution_parameters(self) -> InvocationResponse:
        """What batch transform uses for settings its job leaves open."""
        parameters = {
            "MaxConcurrentTransforms": self._settings.cpu_count,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": int(self._settings.max_content_length / (1 << 20)),
        }
        return InvocationResponse(200, "application/json", json.dumps(parameters).encode())

    def invoke(self, request: InvocationRequest) -> InvocationResponse:
        """POST /invocations: container spec 4.3, its steps in its order."""
        return self._finish(request, self._read(request), None)

    def invoke_many(self, requests: Sequence[InvocationRequest]) -> list[InvocationResponse]:
        """What one ``invoke`` after the other answers, with one prediction for all rows that allow it."""
        reads = [self._read(request) for request in requests]
        ready = self._predict_together(reads)
        return [
            self._finish(request, read, ready.get(place))
            for place, (request, read) in enumerate(zip(requests, reads, strict=True))
        ]

    def _read(self, request: InvocationRequest) -> Features | InvocationResponse:
        if len(request.body) > self._settings.max_content_length:
            return pages.TOO_LARGE
        content_type = request.content_type
        if not request.body or (content_type or "").partition(";")[0].strip().lower() in _FORMS:
            return InvocationResponse(204, pages.TEXT, b"")
        try:
            return read_features(request.body, content_type)
        except UnsupportedPayload as error:
            return _refused(415, str(error))

    def _predict_together(self, reads: Sequence[Features | InvocationResponse]) -> dict[int, Predictions]:
        """Predictions by place in ``reads``, for the dense ones that are as wide as the first of them."""
        dense = [(place, read) for place, read in enumerate(reads) if isinstance(read, np.ndarray)]
        alike = [(place, read) for place, read in dense if read.shape[1] == dense[0][1].shape[1]]
        if len(alike) < 2:
            return {}
        try:
            predictions = self.load().predict(np.concatenate([read for _, read in alike]))
        except (UnloadableModel, ValueError):
            return {}  # each request meets its own error when it is finished alone
        ends = np.cumsum([len(read) for _, read in alike])[:-1]
        return {place: part for (place, _), part in zip(alike, np.split(predictions, ends), strict=True)}

    def _finish(
        self,
        request: InvocationRequest,
        read: Features | InvocationResponse,
        predictions: Predictions | None,
    ) -> InvocationResponse:
        if isinstance(read, InvocationResponse):
            return read
        if predictions is None:
            try:
                predictions = self.load().predict(read)
            except UnloadableModel as error:
                return _refused(500, f"Unable to load model: {error}")
            except ValueError as error:
                return _refused(400, f"Unable to evaluate payload provided: {error}")
        try:
            accept = answer.accepted_type(request.accept, self._settings.default_accept)
        except answer.UnacceptableType as error:
            return _refused(406, str(error))
        return self._encode(predictions, accept)

    def _encode(self, predictions: Predictions, accept: str) -> InvocationResponse:
        try:
            if self._settings.selection is not None:
                body = self._encode_selection(predictions, accept, self._settings.selection)
            elif self._settings.batch:
                body = answer.encode_batch(predictions)
            else:
                body = answer.encode_predictions(predictions, accept)
        except Unselectable as error:
            return _refused(500, str(error))
        except answer.NoEncoding as error:
            logger.exception("%s", error)
            return pages.INTERNAL_ERROR
        return InvocationResponse(200, answer.content_type_of(accept), body)

    def _encode_selection(self, predictions: Predictions, accept: str, keys: tuple[str, ...]) -> bytes:
        scorer = self.load()
        selected = select(predictions.tolist(), keys, scorer.objective, scorer.class_count)
        body = encode_selected(selected, keys, accept)
        return body + b"\n" if self._settings.batch and accept == "text/csv" else body


def _refused(status: int, text: str) -> InvocationResponse:
    logger.exception("%s", text)
    return InvocationResponse(status, pages.TEXT, text.encode())
