"""One tuning job: a thread that hears of its children and decides what comes next.

strategy.ask ─▶ child TrainingRun ──metric values, end──▶ queue ─▶ strategy.tell / should_stop ─▶ decide
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from corelab.resources.cloud import Cloud
from corelab.resources.records import Record, TransitionRefused
from corelab.resources.registry import NotThere
from corelab.resources.states import Kind, Status
from corelab.resources.training.launch import launch
from corelab.resources.training.run import TrainingRun
from corelab.resources.training.timeline import entered
from corelab.resources.tuning.children import child_of, mark, name_of, training_request
from corelab.tuning.child import Child, Suggestion
from corelab.tuning.plan import Prior, TuningPlan
from corelab.tuning.progress import Decision, decide
from corelab.tuning.strategies import Strategy

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class _Value(NamedTuple):
    number: int
    value: float


class _End(NamedTuple):
    number: int


class _Stop(NamedTuple):
    pass


_Event = _Value | _End | _Stop


class TuningRun:
    """Runs one tuning job in the calling thread; its children run in threads of their own."""

    def __init__(self, cloud: Cloud, record: Record, plan: TuningPlan, priors: Sequence[Prior]) -> None:
        self._cloud, self._record, self._plan = cloud, record, plan
        self._priors = priors
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._children: dict[int, Child] = {}
        self._began = time.monotonic()
        self._stopping = self._abandoned = False

    @property
    def arn(self) -> str:
        return self._record.arn

    def stop(self) -> None:
        self._events.put(_Stop())

    def abandon(self) -> None:
        self._abandoned = True
        self._events.put(_Stop())

    def run(self) -> None:
        strategy = Strategy(self._plan, self._priors)
        while not self._abandoned:
            decision = self._decide()
            if decision.status is not None:
                break
            launched = [self._launch(strategy) for _ in range(decision.launch)]
            if not all(launched) and not self._running():  # nothing is left to try
                break
            self._hear(strategy)
        if not self._abandoned:
            self._halt(strategy)
            self._finish(self._decide())

    def _decide(self) -> Decision:
        if self._stopping:
            return Decision(status=Status.STOPPED.value, halt=True)
        return decide(self._plan, list(self._children.values()), time.monotonic() - self._began)

    def _launch(self, strategy: Strategy) -> bool:
        suggestion = strategy.ask()
        if suggestion is None:
            return False
        definition = self._plan.definitions[suggestion.definition]
        name = name_of(self._record, suggestion.number)
        record = launch(
            self._cloud,
            training_request(name, definition, suggestion.tuned),
            self._cloud.registry.tags(self._record.arn),
            {"TuningJobArn": self._record.arn},
            mark(self._record, suggestion),
        )
        self._children[suggestion.number] = child_of(record, definition.objective.metric, ())
        self._cloud.runner.start(self._child_run(record, suggestion, definition.objective.metric))
        return True

    def _child_run(self, record: Record, suggestion: Suggestion, metric: str) -> _ChildRun:
        def heard(name: str, value: float, at: float) -> None:
            if name == metric:
                self._events.put(_Value(suggestion.number, value))

        return _ChildRun(TrainingRun(self._cloud, record, heard), self._events, suggestion.number)

    def _hear(self, strategy: Strategy) -> None:
        """Wait for one event, then take all that are there."""
        try:
            self._take(strategy, self._events.get(timeout=_LOOK_SECONDS))
            while not self._events.empty():
                self._take(strategy, self._events.get())
        except queue.Empty:
            return

    def _take(self, strategy: Strategy, event: _Event) -> None:
        if isinstance(event, _Stop):
            self._stopping = True
        elif isinstance(event, _End):
            child = self._ended(event.number)
            self._children[event.number] = child
            strategy.tell(child)
        else:
            child = self._children[event.number]
            child = replace(child, curve=(*child.curve, event.value))
            self._children[event.number] = child
            if child.status == Status.IN_PROGRESS and strategy.should_stop(event.number, child.curve):
                self._stop_child(child)

    def _ended(self, number: int) -> Child:
        known = self._children[number]
        record = self._cloud.registry.get(Kind.TRAINING_JOB, self._record.region, known.name)
        if record is None:  # deleted the moment it ended
            return replace(known, status=Status.FAILED.value, failure="The training job was deleted.")
        return child_of(record, self._plan.definition_of(known).objective.metric, known.curve)

    def _stop_child(self, child: Child) -> None:
        at = self._cloud.now()
        record = self._cloud.registry.get(Kind.TRAINING_JOB, self._record.region, child.name)
        try:
            if record is not None:
                self._cloud.registry.change(
                    record, lambda r: r.advance(Status.STOPPING, at, **entered(r.facts, "Stopping", at))
                )
                self._cloud.runner.stop(record.arn)
        except (TransitionRefused, NotThere):  # it ended by itself
            log.info("child %s has ended already", child.name)
        self._children[child.number] = replace(child, status=Status.STOPPING.value)

    def _halt(self, strategy: Strategy) -> None:
        """Stop what still runs, and wait for it."""
        for child in list(self._children.values()):
            if child.status == Status.IN_PROGRESS:
                self._stop_child(child)
        while self._running() and not self._abandoned:
            self._hear(strategy)

    def _running(self) -> bool:
        return any(child.running for child in self._children.values())

    def _finish(self, decision: Decision) -> None:
        at = self._cloud.now()
        facts: dict[str, Any] = {"HyperParameterTuningEndTime": at, "FailureReason": decision.reason}
        status = Status(decision.status or Status.COMPLETED)
        try:
            self._cloud.registry.change(self._record, lambda r: r.advance(status, at, **facts))
        except (TransitionRefused, NotThere):
            log.info("tuning job %s is gone", self._record.name)


class _ChildRun:
    """A training run that tells when it is over."""

    def __init__(self, run: TrainingRun, events: queue.SimpleQueue[_Event], number: int) -> None:
        self._run, self._events, self._number = run, events, number

    @property
    def arn(self) -> str:
        return self._run.arn

    def run(self) -> None:
        try:
            self._run.run()
        finally:
            self._events.put(_End(self._number))

    def stop(self) -> None:
        self._run.stop()

    def abandon(self) -> None:
        self._run.abandon()
