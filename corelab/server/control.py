"""Our own operations: from a whole request to a whole answer."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType
from typing import Any

from corelab.errors import AWSError
from corelab.resources.cloud import Cloud
from corelab.server.hold import Holder
from corelab.services.autoscaling import scaling
from corelab.services.quotas import service_quotas
from corelab.services.sagemaker import (
    endpoint_configs,
    endpoints,
    models,
    search,
    tags,
    training,
    transform,
    tuning,
)
from corelab.store.contract import Caller
from corelab.wire.dispatch import find
from corelab.wire.http import HttpRequest, HttpResponse
from corelab.wire.model import Operation
from corelab.wire.parse import parse
from corelab.wire.serialize import serialize
from corelab.wire.validate import validate

log = logging.getLogger(__name__)

Permit = Callable[[Operation, Caller, dict[str, Any]], None]
MODULES: dict[str, list[ModuleType]] = {
    "sagemaker": [training, models, endpoint_configs, endpoints, transform, tuning, tags, search],
    "application-autoscaling": [scaling],
    "service-quotas": [service_quotas],
}
_THREADS = 16
_INTERNAL = "We encountered an internal error. Please try again."


class Control:
    """Parses, validates, holds, carries out, serialises; operations run in a pool of threads."""

    def __init__(self, cloud: Cloud, holder: Holder) -> None:
        self._cloud, self._holder = cloud, holder
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="operation")

    async def answer(
        self,
        operation: Operation,
        request: HttpRequest,
        caller: Caller,
        region: str,
        request_id: str,
        permit: Permit,
    ) -> HttpResponse:
        """The answer. Raises AWSError, also when ``permit``, which is told the parameters, does."""
        params = validate(operation, parse(operation, request))
        function = find(operation.name, MODULES.get(operation.service, []))
        permit(operation, caller, params)
        cloud = replace(self._cloud, region=region, caller=caller)
        await self._holder.wait(operation.name, params, region, request.headers.get("user-agent", ""))
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._pool, function, cloud, params)
        except (OSError, sqlite3.Error) as error:
            log.exception("%s met a disk error", operation.name)
            raise AWSError("InternalFailure", f"{_INTERNAL} ({error})", 500) from error
        return serialize(operation, result or {}, request_id)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
