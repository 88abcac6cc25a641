"""Listings straight from the index: a page costs its own entries, not the bucket's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from corelab.store.index import ObjectIndex, Version, after, range_end

PAGE = 1000
_FEW = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    bucket: str
    prefix: str
    delimiter: str
    limit: int  # S3 gives at most 1000, whatever is asked


@dataclass(slots=True)
class Page:
    """Versions and common prefixes, each in S3's order. ``last`` is set when there is more."""

    versions: list[Version] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    latest: set[tuple[str, str]] = field(default_factory=set)  # key, version
    truncated: bool = False
    last: str | None = None
    last_version: str | None = None

    def __len__(self) -> int:
        return len(self.versions) + len(self.prefixes)

    def cut(self, name: str, version: str | None = None) -> Page:
        self.truncated, self.last, self.last_version = True, name, version
        return self


def list_keys(index: ObjectIndex, wanted: Wanted, marker: str) -> Page:
    """Current objects and common prefixes that sort after ``marker``."""
    page, last = Page(), ""
    limit = min(wanted.limit, PAGE)
    if limit == 0:
        return page
    for entry in _entries(index, wanted, marker):
        if len(page) == limit:
            return page.cut(last)
        if isinstance(entry, str):
            page.prefixes.append(entry)
            last = entry
        else:
            page.versions.append(entry)
            last = entry.key
    return page


def list_versions(index: ObjectIndex, wanted: Wanted, key: str, version: str | None) -> Page:
    """Versions and markers after the one marked by key and version, a key's newest first."""
    page, last = Page(), ("", "")
    limit = min(wanted.limit, PAGE)
    if limit == 0:
        return page
    for row, latest in _versions_after(index, wanted, key, version):
        group = common_prefix(row.key, wanted.prefix, wanted.delimiter)
        if group and group in (key, *page.prefixes[-1:]):
            continue
        if len(page) == limit:
            return page.cut(*last)
        if group:
            page.prefixes.append(group)
        else:
            page.versions.append(row)
            if latest:
                page.latest.add((row.key, row.id))
        last = (group, "") if group else (row.key, row.id)
    return page


def common_prefix(key: str, prefix: str, delimiter: str) -> str:
    """What the key is rolled up into, empty when it stands for itself."""
    if not delimiter:
        return ""
    found = key.find(delimiter, len(prefix))
    return key[: found + len(delimiter)] if found >= 0 else ""


def _entries(index: ObjectIndex, wanted: Wanted, marker: str) -> Iterator[Version | str]:
    rolled = common_prefix(marker, wanted.prefix, wanted.delimiter) if marker else ""
    start = range_end(rolled.encode()) if rolled else (after(marker) if marker else b"")
    # Where folders follow each other, a whole page of rows would be read to give one entry.
    few = _FEW if wanted.delimiter else PAGE
    size = few
    while start is not None and (rows := index.page(wanted.bucket, wanted.prefix, start, size)):
        size = min(size * 4, PAGE)
        for row in rows:
            group = common_prefix(row.key, wanted.prefix, wanted.delimiter)
            if group:
                yield group
                # All that shares the prefix is passed over in one step.
                start, size = range_end(group.encode()), few
                break
            yield row
            start = after(row.key)


def _versions_after(
    index: ObjectIndex, wanted: Wanted, key: str, version: str | None
) -> Iterator[tuple[Version, bool]]:
    waiting = bool(version)
    start = key.encode() if waiting else (after(key) if key else b"")
    for row, latest in index.all_versions(wanted.bucket, wanted.prefix, start):
        if waiting and row.key == key:
            waiting = row.id != version
            continue
        yield row, latest
