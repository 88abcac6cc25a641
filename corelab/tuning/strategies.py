"""A tuning job's mind: ask it for children, tell it what became of them, show it what they emit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from corelab.tuning.child import Child, Suggestion
from corelab.tuning.early_stopping import MedianRule
from corelab.tuning.hyperband import Brackets
from corelab.tuning.plan import LENGTH_KEYS, Prior, TuningPlan
from corelab.tuning.search import search_for


class Strategy:
    """Decides for one tuning job; used by one thread.

    The same plan told the same children in the same order of their numbers suggests the same, whether it was told
    as they ended or rebuilt from them afterwards. It may be asked for as many children as shall run at once;
    those not told of yet count as running.
    """

    def __init__(self, plan: TuningPlan, priors: Sequence[Prior] = ()) -> None:
        self.plan = plan
        self._search = search_for(plan, priors)
        self._children: dict[int, Child] = {}
        self._medians = [MedianRule(d.objective.maximize) for d in plan.definitions]
        self._brackets = [
            Brackets(d.resource, d.objective.maximize) if d.resource else None for d in plan.definitions
        ]

    @classmethod
    def from_history(
        cls, plan: TuningPlan, history: Iterable[Child], priors: Sequence[Prior] = ()
    ) -> Strategy:
        """The strategy as it was after these children, for a server that starts again.

        Children that died with the old server belong in ``history`` as Failed.
        """
        strategy = cls(plan, priors)
        for child in sorted(history, key=lambda child: child.number):
            strategy.tell(child)
        return strategy

    def ask(self) -> Suggestion | None:
        """The next child to launch; None when there is nothing left to try. Mind ``decide``'s limits first."""
        number = max(self._children, default=0) + 1
        proposed = self._search.propose(number)
        if proposed is None:
            return None
        index, tuned = proposed
        self._children[number] = Child(number=number, tuned=tuned, definition=index)
        return Suggestion(number, index, tuned)

    def tell(self, child: Child) -> None:
        """A child's state: launched, or ended. Telling an end twice changes nothing."""
        known = self._children.get(child.number)
        if known is not None and not known.running:
            return
        self._children[child.number] = child
        self._search.record(child)
        if child.running:
            return
        self._medians[child.definition].record(child)
        brackets = self._brackets[child.definition]
        if brackets is not None:
            brackets.record(child.number, child.curve)

    def should_stop(self, number: int, curve: Sequence[float]) -> bool:
        """Whether a running child is to be stopped early, given its objective values so far.

        Call it for each new value; it is quick. A child stopped so ends as Stopped and its last value counts.
        """
        child = self._children.get(number)
        if child is None or not child.running or not curve:
            return False
        brackets = self._brackets[child.definition]
        if brackets is not None:
            return brackets.should_stop(number, curve, self._length(child))
        return self.plan.early_stopping and self._medians[child.definition].should_stop(curve)

    def _length(self, child: Child) -> int | None:
        hyperparameters = {**self.plan.definition_of(child).static, **child.tuned}
        texts = (hyperparameters[key] for key in LENGTH_KEYS if key in hyperparameters)
        return next((int(text) for text in texts if text.isascii() and text.isdecimal()), None)
