"""Early stopping "Auto": a child worse than the median of what others had averaged by the same step is stopped.

step                1     2     3     4
earlier child A   .60   .70   .74   .76     running averages  .60  .65  .68  .70
earlier child B   .50   .58   .60   .61                       .50  .54  .56  .57
earlier child C   .55   .66   .70   .72                       .55  .605 .637 .658
median of averages                                            .55  .605 .637 .658
running child     .45   .52   .55 ◀ stopped here: .55 is worse than .637
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import median

from corelab.tuning.child import Child

# AWS names the rule but not its safeguards; without these the first noisy steps would stop half of all children.
_PEERS = 3  # fewer earlier children are no comparison
_GRACE = 0.25  # of the usual length is trained before anything is decided, and at least
_FIRST = 2  # steps: a metric that comes once, at the end, stops nobody


class MedianRule:
    """AMT's early stopping for the children of one definition.

    It needs the objective metric once per epoch: what a child emits only at its end cannot stop it.
    """

    def __init__(self, maximize: bool) -> None:
        self._maximize = maximize
        self._averages: list[list[float]] = []
        self._lengths: list[int] = []
        self._thresholds: dict[int, float | None] = {}

    def record(self, child: Child) -> None:
        """A child that has ended with an objective; others teach nothing."""
        if child.score is None:
            return
        self._averages.append([total / step for step, total in enumerate(accumulate(child.curve), 1)])
        if child.status == "Completed":
            self._lengths.append(len(child.curve))
        self._thresholds.clear()

    def should_stop(self, curve: Sequence[float]) -> bool:
        """Whether a running child with these objective values so far is to be stopped now."""
        step = len(curve)
        if step < self._grace():
            return False
        threshold = self._threshold(step)
        if threshold is None:
            return False
        return curve[-1] < threshold if self._maximize else curve[-1] > threshold

    def _grace(self) -> float:
        usual = median(self._lengths) if self._lengths else math.inf
        return max(_FIRST, _GRACE * usual)

    def _threshold(self, step: int) -> float | None:
        if step not in self._thresholds:
            peers = [averages[step - 1] for averages in self._averages if len(averages) >= step]
            self._thresholds[step] = median(peers) if len(peers) >= _PEERS else None
        return self._thresholds[step]
