"""Which operation a request asks for, in any of the protocols these services speak, and what may be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from corelab.aws.call import Call
from corelab.errors import AWSError

IMPLEMENTED: Mapping[str, frozenset[str]] = {
    "logs": frozenset(
        [
            "CreateLogGroup",
            "CreateLogStream",
            "DeleteLogGroup",
            "DeleteLogStream",
            "DeleteRetentionPolicy",
            "DescribeLogGroups",
            "DescribeLogStreams",
            "FilterLogEvents",
            "GetLogEvents",
            "GetQueryResults",
            "ListTagsForResource",
            "ListTagsLogGroup",
            "PutLogEvents",
            "PutRetentionPolicy",
            "StartQuery",
            "TagLogGroup",
            "TagResource",
            "UntagLogGroup",
            "UntagResource",
        ]
    ),
    "monitoring": frozenset(
        [
            "DeleteAlarms",
            "DeleteDashboards",
            "DescribeAlarms",
            "DescribeAlarmsForMetric",
            "DisableAlarmActions",
            "EnableAlarmActions",
            "GetDashboard",
            "GetMetricData",
            "GetMetricStatistics",
            "ListDashboards",
            "ListMetrics",
            "ListTagsForResource",
            "PutDashboard",
            "PutMetricAlarm",
            "PutMetricData",
            "SetAlarmState",
            "TagResource",
            "UntagResource",
        ]
    ),
    "sts": frozenset(["AssumeRole", "GetAccessKeyInfo", "GetCallerIdentity", "GetSessionToken"]),
}


def operation_of(call: Call, body: bytes) -> tuple[str, Mapping[str, Any]]:
    """The operation and its parameters, as far as they can be read without the service's model.

    Raises:
        AWSError: when no operation is named, or one that is not served here.
    """
    target = call.environ.get("HTTP_X_AMZ_TARGET", "")
    path = call.environ["RAW_URI"].partition("?")[0]
    if target:
        operation, parameters = target.rpartition(".")[2], _json(body)
    elif "/operation/" in path:  # CBOR; moto reads its parameters
        operation, parameters = path.rpartition("/")[2], {}
    else:
        parameters = _form(body.decode("utf-8", "replace"), call.environ.get("QUERY_STRING", ""))
        operation = parameters.get("Action", "")
    if not operation:
        raise AWSError("MissingAction", "The request must contain the parameter Action.")
    served = IMPLEMENTED.get(call.service)
    if served is not None and operation not in served:
        raise not_implemented(call.service, operation)
    return operation, parameters


def not_implemented(service: str, operation: str) -> AWSError:
    """The answer to what AWS knows and this local AWS does not."""
    text = f"The operation {operation} of {service} is not implemented by this local AWS."
    return AWSError("NotImplemented", text, 501)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise AWSError("SerializationException", "Expected a JSON object as the body of the request.")
    return parameters


def _form(*texts: str) -> dict[str, str]:
    return {name: value for text in texts for name, value in parse_qsl(text, keep_blank_values=True)}
