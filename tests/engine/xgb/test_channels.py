from __future__ import annotations

import pytest

from corelab.engine.xgb.channels import validate
from corelab.engine.xgb.content_types import parse_content_type
from corelab.engine.xgb.failures import UserError


def config(
    content_type: str | None = "text/csv", mode: str = "File", distribution: str = "FullyReplicated"
) -> dict[str, str]:
    typed = {} if content_type is None else {"ContentType": content_type}
    return {
        **typed,
        "TrainingInputMode": mode,
        "S3DistributionType": distribution,
        "RecordWrapperType": "None",
    }


@pytest.mark.parametrize("distribution", ["FullyReplicated", "ShardedByS3Key"])
@pytest.mark.parametrize(
    ("content_type", "mode"),
    [
        *[
            (name, "File")
            for name in ("csv", "libsvm", "parquet", "recordio-protobuf", "text/csv", "text/libsvm")
        ],
        *[
            (name, "File")
            for name in ("text/x-libsvm", "application/x-parquet", "application/x-recordio-protobuf")
        ],
        *[
            (name, "Pipe")
            for name in ("csv", "parquet", "recordio-protobuf", "text/csv", "application/x-parquet")
        ],
        ("application/x-recordio-protobuf", "Pipe"),
    ],
)
def test_these_configurations_are_supported(content_type: str, mode: str, distribution: str) -> None:
    given = {
        "train": config(content_type, mode, distribution),
        "validation": config(content_type, mode, distribution),
    }
    assert validate(given) == given


@pytest.mark.parametrize(
    "refused",
    [
        config("text/csv;label_size=1"),
        config("text/csv; charset=utf-8"),
        config("TEXT/CSV"),
        config("text/csv", "FastFile"),
        config("text/libsvm", "Pipe"),
        config("libsvm", "Pipe"),
        config("application/json"),
        config("text/csv", "File", "Sharded"),
    ],
)
def test_other_configurations_are_refused_as_python_prints_them(refused: dict[str, str]) -> None:
    with pytest.raises(UserError) as error:
        validate({"train": refused})
    assert str(error.value) == f"Channel configuration for 'train' channel is not supported: {refused}"


def test_a_channel_without_content_type_is_libsvm() -> None:
    assert validate({"train": config(None)})["train"]["ContentType"] == "text/libsvm"


def test_train_is_required() -> None:
    with pytest.raises(UserError, match=r"^Missing required channel: train$"):
        validate({"validation": config()})


def test_other_channels_are_extraneous() -> None:
    with pytest.raises(UserError, match=r"^Extraneous channel found: test$"):
        validate({"train": config(), "test": config()})


def test_the_code_channel_takes_python_only() -> None:
    assert "code" in validate({"train": config(), "code": config("text/python")})
    with pytest.raises(UserError, match=r"'code' channel is not supported"):
        validate({"train": config(), "code": config(None)})


def test_a_missing_distribution_fails_as_in_the_container() -> None:
    with pytest.raises(KeyError, match=r"'S3DistributionType'"):
        validate({"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[
            (text, "libsvm")
            for text in (None, "libsvm", "text/libsvm", "text/x-libsvm", "text/libsvm ;charset=utf8")
        ],
        *[(text, "csv") for text in ("csv", "text/csv", "text/csv; label_size=1", "text/csv;label_size = 1")],
        *[(text, "csv") for text in ("text/csv; charset=utf-8", "TEXT/CSV", 'text/csv;label_size="1"')],
        ("application/x-parquet", "parquet"),
        ("application/x-recordio-protobuf", "recordio-protobuf"),
    ],
)
def test_content_types_are_read_leniently(text: str | None, expected: str) -> None:
    assert parse_content_type(text) == expected


@pytest.mark.parametrize("text", ["incorrect_format", "label_size=1; text/csv", "", "application/json"])
def test_unknown_content_types_are_refused_with_the_list(text: str) -> None:
    with pytest.raises(UserError) as error:
        parse_content_type(text)
    assert str(error.value) == (
        f"{text} is not an accepted ContentType: csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, "
        "text/x-libsvm, application/x-parquet, application/x-recordio-protobuf."
    )


@pytest.mark.parametrize(
    "text", ["text/csv; label_size=5", "text/csv; label_size=1=1", "text/csv; label_size=1; label_size=2"]
)
def test_csv_has_one_label(text: str) -> None:
    with pytest.raises(UserError) as error:
        parse_content_type(text)
    assert str(error.value) == (
        f"{text} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
    )
