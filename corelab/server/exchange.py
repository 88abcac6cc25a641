"""One request on its way: who asks for what, who answers, what the journal keeps of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from corelab.aws.actions import Permission, needed
from corelab.aws.authorize import NEEDS
from corelab.console import site
from corelab.errors import AWSError
from corelab.resources.journal import Call
from corelab.server import guard, naming, runtime, signature
from corelab.server.http import Gone, Receive, Scope, Send, body, head, reply
from corelab.store.contract import Caller
from corelab.wire.http import HttpResponse
from corelab.wire.model import Operation
from corelab.wire.parse import service_and_operation
from corelab.wire.serialize import error_xml, serialize_error

if TYPE_CHECKING:
    from corelab.server.app import Front

_AWS = {"s3": "s3", "sts": "sts", "iam": "iam", "logs": "logs", "monitoring": "cloudwatch", "ecr": "ecr"}
_XML = frozenset({"", "s3", "sts", "iam", "monitoring"})
_OURS = frozenset({"sagemaker", "application-autoscaling", "servicequotas"})
_ERROR_CODE = re.compile(rb'<Code>([A-Za-z0-9.]+)</Code>|"__type":\s*"(?:[^"]*#)?([A-Za-z]+)"')


class Exchange:
    """A request and its answer."""

    def __init__(self, front: Front, scope: Scope, receive: Receive, send: Send) -> None:
        self._front, self._scope, self._receive, self._send = front, scope, receive, send
        self._request = head(scope)
        self._id = str(uuid.uuid4())
        self._began, self._clock = time.time(), time.perf_counter()
        self._signature = signature.read(self._request.headers, self._request.query)
        self._subject, self._needs = "", list[Permission]()

    async def live(self) -> None:
        try:
            guard.check(self._request.path, self._request.headers)
            if self._request.path.startswith("/_corelab/"):
                await reply(self._send, await self._internal())
            elif self._signature.service not in _OURS:
                await self._theirs()
            elif (match := runtime.PATH.fullmatch(self._request.path)) is not None:
                await self._invoke(match[1], match[2])
            else:
                await self._ours()
        except Gone:
            return
        except AWSError as error:
            await self._refuse(error)

    async def _internal(self) -> HttpResponse:
        path, console = self._request.path, self._front.console
        if path == "/_corelab/health":
            return _json({"status": "ok", "pid": os.getpid(), "version": self._front.version})
        if path == "/_corelab/bill":
            return await asyncio.to_thread(console.bill)
        if path == site.PREFIX or path.startswith(f"{site.PREFIX}/"):
            return await asyncio.to_thread(console.answer, self._request.method, path, self._request.query)
        return _json({"error": f"no such page: {path}"}, 404)

    async def _ours(self) -> None:
        operation, caller, code = None, None, ""
        content = await body(self._receive)
        request = self._request.with_body(content)
        try:
            operation = service_and_operation(request)
            caller = self._caller()
            response = await self._front.control.answer(
                operation, request, caller, self._signature.region, self._id, self._permit
            )
        except AWSError as error:
            response, code = serialize_error(operation, error, self._id), error.code
        await reply(self._send, response)
        service, name = (operation.service, operation.name) if operation else ("sagemaker", "unknown")
        self._note(service, name, self._subject, response, code, len(content), caller)

    def _permit(self, operation: Operation, caller: Caller, params: dict[str, Any]) -> None:
        """Remember what is asked for, and refuse it to those who may not."""
        self._subject = subject(params)
        self._needs += needed(operation.service, self._signature.region, operation.name, params)
        self._front.aws.gate.check_ours(caller, self._needs, operation.service)

    async def _invoke(self, endpoint: str, action: str) -> None:
        caller, code, content = None, "", b""
        try:
            content = await body(self._receive, runtime.MOST_BYTES)
            caller = self._caller()
            self._needs += needed(
                "sagemaker-runtime", self._signature.region, "InvokeEndpoint", {"EndpointName": endpoint}
            )
            self._front.aws.gate.check_ours(caller, self._needs, "sagemaker-runtime")
            target = runtime.Target(caller.account, self._signature.region, endpoint)
            variant, answer = await runtime.invoke(
                self._front.fleet, target, action, self._request.headers, content
            )
            response = _invoked(variant, answer.response.content_type, answer.response.body, self._id)
        except AWSError as error:
            response, code = _invocation_failed(error, self._id), error.code
        await reply(self._send, response)
        self._note("sagemaker-runtime", "InvokeEndpoint", endpoint, response, code, len(content), caller)

    async def _theirs(self) -> None:
        service = self._signature.service or "s3"
        if service not in _AWS:
            raise AWSError(
                "UnknownOperationException", f"The local SageMaker does not serve {service!r}.", 404
            )
        if service == "monitoring":
            self._front.fleet.meter.flush()
        seen = _Seen(self._receive, self._send, keep_request=service != "s3")
        self._scope["corelab.environ"] = {NEEDS: self._needs}
        await self._front.moto(self._scope, seen.receive, seen.send)
        operation, resource = naming.name(service, self._request.with_body(bytes(seen.request)))
        response = HttpResponse(seen.status, [], b"")
        caller = self._front.aws.identity.caller(self._signature.access_key)
        self._note(
            _AWS[service], operation, resource, response, seen.code, seen.bytes_in, caller, seen.bytes_out
        )

    def _caller(self) -> Caller:
        """Who signed. Raises AWS's answers to unsigned requests and unknown keys (service spec 5.1)."""
        if self._signature.access_key is None:
            raise AWSError("MissingAuthenticationTokenException", "Missing Authentication Token")
        caller = self._front.aws.identity.caller(self._signature.access_key)
        if caller is None:
            raise AWSError(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        return caller

    async def _refuse(self, error: AWSError) -> None:
        if self._signature.service in _XML:
            response = error_xml(self._signature.service or "s3", error, self._id)
        else:
            response = serialize_error(None, error, self._id)
        await reply(self._send, response)

    def _note(
        self,
        service: str,
        operation: str,
        resource: str,
        response: HttpResponse,
        code: str,
        bytes_in: int,
        caller: Caller | None,
        bytes_out: int | None = None,
    ) -> None:
        self._front.journal.add(
            Call(
                at=self._began,
                seconds=time.perf_counter() - self._clock,
                service=service,
                operation=operation,
                region=self._signature.region,
                access_key=self._signature.access_key or "",
                caller=caller.arn if caller else "",
                resource=resource,
                status=response.status,
                error=code,
                bytes_in=bytes_in,
                bytes_out=len(response.body) if bytes_out is None else bytes_out,
                client=self._request.headers.get("user-agent", ""),
                detail=self._detail(service),
            )
        )

    def _detail(self, service: str) -> dict[str, Any]:
        detail: dict[str, Any] = {"needs": self._needs} if self._needs else {}
        if service == "sagemaker-runtime":
            detail["content_type"] = self._request.headers.get("content-type", "")
        return detail


class _Seen:
    """Watches what passes between a client and moto, without holding it."""

    _KEPT = 1 << 16

    def __init__(self, receive: Receive, send: Send, keep_request: bool) -> None:
        self._receive, self._send, self._keep_request = receive, send, keep_request
        self.request, self.status, self.bytes_in, self.bytes_out, self.code = bytearray(), 0, 0, 0, ""

    async def receive(self) -> Any:
        message = await self._receive()
        content = message.get("body", b"")
        self.bytes_in += len(content)
        if self._keep_request and len(self.request) < self._KEPT:
            self.request += content
        return message

    async def send(self, message: Any) -> None:
        content = message.get("body", b"")
        self.status = message.get("status", self.status)
        self.bytes_out += len(content)
        if self.status >= 400 and not self.code:
            found = _ERROR_CODE.search(content)
            self.code = (found[1] or found[2]).decode() if found else str(self.status)
        await self._send(message)


def subject(params: dict[str, Any]) -> str:
    """What a request is about: the first member that names something."""
    return next((v for k, v in params.items() if k.endswith(("Name", "Arn")) and isinstance(v, str)), "")


def _invoked(variant: str, content_type: str, content: bytes, request_id: str) -> HttpResponse:
    headers = [
        ("content-type", content_type),
        ("content-length", str(len(content))),
        ("x-amzn-invoked-production-variant", variant),
        ("x-amzn-requestid", request_id),
    ]
    return HttpResponse(200, headers, content)


def _invocation_failed(error: AWSError, request_id: str) -> HttpResponse:
    content = runtime.error_body(error)
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(content))),
        ("x-amzn-errortype", error.code),
        ("x-amzn-requestid", request_id),
    ]
    return HttpResponse(error.status, headers, content)


def _json(content: dict[str, Any], status: int = 200) -> HttpResponse:
    text = json.dumps(content).encode()
    return HttpResponse(
        status, [("content-type", "application/json"), ("content-length", str(len(text)))], text
    )
