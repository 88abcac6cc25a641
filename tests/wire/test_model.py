from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from corelab.errors import AWSError
from corelab.wire.model import SERVICES, error_shape, operation, service_model


@pytest.mark.parametrize("service", SERVICES)
def test_a_lean_model_has_the_operations_and_shapes_of_botocores_own(service: str) -> None:
    full = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    lean = service_model(service)
    assert lean.operation_names == full.operation_names
    assert lean.shape_names == full.shape_names
    for name in full.shape_names:
        ours, theirs = lean.shape_for(name), full.shape_for(name)
        assert (ours.metadata, ours.serialization) == (theirs.metadata, theirs.serialization)
        if ours.type_name == "structure":
            assert list(ours.members) == list(theirs.members)


SEEN_BY_BOTH = """
from botocore.loaders import create_loader
from corelab.wire.model import service_model
print(create_loader().load_service_model("sagemaker", "service-2")["shapes"]["ProductionVariantServerlessConfig"])
print(service_model("sagemaker").shape_for("ProductionVariantServerlessConfig").required_members)
"""


def test_a_model_patched_in_the_learners_home_does_not_change_the_server(tmp_path: Path) -> None:
    extras = tmp_path / ".aws/models/sagemaker/2017-07-24"
    extras.mkdir(parents=True)
    patch = {"merge": {"shapes": {"ProductionVariantServerlessConfig": {"required": ["Patched"]}}}}
    (extras / "service-2.sdk-extras.json").write_text(json.dumps(patch))
    home = os.environ | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SEEN_BY_BOTH], env=home, capture_output=True, text=True, check=True
    )
    theirs, ours = done.stdout.splitlines()
    assert "Patched" in theirs
    assert ours == "['MemorySizeInMB', 'MaxConcurrency']"


def test_an_unknown_operation_is_named_in_the_error() -> None:
    with pytest.raises(AWSError, match="Nope") as raised:
        operation("sagemaker", "Nope")
    assert (raised.value.code, raised.value.status) == ("UnknownOperationException", 400)


def test_error_shapes_are_found_by_their_code_and_others_are_not() -> None:
    shape = error_shape("sagemaker-runtime", "ModelError")
    assert shape is not None
    assert "OriginalStatusCode" in shape.members
    assert error_shape("sagemaker", "ValidationException") is None
    assert error_shape("sagemaker", "CreateTrainingJobRequest") is None
