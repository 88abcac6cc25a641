"""ECR: moto's registry, its repositories and image manifests brought back from the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.ecr import models as ecr_models
from moto.ecr.models import ecr_backends
from moto.ecr.responses import ECRResponse

from corelab.aws.authorize import Gate
from corelab.aws.replay import Occasion, Replayed
from corelab.store.blobs import BlobFolder
from corelab.store.journal import Journal


class Ecr(Replayed):
    """The ECR service."""

    def __init__(self, journal: Journal, blobs: BlobFolder, gate: Gate) -> None:
        occasion = Occasion()
        ecr_models.utcnow = occasion.utcnow  # type: ignore[attr-defined]
        ecr_models.random = occasion.random  # type: ignore[attr-defined]
        super().__init__("ecr", ECRResponse, occasion, ecr_backends.clear, journal, blobs, gate)

    def subject(self, operation: str, parameters: Mapping[str, Any]) -> str:
        return f"repository:{parameters['repositoryName']}" if "repositoryName" in parameters else ""

    def settles(self, operation: str) -> str:
        return "removes" if operation == "DeleteRepository" else "adds"
