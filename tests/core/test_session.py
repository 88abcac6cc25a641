"""CoreLabSession gives what the guide's last chapter promises, against a live cloud."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from corelab.core.session import CoreLabSession
from corelab.errors import BadArgument
from tests.conftest import ROLE, Lab

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d")


@pytest.fixture
def session(connected: Lab) -> CoreLabSession:
    return CoreLabSession(
        framework="xgboost", project_name="your-name-essentials", default_folder="essentials"
    )


def keys(lab: Lab, session: CoreLabSession) -> list[str]:
    listing = lab.client("s3").list_objects_v2(
        Bucket=session.bucket, Prefix=session.base_s3_uri.split("/", 3)[3]
    )
    return [item["Key"] for item in listing.get("Contents", [])]


def test_the_handles_equal_those_built_by_hand(session: CoreLabSession) -> None:
    from sagemaker_core.helper.session_helper import Session, get_execution_role

    by_hand = Session()
    assert type(session.core_session) is Session
    assert session.role == get_execution_role() == ROLE
    assert session.region == by_hand.boto_region_name == "us-east-1"
    assert session.bucket == by_hand.default_bucket()


def test_the_paths_have_the_guide_s_shape_and_one_timestamp(session: CoreLabSession) -> None:
    base = f"s3://sagemaker-us-east-1-123456789012/essentials/{session.timestamp}/"
    assert STAMP.fullmatch(session.timestamp)
    assert session.base_s3_uri == base
    assert session.jobs_output_s3_uri == f"{base}jobs/"
    assert session.transform_output_s3_uri == f"{base}transform_output/"


def test_the_names_are_those_of_the_guide(session: CoreLabSession) -> None:
    prefix = "your-name-essentials-xgboost"
    assert session.training_job_name == f"{prefix}-{session.timestamp}"
    assert re.fullmatch(r"your-n-xgboost-tune-\d{12}", session.tuning_job_name)
    assert session.transform_job_name == f"{prefix}-transform-{session.timestamp}"
    assert session.processing_job_name == f"{prefix}-processing-{session.timestamp}"
    assert session.model_name == prefix
    assert session.endpoint_name == f"{prefix}-endpoint"
    assert session.endpoint_config_name == f"{prefix}-endpoint-config"
    assert session.serverless_endpoint_name == f"{prefix}-serverless-endpoint"
    assert session.serverless_endpoint_config_name == f"{prefix}-serverless-endpoint-config"


def test_the_image_is_the_sdk_s(session: CoreLabSession) -> None:
    from sagemaker import image_uris

    assert session.retrieve_image("1.7-1") == image_uris.retrieve("xgboost", "us-east-1", "1.7-1")


def test_an_image_that_does_not_exist_is_explained(session: CoreLabSession) -> None:
    with pytest.raises(BadArgument, match=r"No image for 'xgboost' '9\.9'"):
        session.retrieve_image("9.9")


def test_a_run_folder_is_marked_in_s3_only_when_asked(connected: Lab, session: CoreLabSession) -> None:
    marked = CoreLabSession("xgboost", "ada", "marked", create_run_folder=True)
    assert keys(connected, marked) == [f"marked/{marked.timestamp}/"]
    assert keys(connected, session) == []
    marked.update_timestamp()
    assert keys(connected, marked) == [f"marked/{marked.timestamp}/"]


def test_a_new_timestamp_is_a_new_run_with_the_same_endpoint(session: CoreLabSession) -> None:
    seen = [(session.training_job_name, session.tuning_job_name, session.base_s3_uri)]
    endpoint = session.endpoint_name
    for _ in range(3):
        stamp = session.update_timestamp()
        assert stamp in session.base_s3_uri
        assert stamp in session.training_job_name
        seen.append((session.training_job_name, session.tuning_job_name, session.base_s3_uri))
    assert [len(set(column)) for column in zip(*seen, strict=True)] == [4, 4, 4]
    assert session.endpoint_name == endpoint


def test_a_file_is_uploaded_below_the_run_s_folder(
    connected: Lab, session: CoreLabSession, tmp_path: Path
) -> None:
    (tmp_path / "train.csv").write_text("1,2\n")
    uri = session.upload_file(tmp_path / "train.csv", "train")
    assert uri == f"{session.base_s3_uri}train/train.csv"
    assert session.upload_file(tmp_path / "train.csv") == f"{session.base_s3_uri}train.csv"
    body = connected.client("s3").get_object(Bucket=session.bucket, Key=uri.split("/", 3)[3])["Body"]
    assert body.read() == b"1,2\n"


def test_uploading_what_is_no_file_is_explained(session: CoreLabSession, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="is a folder"):
        session.upload_file(tmp_path)
    with pytest.raises(BadArgument, match="is not there"):
        session.upload_file(tmp_path / "none.csv")


def test_the_sdk_2_session_shares_region_and_bucket(session: CoreLabSession) -> None:
    from sagemaker.session import Session

    sdk = session.get_sagemaker_session()
    assert type(sdk) is Session
    assert (sdk.boto_region_name, sdk.default_bucket()) == (session.region, session.bucket)


def test_names_and_paths_need_no_cloud_when_the_bucket_is_given() -> None:
    session = CoreLabSession("xgboost", "ada", "essentials", bucket="mine", role=ROLE)
    assert session.base_s3_uri.startswith("s3://mine/essentials/")
    assert session.role == ROLE
    assert "core_session" not in vars(session)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"project_name": ""}, "project_name must hold a letter or a digit"),
        ({"framework": "  "}, "framework must hold a letter or a digit"),
        ({"default_folder": "../x"}, "A folder is letters"),
        ({"role": "LabRole"}, "role must be an ARN"),
    ],
)
def test_arguments_that_cannot_be_used_are_explained(arguments: dict[str, Any], expected: str) -> None:
    with pytest.raises(BadArgument, match=expected):
        CoreLabSession(**{"framework": "xgboost", "project_name": "ada", **arguments})


def test_the_table_asks_the_cloud_nothing_and_shows_markup_as_text() -> None:
    session = CoreLabSession("xgboost", "<b>[red]ada", bucket="mine")
    screen = io.StringIO()
    Console(file=screen, width=150).print(session)
    assert "<b>[red]ada" in screen.getvalue()
    assert "not asked yet" in screen.getvalue()
    assert "&lt;b&gt;[red]ada" in session._repr_html_()
    assert "<b>" not in session._repr_html_()
    assert "core_session" not in vars(session)
    assert "project_name='<b>[red]ada'" in repr(session)
