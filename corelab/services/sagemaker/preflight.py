"""What SageMaker checks of a request before anything starts: the role, the image, the data, the quotas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from corelab.engine.images import Image, ImageRefused, resolve
from corelab.engine.instances import InstanceType, instance_type
from corelab.errors import AWSError, BadArgument, validation_error
from corelab.resources.cloud import Cloud
from corelab.resources.s3_data import BadSource, S3Uri, items
from corelab.resources.states import Kind
from corelab.store.contract import ObjectNotFound


def check_role(cloud: Cloud, role: str) -> None:
    """Raises AWS's answer to a role that SageMaker cannot assume (service spec 5.1)."""
    if not cloud.identity.can_assume(role):
        raise validation_error(
            f"Could not assume role {role}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )


def check_training_image(cloud: Cloud, uri: str) -> Image:
    """The image's stand-in here. Raises what AWS or, for other people's code, this server says of it."""
    try:
        return resolve(uri, cloud.region)
    except ImageRefused as refusal:
        raise validation_error(str(refusal)) from refusal


def check_channels(cloud: Cloud, role: str, channels: Iterable[Mapping[str, Any]]) -> None:
    """Raises for repeated names, for sources other than S3 and for prefixes with nothing under them."""
    names: set[str] = set()
    for channel in channels:
        name, source = channel["ChannelName"], channel["DataSource"]
        if name in names:
            raise validation_error(f"Channel names must be unique, but '{name}' is used more than once.")
        names.add(name)
        if "S3DataSource" not in source:
            raise validation_error(
                f"The channel '{name}' has a data source that the local SageMaker does not serve: use S3DataSource."
            )
        check_source(cloud, role, source["S3DataSource"]["S3Uri"], source["S3DataSource"]["S3DataType"])


def check_source(cloud: Cloud, role: str, uri: str, data_type: str) -> None:
    """Raises AWS's "No S3 objects found" unless the role can list something there (service spec 5.1)."""
    bucket = uri.partition("://")[2].partition("/")[0]
    try:
        listable = cloud.identity.allows(role, "s3:ListBucket", f"arn:aws:s3:::{bucket}")
        found = listable and any(True for _ in items(cloud.objects, uri, data_type))
    except ObjectNotFound:
        found = False
    except BadSource as error:
        raise validation_error(f"The S3 data source {uri} is not usable: {error}.") from error
    if not found:
        raise validation_error(
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({cloud.region}), that objects exist under that S3 prefix, and that "
            f'the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )


def check_output_path(cloud: Cloud, uri: str) -> None:
    """Raises for an output path that is no S3 URI or names a bucket that is not there."""
    try:
        bucket = S3Uri.parse(uri).bucket
    except BadSource as error:
        raise validation_error(f"The output path is not usable: {error}.") from error
    if cloud.objects.bucket_region(bucket) is None:
        raise validation_error(
            f"S3 bucket '{bucket}' does not exist. Please create it, or give an output path in a bucket that does."
        )


def check_instance_type(name: str) -> InstanceType:
    """Raises for a type of AWS's whose size is not known here."""
    try:
        return instance_type(name)
    except BadArgument as error:
        raise validation_error(
            f"The local SageMaker does not know how large {name} is: choose a type such as ml.m5.large."
        ) from error


def check_training_quota(cloud: Cloud, type_name: str, count: int) -> None:
    """Raises ResourceLimitExceeded; counts the instances of all training jobs that run now."""
    check_instance_type(type_name)
    used = sum(
        r.request["ResourceConfig"].get("InstanceCount", 1)
        for r in cloud.registry.unfinished(Kind.TRAINING_JOB, cloud.region)
        if r.request["ResourceConfig"].get("InstanceType") == type_name
    )
    cloud.quotas.check_instances("training", type_name, used, count)


def resource_in_use(noun: str, arn: str) -> AWSError:
    """The answer to a job name that is taken (service spec 5.1)."""
    return AWSError(
        "ResourceInUse",
        f"{noun.capitalize()} names must be unique within an AWS account and region, "
        f"and a {noun} with this name already exists ({arn})",
    )
