"""The six AWS services as one WSGI application over one folder: the composition of this package.

signature ─▶ service we serve? ─▶ caller ─▶ service.answer ─▶ bytes
                  │                  │            │
                  └── 404            └── 403      └── errors in the protocol of the request
"""

from __future__ import annotations

import io
import logging
import re
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from moto.utilities.utils import get_partition

from corelab.aws.authorize import Gate
from corelab.aws.call import Answer, Call
from corelab.aws.cloudwatch import CloudWatch
from corelab.aws.ecr import Ecr
from corelab.aws.embedded import ACCOUNT, DEFAULT_REGION, PARTITION
from corelab.aws.errors import error_answer, storage_error
from corelab.aws.iam import Iam
from corelab.aws.identity import LEARNER_KEY, ROOT, Principals
from corelab.aws.learner import LEARNER_REQUESTS
from corelab.aws.logs import LogsService
from corelab.aws.request import Environ, Signature, read_signature
from corelab.aws.s3.service import S3Service
from corelab.aws.sts import Sts
from corelab.errors import AWSError, ServerError
from corelab.store import index, journal, logs, metrics
from corelab.store.blobs import BlobFolder
from corelab.store.contract import Caller
from corelab.store.database import Database
from corelab.store.objects import Objects

log = logging.getLogger(__name__)
_REGION = re.compile("[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")


class _Service(Protocol):
    def answer(self, call: Call) -> Answer: ...


class AwsServices:
    """S3, STS, IAM, CloudWatch Logs and metrics, and ECR over ``folder``. One a process.

    Args:
        folder: where everything is kept; made when absent.

    Attributes:
        objects, logs, metrics: the stores, for the server's own use.
        identity: who is who and may do what.
        gate: lets calls through, or not.
    """

    _open: AwsServices | None = None

    def __init__(self, folder: Path) -> None:
        if AwsServices._open is not None:
            raise ServerError("expected one set of AWS services in this process, found another one open")
        folder.mkdir(parents=True, exist_ok=True)
        self._databases: list[Database] = []
        objects_db = self._database(folder / "objects.db", index.SCHEMA, survives_power_loss=True)
        records_db = self._database(folder / "records.db", journal.SCHEMA, survives_power_loss=True)
        watch_db = self._database(
            folder / "watch.db", logs.SCHEMA + metrics.SCHEMA, survives_power_loss=False
        )
        self._blobs = BlobFolder(folder / "blobs")
        self._index = index.ObjectIndex(objects_db, self._blobs)
        # Before the first request, so that no body is on its way to its row.
        self._blobs.sweep(self._index.blob_ids())
        self._journal = journal.Journal(records_db)
        self.objects = Objects(self._index)
        self.logs = logs.Logs(watch_db)
        self.metrics = metrics.Metrics(watch_db)
        self._compose()
        AwsServices._open = self

    def wsgi(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """One request, from whatever WSGI server or bridge; RAW_URI must hold its path as it was sent."""
        request = secrets.token_hex(8).upper()
        status, headers, body = self._answer(environ, request)
        if "x-amzn-requestid" not in headers:
            headers["x-amz-request-id"] = request
        start_response(f"{status} -", [(name, str(value)) for name, value in headers.items()])
        return [] if status in (204, 304) else body

    def alarm_state(self, region: str, name: str) -> str | None:
        """An alarm's state as of now, None when there is no such alarm."""
        return self._cloudwatch.alarm_state(region, name)

    def close(self) -> None:
        """Close the files; requests still running fail."""
        AwsServices._open = None
        self._s3.close()
        for database in self._databases:
            database.close()

    def _compose(self) -> None:
        # Identity needs IAM and bucket policies, and both need the gate: hence the late lookups.
        self.identity = Principals(
            self._journal, lambda: self._iam.backend, lambda name: self._s3.policy(name)
        )
        self.gate = gate = Gate(self.identity)
        self._s3 = S3Service(self._index, self._journal, gate)
        self._iam = Iam(self._journal, self._blobs, self.identity, gate)
        self._cloudwatch = CloudWatch(self.metrics, self._journal, self._blobs, gate)
        self._services: dict[str, _Service] = {
            "s3": self._s3,
            "iam": self._iam,
            "sts": Sts(self.identity, self._journal, self._blobs, gate),
            "logs": LogsService(self.logs, self._blobs, gate),
            "monitoring": self._cloudwatch,
            "ecr": Ecr(self._journal, self._blobs, gate),
        }
        if not self._iam.has_learner():
            self._make_learner()

    def _answer(self, environ: Environ, request: str) -> Answer:
        service = "s3"  # whose errors an unreadable signature is answered in
        try:
            signature = read_signature(environ)
            service = signature.service
            return self._dispatch(environ, signature)
        except AWSError as error:
            refusal = error
        except ConnectionError as error:
            refusal = AWSError("IncompleteBody", str(error))
        # After ConnectionError, which is an OSError too.
        except (OSError, sqlite3.Error) as error:
            log.exception("the disk failed a request to %s", service)
            refusal = storage_error(error)
        except Exception:
            log.exception("a request to %s failed", service)
            refusal = AWSError("InternalError", "We encountered an internal error. Please try again.", 500)
        return error_answer(refusal, service, environ.get("CONTENT_TYPE", ""), request)

    def _dispatch(self, environ: Environ, signature: Signature) -> Answer:
        service = self._services.get(signature.service)
        if service is None:
            text = f"There is no service '{signature.service}' here."
            raise AWSError("UnknownEndpoint", text, 404)
        if not _REGION.fullmatch(signature.region) or get_partition(signature.region) != PARTITION:
            text = f"The authorization header is malformed; the region '{signature.region}' is wrong."
            raise AWSError("AuthorizationHeaderMalformed", text, 400, {"Region": DEFAULT_REGION})
        caller = self._caller(signature)
        return service.answer(Call(environ, signature.service, signature.region, caller))

    def _caller(self, signature: Signature) -> Caller | None:
        if signature.access_key is None:
            return None
        caller = self.identity.caller(signature.access_key)
        if caller is not None:
            return caller
        if signature.service == "s3":
            text = "The AWS Access Key Id you provided does not exist in our records."
            raise AWSError("InvalidAccessKeyId", text, 403, {"AWSAccessKeyId": signature.access_key})
        code = (
            "UnrecognizedClientException" if signature.service in ("logs", "ecr") else "InvalidClientTokenId"
        )
        text = "The security token included in the request is invalid."
        raise AWSError(code, text, 400 if code.endswith("Exception") else 403)

    def _make_learner(self) -> None:
        """Make the course's role by the same requests anybody would use, so that they are journalled."""
        root = Caller(ACCOUNT, ROOT, LEARNER_KEY)
        for parameters in LEARNER_REQUESTS:
            body = urlencode({**parameters, "Version": "2010-05-08"}).encode()
            environ = {
                "REQUEST_METHOD": "POST",
                "RAW_URI": "/",
                "PATH_INFO": "/",
                "QUERY_STRING": "",
                "CONTENT_TYPE": "application/x-www-form-urlencoded",
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": io.BytesIO(body),
            }
            status, _, answer = self._iam.answer(Call(environ, "iam", DEFAULT_REGION, root))
            if status >= 300:
                raise ServerError(f"the course's role could not be made: {b''.join(answer)!r}")

    def _database(self, path: Path, schema: str, *, survives_power_loss: bool) -> Database:
        database = Database(path, schema, survives_power_loss=survives_power_loss)
        self._databases.append(database)
        return database
