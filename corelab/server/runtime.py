"""InvokeEndpoint: the one path that must be quick, from bytes to bytes without the service model.

Statuses, codes and texts: Service spec 8.2 and 8.4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from corelab.engine.serving_contract import InvocationRequest, InvocationTimeout, ModelProcessDied
from corelab.errors import AWSError
from corelab.resources.serving.fleet import LiveFleet, NotServing, UnknownVariant
from corelab.resources.serving.pools import Answer, NoneReady, Throttled
from corelab.resources.serving.worker import StartFailed

PATH = re.compile(r"/endpoints/([a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})/(invocations[a-z-]*|async-invocations)")
MOST_BYTES = 25 << 20
MOST_SERVERLESS_BYTES = 4 << 20
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
_REFUSED_HEADERS = {
    "x-amzn-sagemaker-target-model": "The endpoint is not a multi-model endpoint: leave TargetModel out.",
    "x-amzn-sagemaker-target-container-hostname": "The endpoint has one container: leave TargetContainerHostname out.",
    "x-amzn-sagemaker-inference-component": "The endpoint has no inference components.",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Whose endpoint is asked."""

    account: str
    region: str
    name: str


async def invoke(
    fleet: LiveFleet, target: Target, action: str, headers: Mapping[str, str], body: bytes
) -> tuple[str, Answer]:
    """(variant, answer). Raises AWSError for everything but a 2xx of the container."""
    _refuse_unserved(action, headers)
    serverless = fleet.is_serverless(target.region, target.name)
    if serverless and len(body) > MOST_SERVERLESS_BYTES:
        raise _too_large(MOST_SERVERLESS_BYTES)
    request = InvocationRequest(body, headers.get("content-type"), headers.get("accept"))
    variant = headers.get("x-amzn-sagemaker-target-variant")
    try:
        name, answer = await fleet.invoke(target.region, target.name, request, variant)
    except NotServing as error:
        raise _runtime_error(f"Endpoint {target.name} of account {target.account} not found.") from error
    except UnknownVariant as error:
        raise _runtime_error(f"Variant {variant} not found for endpoint {target.name}.") from error
    except Throttled as error:
        raise AWSError("ThrottlingException", None) from error
    except InvocationTimeout as error:
        raise _model_error(target, 0, _TIMED_OUT) from error
    except ModelProcessDied as error:
        raise _model_error(target, 0, None) from error
    except (NoneReady, StartFailed) as error:
        raise AWSError("ServiceUnavailable", "The model is not available. Try again.", 503) from error
    if not 200 <= answer.response.status < 300:
        text = answer.response.body.decode("utf-8", "replace")
        raise _model_error(target, answer.response.status, text)
    if serverless and len(answer.response.body) > MOST_SERVERLESS_BYTES:
        raise _model_error(target, 0, None)
    return name, answer


def _refuse_unserved(action: str, headers: Mapping[str, str]) -> None:
    if action == "async-invocations":
        raise _runtime_error(
            "The endpoint is not an async endpoint: its configuration has no AsyncInferenceConfig."
        )
    if action != "invocations":
        raise _runtime_error("The container of this endpoint does not stream responses: use InvokeEndpoint.")
    for header, text in _REFUSED_HEADERS.items():
        if header in headers:
            raise _runtime_error(text)


def _runtime_error(message: str) -> AWSError:
    return AWSError("ValidationError", message)


def _too_large(limit: int) -> AWSError:
    return AWSError("ValidationError", f"Request body exceeds the limit of {limit} bytes.", 413)


def _model_error(target: Target, status: int, text: str | None) -> AWSError:
    kind = "client" if 400 <= status < 500 else "server"
    said = "and could not load the entire response body" if text is None else f'with message "{text}"'
    group = f"/aws/sagemaker/Endpoints/{target.name}"
    message = (
        f"Received {kind} error ({status}) from primary {said}. See "
        f"https://{target.region}.console.aws.amazon.com/cloudwatch/home?region={target.region}"
        f"#logEventViewer:group={group} in account {target.account} for more information."
    )
    extra = {
        "ErrorCode": f"{kind.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:aws:logs:{target.region}:{target.account}:log-group:{group}",
        "OriginalMessage": text or "",
        "OriginalStatusCode": status,
    }
    return AWSError("ModelError", message, 424, extra)


def error_body(error: AWSError) -> bytes:
    """A runtime error's JSON body; a throttle's message is null."""
    key = "Message" if error.extra else "message"
    return json.dumps({**error.extra, key: error.message}).encode()
