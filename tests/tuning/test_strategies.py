"""What strategies suggest, that they suggest it again, and that Bayesian search learns."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import mean, median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corelab.tuning.child import Child
from corelab.tuning.plan import Prior, TuningPlan
from corelab.tuning.progress import best_child
from corelab.tuning.rules import plan_tuning
from corelab.tuning.strategies import Strategy
from tests.tuning.cases import (
    algorithm_of,
    categorical,
    child,
    config,
    continuous,
    integer,
    named,
    own,
    own_config,
    plan,
    ranges,
    several,
    tune,
)

MIXED = ranges(
    [integer("depth", "1", "12")],
    [continuous("rate", "0.00001", "1", "Logarithmic"), continuous("share", "0", "1")],
    [categorical("kind", "1", "2", "3")],
)
SQUARE = ranges(floats=[continuous(f"x{n}", "0", "1") for n in range(4)])
BRANIN = ranges(floats=[continuous("x", "-5", "10"), continuous("y", "0", "15")])


def mixed_loss(point: Mapping[str, float]) -> float:
    offset = {1: 0.5, 2: 0.0, 3: 1.0}[int(point["kind"])]
    return (
        (math.log10(point["rate"]) + 2.7) ** 2 + abs(point["depth"] - 6) / 10 + point["share"] / 10 + offset
    )


def square_loss(point: Mapping[str, float]) -> float:
    return sum((value - 0.2 * (n + 1)) ** 2 for n, value in enumerate(point.values()))


def branin_loss(point: Mapping[str, float]) -> float:
    x, y = point["x"], point["y"]
    valley = (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2
    return valley + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def loss_plan(
    space: Mapping[str, Any], strategy: str, seed: int = 0, jobs: int = 20, **settings: Any
) -> TuningPlan:
    return plan(own_config(space, strategy=strategy, jobs=jobs, RandomSeed=seed, **settings), own())


def tuned(children: list[Child]) -> list[Mapping[str, str]]:
    return [one.tuned for one in children]


def best_of(
    space: Mapping[str, Any], loss: Callable[[Mapping[str, float]], float], strategy: str, seed: int
) -> float:
    best = best_child(tune(Strategy(loss_plan(space, strategy, seed)), loss, parallel=2), maximize=False)
    assert best is not None and best.score is not None
    return best.score


@pytest.mark.parametrize(
    ("space", "loss"), [(MIXED, mixed_loss), (SQUARE, square_loss), (BRANIN, branin_loss)]
)
def test_twenty_Bayesian_jobs_find_better_values_than_twenty_random_ones(
    space: Mapping[str, Any], loss: Callable[[Mapping[str, float]], float]
) -> None:
    bayesian = [best_of(space, loss, "Bayesian", seed) for seed in range(10)]
    random = [best_of(space, loss, "Random", seed) for seed in range(10)]
    assert mean(bayesian) < 0.6 * mean(random)


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_the_same_seed_and_results_make_the_same_suggestions(strategy: str) -> None:
    runs = [tune(Strategy(loss_plan(MIXED, strategy, seed=3)), mixed_loss, parallel=3) for _ in range(2)]
    other = tune(Strategy(loss_plan(MIXED, strategy, seed=4)), mixed_loss, parallel=3)
    assert tuned(runs[0]) == tuned(runs[1])
    assert tuned(runs[0]) != tuned(other)


def test_random_suggestions_do_not_depend_on_results() -> None:
    first = tune(Strategy(loss_plan(MIXED, "Random")), mixed_loss, parallel=1)
    second = tune(Strategy(loss_plan(MIXED, "Random")), lambda point: -mixed_loss(point), parallel=5)
    assert tuned(first) == tuned(second)


def test_Bayesian_suggestions_do_depend_on_results() -> None:
    first = tune(Strategy(loss_plan(MIXED, "Bayesian")), mixed_loss)
    second = tune(Strategy(loss_plan(MIXED, "Bayesian")), lambda point: -mixed_loss(point))
    assert tuned(first) != tuned(second)


@settings(deadline=None, max_examples=15)
@given(
    cut=st.integers(0, 11),
    strategy=st.sampled_from(["Bayesian", "Random"]),
    ends=st.lists(st.sampled_from(["Completed", "Stopped", "Failed", "silent"]), min_size=12, max_size=12),
)
def test_a_strategy_rebuilt_from_its_children_goes_on_as_if_nothing_had_happened(
    cut: int, strategy: str, ends: list[str]
) -> None:
    before = Strategy(loss_plan(MIXED, strategy))
    over = []
    for end in ends:
        suggestion = before.ask()
        assert suggestion is not None
        loss = mixed_loss({name: float(text) for name, text in suggestion.tuned.items()})
        status, curve = ("Completed", ()) if end == "silent" else (end, (loss,))
        over.append(Child(suggestion.number, suggestion.tuned, status=status, curve=curve))
        before.tell(over[-1])
    rebuilt = Strategy.from_history(before.plan, reversed(over[:cut]))
    expected = before.ask() if cut == 12 else over[cut]
    again = rebuilt.ask()
    assert again is not None and expected is not None
    assert (again.number, again.tuned) == (expected.number, expected.tuned)


def test_children_still_running_steer_the_next_suggestion() -> None:
    told, told_more = (Strategy(loss_plan(MIXED, "Bayesian", jobs=40)) for _ in range(2))
    for strategy in (told, told_more):
        tune(strategy, mixed_loss, jobs=10)
    for _ in range(3):
        told_more.ask()
    first, later = told.ask(), told_more.ask()
    assert first is not None and later is not None
    assert later.number == first.number + 3
    assert later.tuned != first.tuned


def test_four_at_a_time_are_four_different_suggestions() -> None:
    strategy = Strategy(loss_plan(MIXED, "Bayesian"))
    suggestions = [strategy.ask() for _ in range(4)]
    assert len({str(one.tuned) for one in suggestions if one is not None}) == 4


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_no_point_is_tried_twice_while_others_are_left(strategy: str) -> None:
    small = ranges([integer("n", "1", "4")], texts=[categorical("k", "1", "2", "3")])
    children = tune(Strategy(loss_plan(small, strategy, jobs=12)), lambda point: point["n"])
    assert len({str(one) for one in tuned(children)}) == 12


def test_a_grid_visits_every_combination_once_and_then_has_no_more() -> None:
    space = ranges(texts=[categorical("a", "1", "2"), categorical("b", "7", "8", "9")])
    strategy = Strategy(plan(own_config(space, strategy="Grid", jobs=None), own()))
    children = tune(strategy, lambda point: point["a"], parallel=2)
    assert [(one.tuned["a"], one.tuned["b"]) for one in children] == [
        ("1", "7"), ("1", "8"), ("1", "9"), ("2", "7"), ("2", "8"), ("2", "9"),
    ]  # fmt: skip
    assert strategy.ask() is None
    assert Strategy.from_history(strategy.plan, children[:4]).ask().tuned == {"a": "2", "b": "8"}  # type: ignore[union-attr]


def test_tuned_hyperparameters_are_texts_within_their_ranges_and_integers_have_no_point() -> None:
    children = tune(Strategy(plan(config(jobs=12))), lambda point: point["eta"])
    assert {name for one in children for name in one.tuned} == {"max_depth", "eta"}
    assert all(
        one.tuned["max_depth"].isdecimal() and 2 <= int(one.tuned["max_depth"]) <= 8 for one in children
    )
    assert all(0.01 <= float(one.tuned["eta"]) <= 0.5 for one in children)


def test_definitions_take_turns_and_learn_apart() -> None:
    strategy = Strategy(plan_tuning(several(named("low"), named("high"), jobs=40), 1, algorithm_of))
    etas: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(40):
        suggestion = strategy.ask()
        assert suggestion is not None and suggestion.definition == (suggestion.number - 1) % 2
        eta = float(suggestion.tuned["eta"])
        etas[suggestion.definition].append(eta)
        score = eta if suggestion.definition else -eta
        strategy.tell(
            Child(suggestion.number, suggestion.tuned, suggestion.definition, "Completed", (score,))
        )
    assert mean(etas[0][10:]) < 0.2 < 0.3 < mean(etas[1][10:])


def priors_near(rate: float, source: str, scale: float) -> list[Prior]:
    """Results of a parent whose best values lie around one learning rate."""
    points = [
        {"depth": str(n % 12 + 1), "rate": repr(10 ** (-5 + n * 0.2)), "share": "0.5", "kind": "2"}
        for n in range(25)
    ]
    return [
        Prior(source, 0, p, scale * (math.log10(float(p["rate"])) - math.log10(rate)) ** 2) for p in points
    ]


def distance(one: Child) -> float:
    """How many magnitudes a learning rate is away from the best one."""
    return abs(math.log10(float(one.tuned["rate"])) + 2.7)


@pytest.mark.parametrize("kind", ["IdenticalDataAndAlgorithm", "TransferLearning"])
def test_a_warm_start_begins_where_its_parents_were_good(kind: str) -> None:
    warm = replace(loss_plan(MIXED, "Bayesian", jobs=6), transfer=kind == "TransferLearning")
    scale = 1000.0 if warm.transfer else 1.0
    cold = tune(Strategy(warm), mixed_loss)
    started = tune(Strategy(warm, priors_near(0.002, "parent", scale)), mixed_loss)
    assert median(map(distance, started)) < 0.5 * median(map(distance, cold))


def test_transferred_results_of_another_scale_do_not_hide_the_jobs_own() -> None:
    warm = replace(loss_plan(SQUARE, "Bayesian"), transfer=True)
    far = [Prior("p", 0, {f"x{i}": repr(n / 10) for i in range(4)}, -1e6 - n) for n in range(10)]
    best = best_child(tune(Strategy(warm, far), square_loss), maximize=False)
    assert best is not None and best.score is not None and best.score < 0.12


def test_what_a_child_is_told_twice_counts_once() -> None:
    strategies = [Strategy(loss_plan(MIXED, "Bayesian")) for _ in range(2)]
    for strategy, times in zip(strategies, (1, 3), strict=True):
        for _ in range(8):
            suggestion = strategy.ask()
            assert suggestion is not None
            done = child(suggestion.number, float(suggestion.tuned["depth"]), tuned=suggestion.tuned)
            for _ in range(times):
                strategy.tell(done)
    assert strategies[0].ask() == strategies[1].ask()


def test_a_strategy_stops_nobody_without_early_stopping_and_nobody_it_does_not_know() -> None:
    strategy = Strategy(plan())
    strategy.ask()
    assert not strategy.should_stop(1, [0.1])
    assert not strategy.should_stop(99, [0.1])


def test_early_stopping_compares_with_the_children_that_were_told() -> None:
    strategy = Strategy(plan(config(TrainingJobEarlyStoppingType="Auto")))
    for number in range(1, 4):
        strategy.ask()
        strategy.tell(child(number, 0.7, 0.72, 0.74, 0.76, 0.77, 0.78, 0.79, 0.8))
    suggestion = strategy.ask()
    assert suggestion is not None
    assert not strategy.should_stop(suggestion.number, [0.7, 0.72, 0.75])
    assert strategy.should_stop(suggestion.number, [0.5, 0.5, 0.5])
    strategy.tell(child(suggestion.number, 0.5, 0.5, 0.5, status="Stopped"))
    assert not strategy.should_stop(suggestion.number, [0.5, 0.5, 0.5])


def test_importing_strategies_and_rules_does_not_load_optuna_or_numpy() -> None:
    code = (
        "import sys, corelab.tuning.strategies, corelab.tuning.rules, corelab.tuning.summaries, "
        "corelab.tuning.importance, corelab.tuning.naming; sys.exit('optuna' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
