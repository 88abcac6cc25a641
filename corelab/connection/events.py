"""What every botocore client in this process does before it sends: stay here, tag, say MemorySizeInMB.

botocore copies ``BUILTIN_HANDLERS`` into each new session; sessions and clients that exist already are found
and given the same handlers. The handlers read one module variable, so they do nothing while nothing is local.
"""

from __future__ import annotations

import gc
import ipaddress
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from corelab.connection.links import note_failure
from corelab.errors import RequestRefused

Handler = Callable[..., Any]

_STS = re.compile(r"sts(-fips)?(\.[a-z0-9-]+)?\.(amazonaws\.com(\.cn)?|api\.aws)")
_local_url: str | None = None
_sts_url: str | None = None
_tags: dict[str, str] = {}


def stay_on(url: str) -> None:
    """Send every later request of this process to the server at ``url``, and none anywhere else."""
    _set(url, None, {})
    _install()


def roam(tags: Mapping[str, str]) -> None:
    """Let requests go where their clients say, with these tags on all that SageMaker is asked to create.

    The mended MemorySizeInMB stays: AWS needs it too.
    """
    _set(None, None, tags)
    _install()


def ask_sts_at(url: str) -> None:
    """Send the SDKs' hard-coded STS addresses to the one that botocore is configured to use, if it is not AWS's own.

    A private endpoint, set by AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, is of no use if the SDKs walk past it.
    """
    _set(_local_url, None if _STS.fullmatch(urlsplit(url).hostname or "") else url, _tags)


def uninstall() -> None:
    """Leave botocore as it was; sessions made meanwhile keep handlers that do nothing local."""
    _set(None, None, {})
    if "botocore.handlers" in sys.modules:
        from botocore import handlers

        handlers.BUILTIN_HANDLERS[:] = [entry for entry in handlers.BUILTIN_HANDLERS if entry not in _EVENTS]


def keep_local(request: Any, **_: Any) -> None:
    """Reroute the SDKs' hard-coded STS addresses (Service spec 2.1); in local mode refuse all else that leaves.

    Raises:
        RequestRefused: when local mode is on and the request is for another machine.
    """
    elsewhere = _local_url or _sts_url
    if elsewhere is None:
        return
    asked = urlsplit(request.url)
    host = asked.hostname or ""
    is_sts = _STS.fullmatch(host) is not None
    if _is_loopback(host) or not (is_sts or _local_url):
        return
    if not is_sts:
        raise RequestRefused(
            f"This notebook works on the local SageMaker, and a request for {host} would leave this machine. "
            "A client made before corelab.connect() still has its old address: make it again. "
            "To work on AWS, call corelab.connect('aws')."
        )
    here = urlsplit(elsewhere)
    request.url = urlunsplit((here.scheme, here.netloc, asked.path, asked.query, ""))


def tag_what_is_created(params: dict[str, Any], model: Any, **_: Any) -> None:
    """Add the course's tags, so that the bill and the clean-up find what an account holds of it."""
    if _tags and model.name.startswith("Create") and "Tags" in model.input_shape.members:
        given = list(params.get("Tags") or [])
        known = {tag.get("Key") for tag in given if isinstance(tag, dict)}
        params["Tags"] = given + [{"Key": k, "Value": v} for k, v in _tags.items() if k not in known]


def mend_memory_size(params: dict[str, Any], **_: Any) -> dict[str, Any] | None:
    """Rename the ``MemorySizeInMb`` that sagemaker-core sends to the ``MemorySizeInMB`` that botocore knows.

    Without it sagemaker-core 1.0.78 cannot make a serverless endpoint config, on AWS neither
    (aws/sagemaker-core issue 225; Service spec 2.3).
    """
    mended = {
        member: [_mended(variant) for variant in params[member]]
        for member in ("ProductionVariants", "ShadowProductionVariants")
        if isinstance(params.get(member), list)
    }
    return params | mended if mended else None


def _mended(variant: Any) -> Any:
    serverless = variant.get("ServerlessConfig") if isinstance(variant, dict) else None
    if not isinstance(serverless, dict) or "MemorySizeInMb" not in serverless:
        return variant
    renamed = {
        "MemorySizeInMB" if key == "MemorySizeInMb" else key: value for key, value in serverless.items()
    }
    return variant | {"ServerlessConfig": renamed}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_EVENTS: tuple[tuple[str, Handler], ...] = (
    ("before-send", keep_local),
    ("provide-client-params.sagemaker.CreateEndpointConfig", mend_memory_size),
    ("before-parameter-build.sagemaker", tag_what_is_created),
    ("after-call.sagemaker", note_failure),
)


def _set(local_url: str | None, sts_url: str | None, tags: Mapping[str, str]) -> None:
    global _local_url, _sts_url, _tags
    _local_url, _sts_url, _tags = local_url, sts_url, dict(tags)


def _install() -> None:
    early = list(_existing_emitters())
    from botocore import handlers

    for event, handler in _EVENTS:
        if (event, handler) not in handlers.BUILTIN_HANDLERS:
            handlers.BUILTIN_HANDLERS.append((event, handler))
        for emitter in early:
            emitter.register(event, handler, unique_id=f"corelab-{handler.__name__}")


def _existing_emitters() -> Iterator[Any]:
    """The event systems of sessions and clients made before; none when botocore is not loaded yet."""
    session, client = sys.modules.get("botocore.session"), sys.modules.get("botocore.client")
    if session is None or client is None:
        return
    for thing in gc.get_objects():
        # type() and not isinstance(): a proxy's __class__ property may run code
        if issubclass(type(thing), client.BaseClient) and hasattr(thing, "meta"):
            yield thing.meta.events
        elif issubclass(type(thing), session.Session):
            yield thing.get_component("event_emitter")
