"""One request on its way through: who calls, what for, and the environ as moto may see it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from corelab.aws.request import Environ
from corelab.store.contract import Caller
from corelab.store.journal import Entry

Answer = tuple[int, dict[str, Any], Iterable[bytes]]

_HOSTS = {"ecr": "api.ecr.{region}.amazonaws.com"}
_DROPPED = ("HTTP_X_MOTO_ACCOUNT_ID", "HTTP_TRANSFER_ENCODING", "HTTP_X_FORWARDED_HOST")


@dataclass(frozen=True, slots=True)
class Call:
    environ: Environ
    service: str
    region: str
    caller: Caller | None  # None for an anonymous request to S3

    @property
    def method(self) -> str:
        method: str = self.environ["REQUEST_METHOD"]
        return method

    @property
    def writer(self) -> str:
        """Who is noted as the author of what this call stores."""
        return self.caller.access_key if self.caller is not None else "anonymous"

    @classmethod
    def replayed(cls, entry: Entry) -> Call:
        """A call as it was once accepted."""
        environ = {
            "REQUEST_METHOD": entry.method,
            "RAW_URI": entry.path,
            "PATH_INFO": entry.path,
            "QUERY_STRING": entry.query,
            "HTTP_USER_AGENT": "",
            "HTTP_AUTHORIZATION": "",
            **entry.headers,
        }
        return cls(environ, entry.service, entry.region, None)


def canonical_environ(call: Call, body: bytes) -> Environ:
    """A copy of the environ with the whole body in memory, and with nothing that could mislead moto.

    moto reads the account, the region and sometimes the bucket from headers any client may set.
    """
    environ = {key: value for key, value in call.environ.items() if key not in _DROPPED}
    if call.service != "s3":
        environ.pop("HTTP_CONTENT_ENCODING", None)  # unpacked already
    host = _HOSTS.get(call.service, f"{call.service}.{{region}}.amazonaws.com").format(region=call.region)
    environ.update(
        {
            "HTTP_HOST": host,
            "SERVER_NAME": host,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
            # Old clients write a region here, and moto would believe it before the signature.
            "HTTP_USER_AGENT": "",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
        }
    )
    return environ
