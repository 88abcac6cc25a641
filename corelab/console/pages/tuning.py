"""Tuning jobs: the list, and one with its trials, the best of them, and what mattered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from corelab.console import charts
from corelab.console.ask import Ask, Page, Sources
from corelab.console.pages import listing
from corelab.errors import CorelabError
from corelab.resources.records import Record
from corelab.resources.states import Kind
from corelab.services.sagemaker import tuning
from corelab.tuning.importance import Result, importance_apart
from corelab.tuning.summaries import summarize

log = logging.getLogger(__name__)

_FEWEST = 5  # scored trials; importance of fewer says nothing
_MOST_REMEMBERED = 200
_SHOWN = 100
_GOAL = "Maximize"


class _Importances:
    """Computes in the background, one at a time, and remembers; ``None`` is not known yet."""

    def __init__(self) -> None:
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._known: dict[tuple[str, float, int], Mapping[str, float] | None] = {}

    def of(
        self, record: Record, ranges: Mapping[str, Any], results: list[Result], maximize: bool
    ) -> Mapping[str, float] | None:
        key = record.arn, record.created, len(results)
        with self._lock:
            if key in self._known:
                return self._known[key]
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = None
        work = threading.Thread(target=self._compute, args=(key, ranges, results, maximize), daemon=True)
        work.start()
        return None

    def _compute(
        self, key: tuple[str, float, int], ranges: Mapping[str, Any], results: list[Result], maximize: bool
    ) -> None:
        with self._turn:
            try:
                shares: Mapping[str, float] = importance_apart(ranges, results, maximize)
            except CorelabError:
                log.exception("no importance for %s", key[0])
                shares = {}
        with self._lock:
            self._known[key] = shares


_importances = _Importances()


def index(sources: Sources, ask: Ask) -> Page:
    found, facts = listing.records(sources, Kind.TUNING_JOB, ask)
    rows = [{"record": record, "job": tuning.described(record)} for record in found]
    return Page(
        "tuning.html", "Tuning jobs", "tuning", {**facts, "rows": rows}, seconds=listing.running(found)
    )


def one(sources: Sources, ask: Ask) -> Page:
    record = sources.record(Kind.TUNING_JOB, ask)
    cloud = sources.view(record.region)
    plan, children = tuning.family(cloud, record)  # read once: a long search has hundreds
    job = tuning.described_with(cloud, record, plan, children)
    trials = [summarize(plan, child) for child in children]
    shown = trials if ask.query.get("trials") == "all" else trials[-_SHOWN:]
    definition = record.request.get("TrainingJobDefinition")
    facts = {
        "record": record,
        "job": job,
        "trials": shown,
        "count": len(trials),
        "all": urlencode({**ask.query, "trials": "all"}),
        "tuned": sorted({name for trial in trials for name in trial["TunedHyperParameters"]}),
        "charts": _charts(trials),
        "importance": _importance(record, definition, trials) if definition else {},
        "scored": sum(_value(trial) is not None for trial in trials),
        "fewest": _FEWEST,
        "value": _value,
    }
    waits = facts["importance"] is None
    return Page(
        "tuning_one.html", record.name, "tuning", facts, seconds=0 if record.finished and not waits else 2
    )


def _importance(
    record: Record, definition: Mapping[str, Any], trials: list[dict[str, Any]]
) -> Mapping[str, float] | None:
    """Shares of a finished job's hyperparameters; None while they are computed."""
    results = [(t["TunedHyperParameters"], value) for t in trials if (value := _value(t)) is not None]
    config = record.request["HyperParameterTuningJobConfig"]
    if not record.finished or len(results) < _FEWEST or "ParameterRanges" not in config:
        return {}
    goal = config.get("HyperParameterTuningJobObjective", {}).get("Type", _GOAL)
    return _importances.of(record, config["ParameterRanges"], results, goal == _GOAL)


def _charts(trials: list[dict[str, Any]]) -> list[Any]:
    """The objective by trial, then against each numeric hyperparameter."""
    scored = [(number, t, v) for number, t in enumerate(trials, 1) if (v := _value(t)) is not None]
    drawn = [
        charts.lines(
            "objective by trial", [charts.Series("trial", [(n, v) for n, _, v in scored])], "trial", False
        )
    ]
    for name in sorted({name for _, trial, _ in scored for name in trial["TunedHyperParameters"]}):
        points = [
            (x, value)
            for _, trial, value in scored
            if (x := _float(trial["TunedHyperParameters"].get(name))) is not None
        ]
        drawn.append(charts.lines(f"objective by {name}", [charts.Series(name, points)], name, False))
    return [chart for chart in drawn if chart]


def _value(trial: Mapping[str, Any]) -> float | None:
    value = trial.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    return None if value is None else float(value)


def _float(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:  # a categorical value
        return None
