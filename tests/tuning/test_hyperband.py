"""Hyperband's brackets, rungs and stops."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.tuning.hyperband import Brackets, bracket_of, rungs
from corelab.tuning.plan import Resource
from corelab.tuning.strategies import Strategy
from tests.tuning.cases import child, config, definition, plan


def in_bracket(bracket: int, brackets: int, count: int) -> list[int]:
    """The first numbers of children that a bracket gets."""
    return [number for number in range(1, 400) if bracket_of(number, brackets) == bracket][:count]


def test_rungs_grow_threefold_and_each_bracket_starts_one_later() -> None:
    assert rungs(Resource(1, 81)) == [[1, 3, 9, 27], [3, 9, 27], [9, 27], [27], []]


def test_brackets_get_children_in_the_proportions_of_hyperband() -> None:
    counts = Counter(bracket_of(number, 5) for number in range(1, 144))
    assert [counts[bracket] for bracket in range(5)] == [81, 34, 15, 8, 5]


def test_the_first_twenty_children_are_spread_over_the_brackets() -> None:
    assert len({bracket_of(number, 5) for number in range(1, 21)}) >= 4


def test_only_the_best_third_at_a_rung_goes_on() -> None:
    brackets = Brackets(Resource(1, 81), maximize=True)
    numbers = in_bracket(0, 5, 6)
    values = [0.5, 0.6, 0.7, 0.4, 0.65, 0.8]
    stopped = [brackets.should_stop(n, [v], None) for n, v in zip(numbers, values, strict=True)]
    # The first two come before there is a comparison; .7 leads; .4 and .65 do not; .8 is among two of six.
    assert stopped == [False, False, False, True, True, False]


def test_the_order_turns_around_for_a_metric_to_be_minimized() -> None:
    brackets = Brackets(Resource(1, 81), maximize=False)
    numbers = in_bracket(0, 5, 3)
    assert [brackets.should_stop(n, [v], None) for n, v in zip(numbers, (0.1, 0.2, 0.3), strict=True)] == [
        False,
        False,
        True,
    ]


def test_nobody_is_stopped_between_rungs_or_below_the_minimum() -> None:
    brackets = Brackets(Resource(4, 100), maximize=True)
    for number in in_bracket(0, 4, 9):
        assert not brackets.should_stop(number, [0.5 - number / 1000] * 3, None)


def test_a_rung_passed_in_a_burst_of_values_is_still_judged_by_its_own_value() -> None:
    brackets = Brackets(Resource(1, 81), maximize=True)
    first, second, third = in_bracket(0, 5, 3)
    brackets.record(first, [0.5])
    brackets.record(second, [0.6])
    assert brackets.should_stop(third, [0.1, 0.9], None)


def test_a_child_in_the_last_bracket_runs_to_the_maximum_and_is_stopped_there() -> None:
    brackets = Brackets(Resource(1, 9), maximize=True)
    number = in_bracket(2, 3, 1)[0]
    assert not brackets.should_stop(number, [0.1] * 8, None)
    assert brackets.should_stop(number, [0.1] * 9, None)


@pytest.mark.parametrize(("length", "stopped"), [(9, False), (10, True), (None, True)])
def test_a_child_that_ends_by_itself_at_the_maximum_is_left_to_do_so(
    length: int | None, stopped: bool
) -> None:
    brackets = Brackets(Resource(9, 9), maximize=True)
    assert brackets.should_stop(1, [0.1] * 9, length) is stopped


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_rungs_lie_between_the_minimum_and_the_maximum(low: int, high: int) -> None:
    ladders = rungs(Resource(min(low, high), max(low, high)))
    assert ladders[-1] == []
    assert all(min(low, high) <= rung < max(low, high) for ladder in ladders for rung in ladder)


def test_a_rebuilt_strategy_judges_by_the_children_from_before() -> None:
    settings = config("Hyperband", StrategyConfig={"HyperbandStrategyConfig": {"MaxResource": 81}})
    made = plan(settings, definition(StaticHyperParameters={"num_round": "200"}))
    numbers = in_bracket(0, 5, 4)
    history = [
        child(
            n, 0.8, tuned={"max_depth": "3", "eta": "0.1"}, status="Failed" if n == numbers[0] else "Stopped"
        )
        for n in range(1, numbers[3])
    ]
    strategy = Strategy.from_history(made, history)
    suggestion = strategy.ask()
    assert suggestion is not None and suggestion.number == numbers[3]
    assert strategy.should_stop(suggestion.number, [0.7])


def test_a_strategy_leaves_children_alone_whose_rounds_end_at_the_maximum() -> None:
    settings = config(
        "Hyperband", StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 50, "MaxResource": 50}}
    )
    for rounds, stopped in (("50", False), ("60", True)):
        strategy = Strategy(plan(settings, definition(StaticHyperParameters={"num_round": rounds})))
        strategy.ask()
        assert strategy.should_stop(1, [0.5] * 50) is stopped
