from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from corelab.errors import AWSError
from corelab.wire.dispatch import find, served_operations


def module(**names: Any) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(names)
    return made


def create_training_job(request: Any) -> Any:
    return request


def list_training_jobs_for_hyper_parameter_tuning_job(request: Any) -> Any:
    return request


MODULES = [
    module(create_training_job=create_training_job, search=module()),
    module(
        create_training_job=len,
        describe_model="text",
        list_training_jobs_for_hyper_parameter_tuning_job=list_training_jobs_for_hyper_parameter_tuning_job,
    ),
]


def test_an_operation_is_the_function_of_its_name_in_snake_case() -> None:
    assert find("CreateTrainingJob", MODULES) is create_training_job
    name = "ListTrainingJobsForHyperParameterTuningJob"
    assert find(name, MODULES) is list_training_jobs_for_hyper_parameter_tuning_job


@pytest.mark.parametrize("name", ["CreatePipeline", "Search", "DescribeModel"])
def test_an_operation_without_a_function_is_refused_by_name(name: str) -> None:
    with pytest.raises(AWSError) as raised:
        find(name, MODULES)
    assert raised.value.code == "UnsupportedOperationException"
    assert raised.value.message == (
        f"The operation {name} exists on AWS, but the local SageMaker does not serve it."
    )


def test_served_operations_are_those_with_a_function() -> None:
    served = served_operations("sagemaker", MODULES)
    assert served == ["CreateTrainingJob", "ListTrainingJobsForHyperParameterTuningJob"]
