"""moto's S3 answers, told which bucket and key are meant, and mended where they differ from S3's."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any, cast

import xmltodict  # type: ignore[import-untyped]
from moto.core.mime_types import APP_XML
from moto.core.request import Request
from moto.core.responses import ActionResult
from moto.s3 import responses as moto_responses
from moto.s3.exceptions import InvalidArgumentError, MalformedXML
from moto.s3.models import OWNER
from moto.s3.responses import S3Response

from corelab.aws.checksums import checksum_of
from corelab.aws.s3.body import Body
from corelab.aws.s3.pages import list_page
from corelab.aws.s3.unit import current
from corelab.aws.s3.uploads import UploadTable
from corelab.errors import AWSError

DELETE_LIMIT = 1000
Result = tuple[int, dict[str, Any], Any]


class S3Request(Request):
    """moto's request, built from a WSGI environ."""

    from_wsgi_server = True


class S3Answers(S3Response):
    """One request to S3."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__()
        self._bucket = bucket
        self._key = key

    def answer(self, environ: dict[str, Any]) -> Result:
        """What S3 answers: status, headers, and a body of text, bytes or a stored ``Body``."""
        request = S3Request(environ)
        if self._key:
            return self.key_response(request, request.raw_url, dict(request.headers))
        return self.bucket_response(request, request.raw_url, dict(request.headers))

    def parse_bucket_name_from_url(self, request: Any, url: str) -> str:
        return self._bucket

    def parse_key_name(self) -> str:
        return self._key

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        return headers, body  # S3 names a request in a header of its own, which the application adds

    def list_objects_v2(self) -> Any:
        self.backend.get_bucket(self.bucket_name)
        return 200, {"content-type": APP_XML}, list_page(current().index, self.bucket_name, self.querystring)

    def list_multipart_uploads(self) -> Any:
        prefix = self.querystring.get("prefix", [""])[0]
        uploads = [
            {
                "Key": upload.key_name,
                "UploadId": upload.id,
                "Initiator": {"ID": OWNER, "DisplayName": "webfile"},
                "Owner": {"ID": OWNER, "DisplayName": "webfile"},
                "StorageClass": upload.storage or "STANDARD",
                "Initiated": datetime.fromtimestamp(upload.started, UTC),
                "ChecksumAlgorithm": upload.metadata.get("x-amz-checksum-algorithm"),
                "ChecksumType": upload.metadata.get("x-amz-checksum-type"),
            }
            for upload in cast(UploadTable, self.backend.list_multipart_uploads(self.bucket_name)).values()
            if upload.key_name.startswith(prefix)
        ]
        self.data["Action"] = "ListMultipartUploads"
        result = {"Bucket": self.bucket_name, "Prefix": prefix, "MaxUploads": 1000, "IsTruncated": False}
        return self.serialized(ActionResult({**result, "Uploads": uploads}))

    def _bucket_response_delete_keys(self, bucket_name: str, authenticated: bool = True) -> Any:
        document = xmltodict.parse(self.body, force_list={"Object": True})["Delete"] or {}
        if not 0 < len(document.get("Object", [])) <= DELETE_LIMIT:
            raise MalformedXML
        current().quiet = str(document.get("Quiet", "")).lower() == "true"
        return super()._bucket_response_delete_keys(bucket_name, authenticated)

    def _bucket_response_post(self, request: Any, bucket_name: str) -> Any:
        self.path = self._get_path(request)
        if not self.is_delete_keys():
            self._check_form()
        return super()._bucket_response_post(request, bucket_name)

    def _check_form(self) -> None:
        """Source: S3 API reference, POST Object."""
        if "key" not in self.querystring or "file" not in self.normalized_request.files:
            text = "Bucket POST must contain a field named 'key' and a file."
            raise InvalidArgumentError(text, name="key", value="")
        form = {name.lower(): value for name, value in self.form_data.items()}
        access_key = form.get("awsaccesskeyid") or form.get("x-amz-credential", "").partition("/")[0]
        current().check_form(access_key or None, self.querystring["key"][0])
        if "policy" in self.form_data:
            try:
                policy = json.loads(base64.b64decode(self.form_data["policy"]))
                end = datetime.fromisoformat(policy["expiration"])
            except (binascii.Error, ValueError, KeyError, TypeError):
                raise AWSError("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.") from None
            if end < datetime.now(UTC):
                raise AWSError("AccessDenied", "Invalid according to Policy: Policy expired.", 403)


def _checksum(body: Body | bytes, algorithm: str, encode_base64: bool = True) -> bytes:
    """moto's helper, for bodies that are not in memory."""
    text = checksum_of(body.open() if isinstance(body, Body) else [body], algorithm.upper()).encode()
    return text if encode_base64 else base64.b64decode(text)


# The same results as moto's own for what it knows, so nobody else in the process can mind.
moto_responses.compute_checksum = _checksum  # type: ignore[attr-defined]
