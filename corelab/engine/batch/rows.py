"""Records as rows: filtered before the model, joined with its answer, filtered again."""

from __future__ import annotations

import csv
import json
from typing import Any, Protocol

from corelab.engine.batch.failures import ObjectFailed
from corelab.engine.batch.jsonpath import NotFound, Path

_CSV_TYPES = ("text/csv", "csv")
_JSON_TYPES = (
    "application/json",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-lines",
)


class Form(Protocol):
    """How a record of one content type becomes a value and bytes again."""

    name: str

    def parse(self, record: bytes) -> Any:
        """Raises ValueError."""

    def join(self, record: Any, output: Any) -> Any:
        """The record with the model's answer to it."""

    def render(self, value: Any) -> bytes: ...


class CsvForm:
    """A row is a list of fields; their text stays as it is, quotes included, while no quote needs undoing."""

    name = "CSV"

    def parse(self, record: bytes) -> list[bytes]:
        if b'"' not in record:
            return record.split(b",")
        try:
            (fields,) = csv.reader([record.decode("latin-1")], strict=True)
        except csv.Error as error:
            raise ValueError(str(error)) from error
        return [_quoted(field).encode("latin-1") for field in fields]

    def join(self, record: list[bytes], output: list[bytes]) -> list[bytes]:
        return record + output

    def render(self, value: list[bytes] | bytes) -> bytes:
        return b",".join(value) if isinstance(value, list) else value


class JsonForm:
    """A record is one JSON value."""

    name = "JSON"

    def parse(self, record: bytes) -> Any:
        try:
            return json.loads(record)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    def join(self, record: Any, output: Any) -> dict[str, Any]:
        if isinstance(record, dict):
            return {**record, "SageMakerOutput": output}
        return {"SageMakerInput": record, "SageMakerOutput": output}

    def render(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def form_of(content_type: str | None) -> Form | None:
    """The form of a content type; None when filters and joins do not know it."""
    name = (content_type or "").partition(";")[0].strip().lower()
    if name in _CSV_TYPES:
        return CsvForm()
    return JsonForm() if name in _JSON_TYPES else None


def select(form: Form, path: Path, record: bytes) -> bytes:
    """A record's part for the model. Raises ObjectFailed."""
    try:
        return form.render(path.select(form.parse(record)))
    except (ValueError, NotFound) as error:
        raise ObjectFailed.unreadable(record, form.name, str(error)) from error


def join_and_select(form: Form, path: Path, record: bytes | None, output: bytes) -> bytes:
    """The line of the result: the answer, after the record if there is one, and of both what the path selects."""
    if record is not None and path.root and isinstance(form, CsvForm):
        return record + b"," + output
    try:
        value = form.parse(output)
        if record is not None:
            value = form.join(form.parse(record), value)
        return form.render(path.select(value))
    except (ValueError, NotFound) as error:
        raise ObjectFailed.unreadable(record or output, form.name, str(error)) from error


def _quoted(field: str) -> str:
    if any(sign in field for sign in ',"\r\n'):
        return '"' + field.replace('"', '""') + '"'
    return field
