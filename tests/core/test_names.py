"""Every name is legal on AWS, whatever the project is called."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.core.names import Names, folder_key, slug
from corelab.errors import BadArgument

MODEL = botocore.session.get_session().get_service_model("sagemaker")
SHAPES = {
    "training_job": "TrainingJobName",
    "tuning_job": "HyperParameterTuningJobName",
    "transform_job": "TransformJobName",
    "processing_job": "ProcessingJobName",
    "model": "ModelName",
    "endpoint": "EndpointName",
    "endpoint_config": "EndpointConfigName",
    "serverless_endpoint": "EndpointName",
    "serverless_endpoint_config": "EndpointConfigName",
}
LASTING = ("model", "endpoint", "endpoint_config", "serverless_endpoint", "serverless_endpoint_config")
MOMENT = datetime(2026, 11, 22, 9, 30, 5, tzinfo=UTC)

texts = st.text(max_size=200).filter(lambda text: any(character.isalnum() for character in text))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))


def legal(name: str, shape_name: str) -> bool:
    limits: Any = MODEL.shape_for(shape_name).metadata
    return len(name) <= limits["max"] and re.fullmatch(limits["pattern"], name) is not None


@given(texts, texts, moments)
def test_every_name_fits_the_service_model(project: str, framework: str, moment: datetime) -> None:
    names = Names(slug(project), slug(framework), moment)
    for attribute, shape_name in SHAPES.items():
        name = getattr(names, attribute)
        assert legal(name, shape_name), (attribute, name)


@given(texts)
def test_a_slug_of_a_slug_is_itself(text: str) -> None:
    assert slug(slug(text)) == slug(text)


@given(texts, texts)
def test_projects_that_differ_never_share_a_lasting_name(one: str, other: str) -> None:
    first, second = (Names(slug(text), "xgboost", MOMENT) for text in (one, other))
    if slug(one) != slug(other):
        assert not [name for name in LASTING if getattr(first, name) == getattr(second, name)]


def test_long_projects_with_one_beginning_get_endpoints_of_their_own() -> None:
    first, second = (Names(slug("a" * 80 + end), "xgboost", MOMENT) for end in ("first", "second"))
    assert first.endpoint != second.endpoint
    assert first.endpoint == Names(slug("a" * 80 + "first"), "xgboost", MOMENT).endpoint


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("training_job", "your-name-essentials-xgboost-2026-11-22T09-30-05"),
        ("tuning_job", "your-n-xgboost-tune-261122093005"),
        ("transform_job", "your-name-essentials-xgboost-transform-2026-11-22T09-30-05"),
        ("processing_job", "your-name-essentials-xgboost-processing-2026-11-22T09-30-05"),
        ("model", "your-name-essentials-xgboost"),
        ("endpoint", "your-name-essentials-xgboost-endpoint"),
        ("endpoint_config", "your-name-essentials-xgboost-endpoint-config"),
        ("serverless_endpoint", "your-name-essentials-xgboost-serverless-endpoint"),
        ("serverless_endpoint_config", "your-name-essentials-xgboost-serverless-endpoint-config"),
    ],
)
def test_the_guide_s_own_example_is_named_as_the_guide_says(attribute: str, expected: str) -> None:
    assert getattr(Names(slug("your-name-essentials"), "xgboost", MOMENT), attribute) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Lovelace", "ada-lovelace"),
        ("my_project__v2", "my-project-v2"),
        ("--Émile Müller--", "emile-muller"),
        ("Straße", "strasse"),
        ("客户流失", "p67c556b5"),
        ("x²", "x2"),
        ("a\ud800", "a"),
    ],
)
def test_a_slug_keeps_what_can_be_kept(text: str, expected: str) -> None:
    assert slug(text) == expected


@pytest.mark.parametrize("text", ["", "   ", "---", "\u200b", "🙂", None, 7])
def test_a_name_without_letters_is_refused_with_an_example(text: Any) -> None:
    with pytest.raises(
        BadArgument, match="project_name must hold a letter or a digit, such as 'ada-essentials'"
    ):
        slug(text, "project_name")


@pytest.mark.parametrize(
    ("text", "key"), [("essentials", "essentials"), ("/a/b c/", "a/b c"), ("ünï", "ünï")]
)
def test_a_folder_loses_the_slashes_at_its_ends(text: str, key: str) -> None:
    assert folder_key(text) == key


@pytest.mark.parametrize(
    "text", ["", "/", "a//b", "..", "a/../b", "./a", "a\nb", "a?b", "a\\b", "é" * 200, "\ud800", None]
)
def test_a_folder_that_could_lead_elsewhere_is_refused(text: Any) -> None:
    with pytest.raises(BadArgument, match="A folder is letters"):
        folder_key(text)
