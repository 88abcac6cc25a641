"""The front: the life of a request as one list, and the only place where the parts are put together.

guard ─▶ signature ─▶ caller ─▶ ours?  ─▶ parse, validate, hold, carry out, serialise ─▶ journal
                             └▶ AWS's? ─▶ moto, with our durable stores               ─▶ journal
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from typing import Any

from corelab.aws.app import AwsServices
from corelab.aws.bridge import WsgiBridge
from corelab.engine.local import LocalEngine
from corelab.errors import AWSError
from corelab.home import Home
from corelab.resources.cloud import Cloud
from corelab.resources.journal import Call, Journal
from corelab.resources.quotas import Quotas
from corelab.resources.recovery import end_interrupted_jobs
from corelab.resources.registry import Registry
from corelab.resources.runner import Runner
from corelab.server import guard, naming, signature
from corelab.server.control import Control
from corelab.server.hold import MOST_SECONDS, Holder
from corelab.server.http import Gone, Receive, Scope, Send, body, head, reply
from corelab.store.contract import Caller
from corelab.wire.http import HttpRequest, HttpResponse
from corelab.wire.parse import service_and_operation
from corelab.wire.serialize import error_xml, serialize_error

log = logging.getLogger(__name__)

_AWS = {"s3": "s3", "sts": "sts", "iam": "iam", "logs": "logs", "monitoring": "cloudwatch", "ecr": "ecr"}
_XML = frozenset({"s3", "sts", "iam", "monitoring"})
_OURS = frozenset({"sagemaker", "application-autoscaling"})
_MOTO_THREADS = 8
_LEARNER = Caller("123456789012", "", "")


class Front:
    """The ASGI application of one home."""

    def __init__(self, home: Home, version: str, hold_seconds: float = MOST_SECONDS) -> None:
        self._version = version
        self._aws = AwsServices(home.aws)
        self._moto = WsgiBridge(self._aws.wsgi, _MOTO_THREADS)
        self._journal = Journal(home.path / "journal.db")
        self._cloud = Cloud(
            registry=Registry(home.state_db),
            objects=self._aws.objects,
            logs=self._aws.logs,
            metrics=self._aws.metrics,
            identity=self._aws.identity,
            engine=LocalEngine(),
            runner=Runner(),
            quotas=Quotas.load(home.path / "quotas.toml"),
            jobs_folder=home.jobs,
            region=signature.DEFAULT_REGION,
            caller=_LEARNER,
        )
        self._control = Control(self._cloud, Holder(self._cloud.registry, hold_seconds))

        end_interrupted_jobs(self._cloud.registry, self._cloud.jobs_folder, self._cloud.now())

    def warm(self) -> None:
        """Pay the worker parent's start before the first job does."""
        self._cloud.engine.warm()

    def close(self) -> None:
        self._cloud.runner.close()
        self._cloud.engine.close()
        self._control.close()
        self._journal.close()
        self._aws.close()
        self._cloud.registry.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Exchange(self, scope, receive, send).live()


class Exchange:
    """One request on its way through the list."""

    def __init__(self, front: Front, scope: Scope, receive: Receive, send: Send) -> None:
        self._front, self._scope, self._receive, self._send = front, scope, receive, send
        self._request = head(scope)
        self._id = str(uuid.uuid4())
        self._began, self._clock = time.time(), time.perf_counter()
        self._signature = signature.read(self._request.headers, self._request.query)

    async def live(self) -> None:
        try:
            guard.check(self._request.path, self._request.headers)
            if self._request.path.startswith("/_corelab/"):
                await reply(self._send, self._internal())
            elif self._signature.service in _OURS:
                await self._ours()
            else:
                await self._theirs()
        except Gone:
            return
        except AWSError as error:
            await self._refuse(error)

    def _internal(self) -> HttpResponse:
        if self._request.path == "/_corelab/health":
            return _json({"status": "ok", "pid": os.getpid(), "version": self._front._version})
        return _json({"error": f"no such page: {self._request.path}"}, 404)

    async def _ours(self) -> None:
        operation, caller, code = None, None, ""
        params: dict[str, Any] = {}
        content = await body(self._receive)
        request = HttpRequest(
            self._request.method, self._request.path, self._request.query, self._request.headers, content
        )
        try:
            operation = service_and_operation(request)
            caller = self._caller()
            response, params = await self._front._control.answer(
                operation, request, caller, self._signature.region, self._id
            )
        except AWSError as error:
            response, code = serialize_error(operation, error, self._id), error.code
        await reply(self._send, response)
        service, name = (operation.service, operation.name) if operation else ("sagemaker", "unknown")
        self._note(
            service, name, _subject(params), response.status, code, len(content), len(response.body), caller
        )

    async def _theirs(self) -> None:
        service = self._signature.service or "s3"
        if service not in _AWS:
            raise AWSError(
                "UnknownOperationException", f"The local SageMaker does not serve {service!r}.", 404
            )
        if self._signature.access_key is not None:
            self._caller()
        seen: dict[str, Any] = {"status": 0, "in": 0, "out": 0, "body": b""}

        async def receive() -> Any:
            message = await self._receive()
            content = message.get("body", b"")
            seen["in"] += len(content)
            if service != "s3" and len(seen["body"]) < 1 << 16:
                seen["body"] += content
            return message

        async def send(message: Any) -> None:
            seen["status"] = message.get("status", seen["status"])
            seen["out"] += len(message.get("body", b""))
            await self._send(message)

        await self._front._moto(self._scope, receive, send)
        request = HttpRequest(
            self._request.method, self._request.path, self._request.query, self._request.headers, seen["body"]
        )
        operation, resource = naming.name(service, request)
        code = "" if seen["status"] < 400 else str(seen["status"])
        self._note(_AWS[service], operation, resource, seen["status"], code, seen["in"], seen["out"], None)

    def _caller(self) -> Caller:
        """Who signed. Raises AWS's answers to unsigned requests and unknown keys."""
        key = self._signature.access_key
        if key is None:
            raise AWSError("MissingAuthenticationTokenException", "Missing Authentication Token", 400)
        caller: Caller | None = self._front._aws.identity.caller(key)
        if caller is None and self._signature.service == "s3":
            raise AWSError(
                "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403
            )
        if caller is None:
            raise AWSError(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        return caller

    async def _refuse(self, error: AWSError) -> None:
        if self._signature.service in _XML or not self._signature.service:
            response = error_xml(self._signature.service or "s3", error, self._id)
        else:
            response = serialize_error(None, error, self._id)
        await reply(self._send, response)

    def _note(
        self,
        service: str,
        operation: str,
        resource: str,
        status: int,
        code: str,
        bytes_in: int,
        bytes_out: int,
        caller: Caller | None,
    ) -> None:
        self._front._journal.add(
            Call(
                at=self._began,
                seconds=time.perf_counter() - self._clock,
                service=service,
                operation=operation,
                region=self._signature.region,
                access_key=self._signature.access_key or "",
                caller=caller.arn if caller else "",
                resource=resource,
                status=status,
                error=code,
                bytes_in=bytes_in,
                bytes_out=bytes_out,
                client=self._request.headers.get("user-agent", ""),
            )
        )


def _subject(params: dict[str, Any]) -> str:
    """What a request is about: the first member that names something."""
    return next((v for k, v in params.items() if k.endswith(("Name", "Arn")) and isinstance(v, str)), "")


def _json(content: dict[str, Any], status: int = 200) -> HttpResponse:
    text = json.dumps(content).encode()
    return HttpResponse(
        status, [("content-type", "application/json"), ("content-length", str(len(text)))], text
    )
