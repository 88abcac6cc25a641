"""CloudWatch metrics on disk: series by their full name, points by their time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corelab.store.contract import Datum
from corelab.store.database import Database

if TYPE_CHECKING:
    from corelab.store.contract import MetricStore

SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, region TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    dimensions TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (region, namespace, name, dimensions, unit)
) STRICT;
CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL REFERENCES series (id), at REAL NOT NULL,
    count REAL NOT NULL, total REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS points_by_time ON points (series, at);
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """The full name of what is measured; ``unit`` None stands for any."""

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A value that was seen ``count`` times, or a whole set of which only these four numbers are known."""

    at: float  # epoch seconds
    count: float
    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A point and the metric it belongs to."""

    metric: Metric
    point: Point


class Metrics:
    """The metric store on disk. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, region: str, namespace: str, data: Sequence[Datum]) -> None:
        self.add(region, [_sample(namespace, datum) for datum in data])

    def add(self, region: str, samples: Iterable[Sample]) -> None:
        """Store points, several series at once."""
        with self._database.write() as connection:
            rows = [
                (_ensure_series(connection, region, sample.metric), p.at, p.count, p.total, p.low, p.high)
                for sample in samples
                for p in (sample.point,)
            ]
            connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?)", rows)

    def points(self, region: str, metric: Metric, start: float, end: float) -> list[Point]:
        """Points with exactly these dimensions from ``start`` (inclusive) to ``end``, by time."""
        query = (
            "SELECT at, count, total, low, high FROM points WHERE at >= ? AND at < ? AND series IN"
            " (SELECT id FROM series WHERE region = ? AND namespace = ? AND name = ? AND dimensions = ?"
            " AND (? IS NULL OR unit = ?)) ORDER BY at"
        )
        name = (region, metric.namespace, metric.name, _text(metric.dimensions), metric.unit, metric.unit)
        with self._database.read() as connection:
            return [Point(*row) for row in connection.execute(query, (start, end, *name))]

    def outline(self, region: str, metric: Metric, most: int) -> list[tuple[int, float]]:
        """The series as (how many points came before, value): every point, or means over time when there are more
        than ``most``. A job of a million rounds is read in one pass and never held."""
        span = (
            "SELECT count(*), min(at), max(at) FROM points WHERE series IN (SELECT id FROM series"
            " WHERE region = ? AND namespace = ? AND name = ? AND dimensions = ?)"
        )
        name = (region, metric.namespace, metric.name, _text(metric.dimensions))
        with self._database.read() as connection:
            count, first, last = connection.execute(span, name).fetchone()
            if count <= most or last == first:
                points = self.points(region, metric, 0, float("inf"))[:most]
                return [(index, point.total / point.count) for index, point in enumerate(points)]
            grouped = (
                "SELECT count(*), sum(total) / sum(count) FROM points WHERE series IN (SELECT id FROM series"
                " WHERE region = ? AND namespace = ? AND name = ? AND dimensions = ?)"
                " GROUP BY CAST((at - ?) / ? AS INTEGER) ORDER BY min(at)"
            )
            rows = connection.execute(grouped, (*name, first, (last - first) / most)).fetchall()
        drawn, before = [], 0
        for size, mean in rows:
            drawn.append((before, float(mean)))
            before += size
        return drawn

    def unit(self, region: str, metric: Metric) -> str:
        """The unit a metric was last put with."""
        query = (
            "SELECT unit FROM series WHERE region = ? AND namespace = ? AND name = ? AND dimensions = ?"
            " ORDER BY id DESC"
        )
        name = (region, metric.namespace, metric.name, _text(metric.dimensions))
        with self._database.read() as connection:
            row = connection.execute(query, name).fetchone()
        return str(row[0]) if row is not None else "None"

    def metrics(self, region: str, namespace: str | None = None, name: str | None = None) -> list[Metric]:
        """Every metric there is, in a stable order."""
        query = (
            "SELECT DISTINCT namespace, name, dimensions FROM series"
            " WHERE region = ? AND (? IS NULL OR namespace = ?) AND (? IS NULL OR name = ?)"
            " ORDER BY namespace, name, dimensions"
        )
        with self._database.read() as connection:
            rows = connection.execute(query, (region, namespace, namespace, name, name)).fetchall()
        return [Metric(row[0], row[1], json.loads(row[2])) for row in rows]


def _ensure_series(connection: sqlite3.Connection, region: str, metric: Metric) -> int:
    row = (region, metric.namespace, metric.name, _text(metric.dimensions), metric.unit or "None")
    find = "SELECT id FROM series WHERE (region, namespace, name, dimensions, unit) = (?, ?, ?, ?, ?)"
    found = connection.execute(find, row).fetchone()
    if found is None:
        insert = "INSERT INTO series (region, namespace, name, dimensions, unit) VALUES (?, ?, ?, ?, ?)"
        return int(connection.execute(insert, row).lastrowid or 0)
    return int(found[0])


def _sample(namespace: str, datum: Datum) -> Sample:
    value = float(datum.value)
    metric = Metric(namespace, datum.name, datum.dimensions, datum.unit)
    return Sample(metric, Point(datum.timestamp, datum.count, value * datum.count, value, value))


def _text(dimensions: Mapping[str, str]) -> str:
    # Sorted, because CloudWatch takes the same dimensions in any order for the same metric.
    return json.dumps(dict(sorted(dimensions.items())))


if TYPE_CHECKING:

    def _proof(metrics: Metrics) -> MetricStore:
        return metrics
