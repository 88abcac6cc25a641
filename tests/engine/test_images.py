from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from corelab.engine.images import Image, ImageRefused, Reason, resolve

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
OLD_REGISTRY = "811284229777.dkr.ecr.us-east-1.amazonaws.com"


def published() -> list[tuple[str, str, str, str]]:
    """Region, account, repository and version of each image that the installed SageMaker SDK knows."""
    spec = find_spec("sagemaker")
    assert spec is not None and spec.origin is not None
    config = json.loads(Path(spec.origin).with_name("image_uri_config").joinpath("xgboost.json").read_text())
    return [
        (region, account, version["repository"], name)
        for scope in ("training", "inference")
        for name, version in config[scope]["versions"].items()
        for region, account in version["registries"].items()
    ]


def test_every_image_the_sdk_knows_is_the_builtin_algorithm() -> None:
    for region, account, repository, version in published():
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        image = resolve(f"{account}.dkr.ecr.{region}.{domain}/{repository}:{version}", region)
        assert (image.version, image.region, image.repository) == (version, region, repository)


def test_the_reference_image_needs_no_note() -> None:
    assert resolve(f"{REGISTRY}/sagemaker-xgboost:1.7-1") == Image(
        f"{REGISTRY}/sagemaker-xgboost:1.7-1", "sagemaker-xgboost", "1.7-1", "us-east-1", (), "binary"
    )


@pytest.mark.parametrize(
    "version", ["3.0-5", "1.5-1", "1.3-1", "1.2-2", "1.2-1", "1.0-1", "0.90-2", "0.90-1"]
)
def test_a_stand_in_says_which_xgboost_the_real_image_holds(version: str) -> None:
    notes = resolve(f"{REGISTRY}/sagemaker-xgboost:{version}").notes
    assert f"Image {version} holds XGBoost" in notes[0]
    assert "1.7.6" in notes[0]


def test_image_3_stores_ubjson() -> None:
    assert resolve(f"{REGISTRY}/sagemaker-xgboost:3.0-5").model_format == "ubj"


@pytest.mark.parametrize("tag", [":1", ":latest", ""])
def test_the_old_image_has_three_names(tag: str) -> None:
    assert resolve(f"{OLD_REGISTRY}/xgboost{tag}").version == "1"


@pytest.mark.parametrize("tag", ["1.0-1-cpu-py3", "0.90-2-cpu-py3", "1.3-1-arm64"])
def test_processor_and_python_in_a_tag_do_not_matter(tag: str) -> None:
    assert resolve(f"{REGISTRY}/sagemaker-xgboost:{tag}").version == "-".join(tag.split("-")[:2])


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("python:3.11", Reason.NOT_ECR),
        ("public.ecr.aws/docker/library/python:3", Reason.NOT_ECR),
        ("", Reason.NOT_ECR),
        (f"{REGISTRY}/../sagemaker-xgboost:1.7-1", Reason.NOT_ECR),
        (f"{REGISTRY}/sagemaker-xgboost:1.7-1\n", Reason.NOT_ECR),
        ("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1", Reason.WRONG_REGION),
        ("246618743249.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", Reason.UNKNOWN_REPOSITORY),
        (f"{OLD_REGISTRY}/sagemaker-xgboost:1.7-1", Reason.UNKNOWN_REPOSITORY),
        (f"{REGISTRY}/sagemaker-xgbost:1.7-1", Reason.UNKNOWN_REPOSITORY),
        (f"{REGISTRY}/sagemaker-xgboost:1.8-1", Reason.UNKNOWN_TAG),
        (f"{REGISTRY}/sagemaker-xgboost", Reason.UNKNOWN_TAG),
        (f"{REGISTRY}/sagemaker-xgboost@sha256:{'0' * 64}", Reason.UNKNOWN_TAG),
        (f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3", Reason.UNSUPPORTED),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/my-own:latest", Reason.UNSUPPORTED),
    ],
)
def test_other_images_are_refused_with_a_reason(uri: str, reason: Reason) -> None:
    with pytest.raises(ImageRefused) as refused:
        resolve(uri, "us-east-1")
    assert refused.value.reason is reason


def test_a_public_image_is_refused_in_the_words_of_aws() -> None:
    with pytest.raises(
        ImageRefused, match=r'Using non-ECR image "python:3.11" without Vpc repository access mode'
    ):
        resolve("python:3.11")


def test_a_refusal_of_what_only_aws_can_run_names_what_runs_here() -> None:
    with pytest.raises(ImageRefused, match=r"image_uris\.retrieve\('xgboost', region, '1\.7-1'\)"):
        resolve("123456789012.dkr.ecr.us-east-1.amazonaws.com/my-own:latest")


def test_a_wrong_account_is_told_the_right_one() -> None:
    with pytest.raises(ImageRefused, match=r"The registry of that region is 683313688378"):
        resolve("246618743249.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
