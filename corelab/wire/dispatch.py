"""From an operation's name to the function that serves it: same name in snake case, found by lookup."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import isfunction
from types import ModuleType
from typing import Any

from botocore import xform_name

from corelab.errors import AWSError
from corelab.wire.model import service_model


def find(operation_name: str, modules: Iterable[ModuleType]) -> Callable[..., Any]:
    """The function for ``CreateTrainingJob`` is the first ``create_training_job`` in the modules.

    Raises AWSError UnsupportedOperationException when none has it.
    """
    name = xform_name(operation_name)
    for module in modules:
        function = vars(module).get(name)
        if isfunction(function):
            return function
    text = f"The operation {operation_name} exists on AWS, but the local SageMaker does not serve it."
    raise AWSError("UnsupportedOperationException", text)


def served_operations(service: str, modules: Iterable[ModuleType]) -> list[str]:
    """The service's operations for which the modules have a function, in the model's order."""
    functions = {name for module in modules for name, value in vars(module).items() if isfunction(value)}
    return [name for name in service_model(service).operation_names if xform_name(name) in functions]
