"""The service models botocore ships, without their prose, loaded when first asked for."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, StructureShape

from corelab.errors import AWSError

JSON_SERVICES = {
    "SageMaker": "sagemaker",
    "AnyScaleFrontendService": "application-autoscaling",
    "ServiceQuotasV20190624": "service-quotas",
}
REST_SERVICES = ("sagemaker-runtime", "sagemaker-metrics")
SERVICES = (*JSON_SERVICES.values(), *REST_SERVICES)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one service, such as ``sagemaker`` and ``CreateTrainingJob``."""

    service: str
    name: str
    model: OperationModel

    @property
    def speaks_json_rpc(self) -> bool:
        """True for the JSON 1.1 protocol, False for rest-json."""
        return bool(self.model.metadata["protocol"] == "json")


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of one of SERVICES; loading the largest takes some 60 ms and 4 MB, once."""
    return ServiceModel(_description(service), service)


@cache
def operation(service: str, name: str) -> Operation:
    """The operation of that name. Raises AWSError UnknownOperationException."""
    try:
        return Operation(service, name, service_model(service).operation_model(name))
    except OperationNotFoundError as error:
        raise unknown_operation(f"{service} has no operation {name!r}.") from error


def unknown_operation(reason: str, status: int = 400) -> AWSError:
    """AWS's answer to a request that names nothing it knows (Service spec 1.1)."""
    return AWSError("UnknownOperationException", reason, status)


def error_shape(service: str, code: str) -> StructureShape | None:
    """The modelled exception that carries this error code, if the service models one."""
    return _error_shapes(service).get(code)


@cache
def _error_shapes(service: str) -> Mapping[str, StructureShape]:
    model = service_model(service)
    names = [name for name, shape in _description(service)["shapes"].items() if shape.get("exception")]
    return {shape.error_code: shape for shape in map(model.shape_for, names)}


@cache
def _description(service: str) -> dict[str, Any]:
    # botocore's own folder only: a model patched under ~/.aws/models must not change the server.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    version = loader.determine_latest_version(service, "service-2")
    file = Path(Loader.BUILTIN_DATA_PATH, service, version, "service-2.json.gz")
    with gzip.open(file) as stream:
        description: dict[str, Any] = json.load(stream, object_pairs_hook=_lean)
    return description


def _lean(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Drop the prose and share equal words: half the memory of the plain dictionaries."""
    return {
        sys.intern(key): sys.intern(value) if isinstance(value, str) else value
        for key, value in pairs
        if not (key == "documentation" and isinstance(value, str))
    }
