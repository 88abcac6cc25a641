"""What the warm parent does once so that no fork has to: reading botocore's service models above all."""

from __future__ import annotations

from collections.abc import Callable, Hashable
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
_USUAL: Final = {
    "sagemaker": (
        "CreateTrainingJob",
        "DescribeTrainingJob",
        "CreateHyperParameterTuningJob",
        "CreateModel",
        "CreateTransformJob",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "Search",
    ),
    "s3": ("PutObject", "GetObject", "HeadObject", "ListObjectsV2"),
    "logs": ("DescribeLogStreams", "GetLogEvents"),
    "sts": ("GetCallerIdentity",),
}


def heat() -> None:
    """Have botocore find each of these answers once: a new client asks for them all over again."""
    from botocore import client, hooks, loaders, useragent

    _remember(loaders.JSONFileLoader, "load_file", lambda _loader, file_path: file_path)
    _remember(
        loaders.Loader, "list_available_services", lambda loader, type_name: (type_name, *loader.search_paths)
    )
    _remember(
        client.ClientCreator,
        "_load_service_model",
        lambda creator, service_name, api_version=None: (
            service_name,
            api_version,
            *creator._loader.search_paths,
        ),
    )
    _remember(hooks.EventAliaser, "_alias_event_name", lambda _aliaser, event_name: event_name)
    _remember(hooks, "accepts_kwargs", _code)
    _remember(
        useragent, "sanitize_user_agent_string_component", lambda raw_str, allow_hash: (raw_str, allow_hash)
    )


def _remember(owner: Any, name: str, key: Callable[..., Hashable]) -> None:
    """Let a function give the same answer again to a question of the same key.

    Args:
        key: of a call; takes parameters of the function's own names, and answers None when nothing is to be kept.
    """
    function = getattr(owner, name)
    answers: dict[Hashable, Any] = {}

    def remembered(*args: Any, **kwargs: Any) -> Any:
        asked = key(*args, **kwargs)
        if asked is None:
            return function(*args, **kwargs)
        if asked not in answers:
            answers[asked] = function(*args, **kwargs)
        return answers[asked]

    setattr(owner, name, remembered)


def _code(func: Any) -> Hashable:
    """Which parameters a handler takes is a matter of its code."""
    return getattr(getattr(func, "__func__", func), "__code__", None)


def heat_cloud() -> None:
    """Read every model that a server reads at its first requests: half of what starting one costs."""
    import boto3
    import regex
    from moto.core.utils import get_service_model

    from corelab.engine.xgb.metrics import METRIC_DEFINITIONS
    from corelab.wire import model, validate

    boto3.Session().get_available_partitions()
    for definition in METRIC_DEFINITIONS:
        regex.compile(definition["Regex"])  # the module keeps what it compiled
    for name in _EMBEDDED:
        get_service_model(name)
    for name in model.SERVICES:
        model.error_shape(name, "")
        for operation in model.service_model(name).operation_names:
            shape = model.operation(name, operation).model.input_shape
            if operation in _USUAL["sagemaker"]:
                _walk(shape, validate.rules, set())


def _walk(shape: Any, visit: Callable[[Any], object], seen: set[str]) -> None:
    """Visit a shape and those below it, which are made when they are first looked at."""
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    visit(shape)
    members = [*getattr(shape, "members", {}).values()]
    members += [getattr(shape, part) for part in ("member", "key", "value") if hasattr(shape, part)]
    for member in members:
        _walk(member, visit, seen)


def heat_clients() -> None:
    """Make each client that notebooks use once, and look at what it mostly sends and gets."""
    import boto3

    session = boto3.Session("none", "none", region_name="us-east-1")
    for service in _SERVICES:
        client = session.client(service)
        for kind in (
            ("training_job_completed_or_stopped", "endpoint_in_service") if service == "sagemaker" else ()
        ):
            client.get_waiter(kind)
        client.meta.service_model.shape_for_error_code("")
        for name in _USUAL.get(service, ()):
            operation = client.meta.service_model.operation_model(name)
            for shape in (operation.input_shape, operation.output_shape):
                _walk(shape, bool, set())


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
