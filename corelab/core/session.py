"""``CoreLabSession``: the session, role, paths and names of one experiment in one object."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from corelab.core import roles
from corelab.core.names import Names, folder_key, slug
from corelab.errors import BadArgument

if TYPE_CHECKING:
    from rich.table import Table


class CoreLabSession:
    """One experiment's handles, paths and names; works the same on the local SageMaker and on AWS.

    Nothing is asked of the cloud before an attribute needs it. All names and paths share one timestamp, the
    moment of construction; ``update_timestamp()`` starts a new run.

    Args:
        framework: the algorithm's name, as ``image_uris.retrieve`` knows it, such as ``"xgboost"``.
        project_name: whose experiment; becomes part of every name (the rule is in ``corelab.core.names``).
        default_folder: the folder in the bucket under which every run gets its own.
        create_run_folder: write an empty object at ``base_s3_uri``, so that the S3 console shows the folder.
        role: the execution role's ARN; by default the identity's own role.
        bucket: the bucket to use; by default the session's ``default_bucket()``.
        core_session: a sagemaker-core ``Session`` of yours; by default a new one.

    Raises:
        BadArgument: for a name or folder that cannot be used; says what is expected.
    """

    def __init__(
        self,
        framework: str,
        project_name: str,
        default_folder: str = "corelab",
        create_run_folder: bool = False,
        *,
        role: str | None = None,
        bucket: str | None = None,
        core_session: Any = None,
    ) -> None:
        self.framework = framework
        self.project_name = project_name
        self.default_folder = folder_key(default_folder)
        self.create_run_folder = create_run_folder
        self._names = Names(
            slug(project_name, "project_name"), slug(framework, "framework"), datetime.now(UTC)
        )
        if role is not None:
            self.role = roles.checked(role)
        if bucket is not None:
            self.bucket = bucket
        if core_session is not None:
            self.core_session = core_session
        self._mark_run_folder()

    @cached_property
    def core_session(self) -> Any:
        """The sagemaker-core ``Session``."""
        from sagemaker_core.helper.session_helper import Session

        return Session()

    @cached_property
    def role(self) -> str:
        """The execution role's ARN.

        Raises:
            AccountError: when the identity is no role and no other role fits; says what to pass.
        """
        return roles.execution_role(self.core_session)

    @cached_property
    def region(self) -> str:
        return cast(str, self.core_session.boto_region_name)

    @cached_property
    def bucket(self) -> str:
        """``sagemaker-<region>-<account>``, made on first use."""
        return cast(str, self.core_session.default_bucket())

    @property
    def timestamp(self) -> str:
        """``2026-11-22T09-30-00``, UTC, in every path and dated name of this run."""
        return self._names.timestamp

    @property
    def base_s3_uri(self) -> str:
        """``s3://bucket/default_folder/timestamp/``"""
        return f"s3://{self.bucket}/{self._run_key}"

    @property
    def jobs_output_s3_uri(self) -> str:
        """``s3://bucket/default_folder/timestamp/jobs/``"""
        return f"{self.base_s3_uri}jobs/"

    @property
    def transform_output_s3_uri(self) -> str:
        """``s3://bucket/default_folder/timestamp/transform_output/``"""
        return f"{self.base_s3_uri}transform_output/"

    @property
    def training_job_name(self) -> str:
        """``project-framework-timestamp``, at most 63 characters."""
        return self._names.training_job

    @property
    def tuning_job_name(self) -> str:
        """``project-framework-tune-yymmddHHMMSS``, at most 32 characters: AWS refuses longer ones."""
        return self._names.tuning_job

    @property
    def transform_job_name(self) -> str:
        """``project-framework-transform-timestamp``"""
        return self._names.transform_job

    @property
    def processing_job_name(self) -> str:
        """``project-framework-processing-timestamp``"""
        return self._names.processing_job

    @property
    def model_name(self) -> str:
        """``project-framework``, the same in every run: describe it first, then reuse or replace it."""
        return self._names.model

    @property
    def endpoint_name(self) -> str:
        """``project-framework-endpoint``, the same in every run."""
        return self._names.endpoint

    @property
    def endpoint_config_name(self) -> str:
        """``project-framework-endpoint-config``, the same in every run."""
        return self._names.endpoint_config

    @property
    def serverless_endpoint_name(self) -> str:
        """``project-framework-serverless-endpoint``, the same in every run."""
        return self._names.serverless_endpoint

    @property
    def serverless_endpoint_config_name(self) -> str:
        """``project-framework-serverless-endpoint-config``, the same in every run."""
        return self._names.serverless_endpoint_config

    def retrieve_image(self, version: str) -> str:
        """The framework's container image for this region, such as ``retrieve_image("1.7-1")``.

        Raises:
            BadArgument: for a framework or version that the SageMaker SDK does not know.
        """
        from sagemaker import image_uris

        try:
            return cast(str, image_uris.retrieve(self.framework, self.region, version))
        except ValueError as problem:
            raise BadArgument(f"No image for {self.framework!r} {version!r}: {problem}") from problem

    def get_sagemaker_session(self) -> Any:
        """A SageMaker SDK 2 ``Session`` on the same credentials, region and bucket."""
        from sagemaker.session import Session

        return Session(boto_session=self.core_session.boto_session, default_bucket=self.bucket)

    def upload_file(self, path: str | os.PathLike[str], folder: str = "") -> str:
        """Upload one file below ``base_s3_uri`` and return its S3 URI.

        Args:
            path: the file.
            folder: a folder below ``base_s3_uri``, such as ``"train"``. Give each channel one of its own: an
                S3 prefix takes in every object that starts with it.
        """
        file = Path(path)
        if not file.is_file():
            raise BadArgument(
                f"upload_file needs a file, and {file} is {'a folder' if file.is_dir() else 'not there'}."
            )
        prefix = self._run_key + (f"{folder_key(folder)}/" if folder else "")
        return cast(
            str, self.core_session.upload_data(str(file), bucket=self.bucket, key_prefix=prefix.rstrip("/"))
        )

    def update_timestamp(self) -> str:
        """Begin a new run with new paths and dated names, never those of the last; returns the timestamp."""
        moment = max(datetime.now(UTC), self._names.moment + timedelta(seconds=1))
        self._names = Names(self._names.project, self._names.framework, moment)
        self._mark_run_folder()
        return self.timestamp

    @property
    def _run_key(self) -> str:
        return f"{self.default_folder}/{self.timestamp}/"

    def _mark_run_folder(self) -> None:
        if self.create_run_folder:
            s3 = self.core_session.boto_session.client("s3", region_name=self.region)
            s3.put_object(Bucket=self.bucket, Key=self._run_key, Body=b"")

    def _facts(self) -> Iterator[tuple[str, str]]:
        """Attribute and value, without asking the cloud for what is not known yet."""
        yield "project_name", self.project_name
        yield "framework", self.framework
        for name in ("region", "role"):
            yield name, self.__dict__.get(name, "not asked yet")
        bucket = self.__dict__.get("bucket", "<default bucket>")
        yield "base_s3_uri", f"s3://{bucket}/{self._run_key}"
        for name in _NAME_ATTRIBUTES:
            yield name, getattr(self, name)

    def __repr__(self) -> str:
        return (
            f"CoreLabSession(framework={self.framework!r}, project_name={self.project_name!r}, "
            f"default_folder={self.default_folder!r}, timestamp={self.timestamp!r})"
        )

    def __rich__(self) -> Table:
        from rich.markup import escape
        from rich.table import Table

        table = Table("attribute", "value", title="CoreLabSession")
        for name, value in self._facts():
            table.add_row(name, escape(value))
        return table

    def _repr_html_(self) -> str:
        cells = "<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>"
        rows = "".join(cells.format(name, html.escape(value)) for name, value in self._facts())
        return f"<table><caption>CoreLabSession</caption>{rows}</table>"


_NAME_ATTRIBUTES = (
    "training_job_name",
    "tuning_job_name",
    "transform_job_name",
    "processing_job_name",
    "model_name",
    "endpoint_name",
    "endpoint_config_name",
    "serverless_endpoint_name",
    "serverless_endpoint_config_name",
)
