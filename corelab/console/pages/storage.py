"""The S3 browser: buckets, folders, and a look at an object's beginning."""

from __future__ import annotations

import csv
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from corelab.aws.s3.listing import Wanted, list_keys
from corelab.console.ask import Ask, NoSuchPage, Page, Sources
from corelab.store.contract import ObjectNotFound, StoredObject

_SIZE = 200
_HEAD_BYTES = 64 << 10
_ROWS, _COLUMNS = 25, 40
_CELL = 200
_HEX_BYTES = 256


def buckets(sources: Sources, _ask: Ask) -> Page:
    return Page("buckets.html", "S3 buckets", "s3", {"buckets": sources.objects.index.buckets()}, seconds=5)


def browse(sources: Sources, ask: Ask) -> Page:
    """A folder of a bucket, or with ``key`` one object."""
    try:
        if "key" in ask.query:
            return _object(sources, ask.name, ask.query["key"])
        return _folder(sources, ask)
    except ObjectNotFound as missing:
        raise NoSuchPage(f"There is no such bucket or object: {missing.args[0]}.") from missing


def _folder(sources: Sources, ask: Ask) -> Page:
    bucket, prefix = ask.name, ask.query.get("prefix", "")
    index = sources.objects.index
    index.bucket(bucket)
    page = list_keys(index, Wanted(bucket, prefix, "/", _SIZE), ask.query.get("after", ""))
    facts = {
        "bucket": bucket,
        "prefix": prefix,
        "trail": trail(prefix),
        "folders": page.prefixes,
        "objects": page.versions,
        "older": urlencode({"prefix": prefix, "after": page.last or ""}) if page.truncated else None,
    }
    return Page("folder.html", f"s3://{bucket}/{prefix}", "s3", facts, seconds=5)


def _object(sources: Sources, bucket: str, key: str) -> Page:
    stored = sources.objects.head(bucket, key)
    with sources.objects.open(bucket, key) as stream:
        head = stream.read(_HEAD_BYTES)
    facts = {"bucket": bucket, "key": key, "trail": trail(key.rpartition("/")[0] + "/"), "object": stored}
    return Page("object.html", key, "s3", {**facts, **preview(stored, head)})


def trail(prefix: str) -> list[tuple[str, str]]:
    """The folders above: each one's name and whole prefix."""
    parts = prefix.split("/")[:-1]
    return [(part or "/", "/".join(parts[: index + 1]) + "/") for index, part in enumerate(parts)]


def preview(stored: StoredObject, head: bytes) -> dict[str, Any]:
    """The object's beginning: as a table, as text or as bytes; nothing in it is ever run."""
    whole = stored.size <= len(head)
    words = _text(head, whole)
    facts: dict[str, Any] = {"table": None, "text": None, "hex": None, "whole": whole, "shown": len(head)}
    if words is None:
        facts |= {"hex": _hex(head[:_HEX_BYTES]), "whole": stored.size <= _HEX_BYTES}
    elif stored.key.lower().endswith((".csv", ".csv.out")):
        facts |= _table(words, whole)
    else:
        facts["text"] = words
    return facts


def _text(head: bytes, whole: bool) -> str | None:
    if b"\x00" in head:
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The cut may have gone through a character.
        cut = not whole and error.start >= len(head) - 3
        return head[: error.start].decode("utf-8") if cut else None


def _table(words: str, whole: bool) -> dict[str, Any]:
    lines = words.splitlines()
    if not whole:
        lines = lines[:-1]
    try:
        rows = [[cell[:_CELL] for cell in row[:_COLUMNS]] for row in islice(csv.reader(lines), _ROWS)]
    except csv.Error:  # a cell longer than csv reads
        return {"text": words}
    return {"table": rows, "whole": whole and len(lines) <= _ROWS}


def _hex(head: bytes) -> str:
    rows = [head[start : start + 16] for start in range(0, len(head), 16)]
    return "\n".join(
        f"{number * 16:06x}  {row.hex(' '):47}  {''.join(chr(b) if 32 <= b < 127 else '.' for b in row)}"
        for number, row in enumerate(rows)
    )
