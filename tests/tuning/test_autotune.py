"""Autotune fills in what a request leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from corelab.errors import AWSError
from corelab.tuning.autotune import resolve
from corelab.tuning.plan import TuningPlan
from corelab.tuning.rules import plan_tuning
from tests.tuning.cases import (
    algorithm_of,
    config,
    continuous,
    definition,
    named,
    own,
    own_config,
    plan,
    ranges,
    request,
)

STATIC = {"objective": "binary:logistic"}


def hints(**values: str) -> dict[str, Any]:
    return {"AutoParameters": [{"Name": name, "ValueHint": text} for name, text in values.items()]}


def tuned_by_itself(
    space: dict[str, Any] | None, training: dict[str, Any] | None = None, **settings: Any
) -> TuningPlan:
    open_config = config(jobs=None, **settings)
    open_config["ParameterRanges"] = space
    given = {key: value for key, value in open_config.items() if value is not None}
    return plan(given, training or definition(StaticHyperParameters=STATIC), Autotune={"Mode": "Enabled"})


def bounds(made: TuningPlan) -> dict[str, tuple[float, float]]:
    return {r.name: (r.low, r.high) for r in made.definitions[0].space if r.kind != "Categorical"}


def test_without_ranges_the_algorithms_most_effective_ones_are_searched_as_AWS_recommends() -> None:
    assert bounds(tuned_by_itself(None)) == {
        "num_round": (1, 4000), "alpha": (0, 1000), "min_child_weight": (0, 120), "subsample": (0.5, 1), "eta": (0.1, 0.5),
    }  # fmt: skip


def test_what_is_static_stays_so() -> None:
    made = tuned_by_itself(None, definition(StaticHyperParameters={"num_round": "50", "eta": "0.2"}))
    assert set(bounds(made)) == {"alpha", "min_child_weight", "subsample"}
    assert made.definitions[0].static == {"num_round": "50", "eta": "0.2"}


def test_hinted_hyperparameters_are_searched_around_their_hints_or_kept() -> None:
    made = tuned_by_itself(hints(eta="0.05", max_depth="14", objective="binary:logistic", nthread="2"))
    assert bounds(made) == {"max_depth": (0, 14), "eta": (0.05, 0.5)}
    assert made.definitions[0].static == {"objective": "binary:logistic", "nthread": "2"}


def test_ranges_of_the_request_win() -> None:
    made = tuned_by_itself({**ranges(floats=[continuous("eta", "0.2", "0.3")]), **hints(gamma="1")})
    assert bounds(made) == {"eta": (0.2, 0.3), "gamma": (0, 5)}


def test_settings_left_open_are_chosen() -> None:
    made = tuned_by_itself(None)
    assert (made.max_jobs, made.early_stopping, made.completion.on_convergence) == (50, True, True)
    assert made.definitions[0].request["RetryStrategy"] == {"MaximumRetryAttempts": 3}


def test_settings_that_were_given_are_kept() -> None:
    criteria = {"TargetObjectiveMetricValue": 0.9}
    made = tuned_by_itself(None, TrainingJobEarlyStoppingType="Off", TuningJobCompletionCriteria=criteria)
    assert (made.early_stopping, made.completion.on_convergence, made.completion.target) == (
        False,
        False,
        0.9,
    )
    limited = plan(config(jobs=4), Autotune={"Mode": "Enabled"})
    assert limited.max_jobs == 4


def test_a_container_of_ones_own_is_tuned_around_number_hints() -> None:
    space = hints(units="64", rate="0.01", dropout="0.3", size="12.5", kind="relu", zero="0")
    made = plan(own_config(space, jobs=None), own(), Autotune={"Mode": "Enabled"})
    found = bounds(made)
    assert found["units"] == (16, 256)
    assert found["rate"] == pytest.approx((0.001, 0.1))
    assert found["dropout"] == pytest.approx((0.03, 1.0))
    assert found["size"] == pytest.approx((1.25, 125))
    assert made.definitions[0].static == {"kind": "relu", "zero": "0"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (request(own_config({}), own(), Autotune={"Mode": "Enabled"}), "found no hyperparameter"),
        (request(config("Grid"), Autotune={"Mode": "Enabled"}), "Grid strategy cannot search"),
    ],
)
def test_what_autotune_cannot_do_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(AWSError, match=words):
        plan_tuning(wrong, 1, algorithm_of)


def test_several_definitions_are_each_resolved() -> None:
    shared = config(jobs=None)
    del shared["HyperParameterTuningJobObjective"], shared["ParameterRanges"]
    definitions = [named("a", HyperParameterRanges=None), named("b", HyperParameterRanges=hints(gamma="1"))]
    whole = request(shared, TrainingJobDefinitions=definitions, Autotune={"Mode": "Enabled"})
    del whole["TrainingJobDefinition"]
    made = plan_tuning(whole, 1, algorithm_of)
    assert [len(d.space) for d in made.definitions] == [4, 1]
    assert not made.early_stopping


def test_resolving_twice_or_without_autotune_changes_nothing() -> None:
    plain = request()
    assert resolve(plain, algorithm_of) == plain
    once = resolve(request(Autotune={"Mode": "Enabled"}), algorithm_of)
    assert resolve(once, algorithm_of) == once
