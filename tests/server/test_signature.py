"""A request's key, region and service are read from every form of signature boto3 makes."""

from __future__ import annotations

from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from corelab.server.signature import Signature, read

KEY = "AKIALOCALSAGEMAKER00"


def client(service: str, **config: object):
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id=KEY,
        aws_secret_access_key="s",
        config=Config(**config),
    )


class AboutToSendError(Exception):
    """Carries a request that was about to be sent."""


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "scope"),
    [
        ("sagemaker", "list_models", {}, "sagemaker"),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1"}, "sagemaker"),
        ("s3", "list_buckets", {}, "s3"),
        ("cloudwatch", "list_metrics", {}, "monitoring"),
        ("logs", "describe_log_groups", {}, "logs"),
        ("sts", "get_caller_identity", {}, "sts"),
    ],
)
def test_a_signed_header_names_its_service(
    service: str, operation: str, parameters: dict, scope: str
) -> None:
    def stop(request, **_):
        raise AboutToSendError(request)

    made = client(service)
    made.meta.events.register("before-send", stop)
    with pytest.raises(AboutToSendError) as sent:
        getattr(made, operation)(**parameters)
    headers = {
        k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in sent.value.args[0].headers.items()
    }
    assert read(headers, "") == Signature(KEY, "eu-west-1", scope)


@pytest.mark.parametrize("version", ["s3v4", None])
def test_a_presigned_url_belongs_to_s3(version: str | None) -> None:
    url = client("s3", signature_version=version).generate_presigned_url(
        "get_object", Params={"Bucket": "b", "Key": "k"}
    )
    signature = read({}, urlsplit(url).query)
    assert (signature.access_key, signature.service) == (KEY, "s3")


@pytest.mark.parametrize(
    "header", ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b", "AWS4-HMAC-SHA256 " + "x" * 5000]
)
def test_anything_else_is_anonymous(header: str) -> None:
    assert read({"authorization": header}, "a=b&X-Amz-Credential=nonsense") in (
        Signature(None, "us-east-1", ""),
        Signature(None, "us-east-1", "s3"),
    )
