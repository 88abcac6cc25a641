"""Which hyperparameter mattered."""

from __future__ import annotations

from pathlib import Path

import pytest

from corelab.errors import BadArgument, CorelabError
from corelab.tuning.child import Child
from corelab.tuning.importance import Result, importance, importance_apart
from corelab.tuning.strategies import Strategy
from tests.tuning.cases import categorical, continuous, integer, own, own_config, plan, ranges, tune

SPACE = ranges(
    [integer("depth", "1", "10")],
    [continuous("eta", "0.001", "1", "Logarithmic")],
    [categorical("noise", "1", "2")],
)
DEPTH = ranges([integer("depth", "1", "10")])


def results(children: list[Child]) -> list[Result]:
    return [(child.tuned, child.score) for child in children if child.score is not None]


@pytest.mark.parametrize("method", ["fanova", "impurity"])
@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_the_hyperparameter_that_moves_the_objective_most_leads(method: str, strategy: str) -> None:
    made = plan(own_config(SPACE, strategy=strategy, RandomSeed=1), own())
    children = tune(Strategy(made), lambda point: (point["depth"] - 4) ** 2 + 0.1 * point["eta"])
    shares = importance(SPACE, results(children), maximize=False, method=method)
    assert next(iter(shares)) == "depth"
    assert shares["depth"] > 0.6
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_the_light_method_finds_a_clear_leader_among_random_results() -> None:
    made = plan(own_config(SPACE, strategy="Random", jobs=60, RandomSeed=1), own())
    children = tune(Strategy(made), lambda point: (point["depth"] - 4) ** 2)
    shares = importance(SPACE, results(children), maximize=False, method="ped-anova")
    assert next(iter(shares)) == "depth"


def test_a_process_of_its_own_gives_the_same_shares_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "optuna.py").write_text("raise SystemExit('imported a file of the working directory')")
    monkeypatch.chdir(tmp_path)
    points = [({"depth": str(n), "eta": repr(0.01 * n), "noise": "1"}, n * n / 10) for n in range(1, 10)]
    assert importance_apart(SPACE, points, True) == importance(SPACE, points, True)


def test_a_failing_process_is_reported_with_its_last_words() -> None:
    with pytest.raises(CorelabError, match=r"could not be computed: .*must be one of"):
        importance_apart(DEPTH, [], True, method="shap")


def test_there_is_nothing_to_explain_without_two_different_results() -> None:
    assert importance(DEPTH, [], True) == {}
    assert importance(DEPTH, [({"depth": "3"}, 0.5)], True) == {}
    assert importance(DEPTH, [({"depth": str(n)}, 0.5) for n in range(1, 6)], True) == {}


def test_results_from_another_space_are_left_out() -> None:
    assert (
        importance(DEPTH, [({"width": "3"}, 0.5), ({"depth": "11"}, 0.6), ({"depth": "3"}, 0.7)], True) == {}
    )


def test_an_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(BadArgument, match="fanova, impurity, ped-anova; got 'shap'"):
        importance(DEPTH, [], True, method="shap")
