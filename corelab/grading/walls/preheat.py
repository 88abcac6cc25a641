"""What the warm parent does once so that no fork has to: reading botocore's service models above all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_SERVICES: Final = (
    "sts",
    "s3",
    "iam",
    "sagemaker",
    "sagemaker-runtime",
    "sagemaker-metrics",
    "logs",
    "cloudwatch",
)
_EMBEDDED: Final = ("iam", "sts", "s3", "logs", "cloudwatch")
_USUAL: Final = (
    "CreateTrainingJob",
    "DescribeTrainingJob",
    "CreateHyperParameterTuningJob",
    "CreateModel",
    "CreateTransformJob",
    "CreateEndpointConfig",
    "CreateEndpoint",
    "Search",
)


def heat() -> None:
    """Keep the parsed service models of this process for good."""
    from botocore.loaders import JSONFileLoader, Loader

    read = JSONFileLoader.load_file
    parsed: dict[str, Any] = {}

    def load_file(loader: Any, file_path: str) -> Any:
        if file_path not in parsed:
            parsed[file_path] = read(loader, file_path)
        return parsed[file_path]

    JSONFileLoader.load_file = load_file
    list_services = Loader.list_available_services
    listed: dict[tuple[str, ...], Any] = {}

    def list_available_services(loader: Any, type_name: str) -> Any:
        key = (type_name, *loader.search_paths)
        if key not in listed:
            listed[key] = list_services(loader, type_name)
        return listed[key]

    Loader.list_available_services = list_available_services


def heat_cloud() -> None:
    """Read every model that a server reads at its first requests: half of what starting one costs."""
    from moto.core.utils import get_service_model

    from corelab.wire import model, validate

    for name in _EMBEDDED:
        get_service_model(name)
    for name in model.SERVICES:
        model.error_shape(name, "")
        for operation in model.service_model(name).operation_names:
            shape = model.operation(name, operation).model.input_shape
            if operation in _USUAL and shape is not None:
                _walk(shape, validate.rules, set())


def _walk(shape: Any, visit: Callable[[Any], object], seen: set[str]) -> None:
    if shape.name in seen:
        return
    seen.add(shape.name)
    visit(shape)
    members = [*getattr(shape, "members", {}).values()]
    members += [getattr(shape, part) for part in ("member", "key", "value") if hasattr(shape, part)]
    for member in members:
        _walk(member, visit, seen)


def heat_clients() -> None:
    """Make each client that notebooks use once."""
    import boto3

    session = boto3.Session("none", "none", region_name="us-east-1")
    for service in _SERVICES:
        client = session.client(service)
        for kind in (
            ("training_job_completed_or_stopped", "endpoint_in_service") if service == "sagemaker" else ()
        ):
            client.get_waiter(kind)


def heat_notebook() -> None:
    """Draw and show once, since matplotlib finds its fonts lazily; read the course's customers."""
    import io

    from matplotlib import pyplot

    from corelab import churn

    churn.load()

    figure, axis = pyplot.subplots()
    axis.plot([0, 1], label="x")
    axis.set(xlabel="x", ylabel="y")
    axis.legend()
    figure.savefig(io.BytesIO(), format="png")
    pyplot.close(figure)
