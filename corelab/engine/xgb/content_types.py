"""Content types: which ones mean CSV, libsvm, parquet or recordio-protobuf (Container spec 2.1)."""

from __future__ import annotations

from typing import Literal

from corelab.engine.xgb.failures import UserError

Format = Literal["csv", "libsvm", "parquet", "recordio-protobuf"]

FORMATS: dict[str, Format] = {
    "csv": "csv",
    "libsvm": "libsvm",
    "parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "text/csv": "csv",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "application/x-parquet": "parquet",
    "application/x-recordio-protobuf": "recordio-protobuf",
}


def parse_content_type(content_type: str | None) -> Format:
    """The format a content type names; parameters and case are tolerated, None means libsvm.

    Raises:
        UserError: unknown, or CSV whose ``label_size`` is not 1.
    """
    if content_type is None:
        return "libsvm"
    name, *parameters = (part.strip() for part in content_type.lower().split(";"))
    parsed = FORMATS.get(name)
    if parsed is None:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(FORMATS)}.")
    if parsed == "csv" and _value(parameters, "label_size") not in (None, "1"):
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return parsed


def _value(parameters: list[str], name: str) -> str | None:
    """The last value given for a parameter, without its quotes."""
    found = None
    for parameter in parameters:
        key, sign, value = parameter.partition("=")
        if sign and key.strip() == name:
            found = value.strip().strip('"')
    return found
