"""Warm start: who may be a parent, and what parents pass on."""

from __future__ import annotations

from typing import Any

import pytest

from corelab.errors import AWSError
from corelab.tuning.plan import TuningPlan, TuningQuotas
from corelab.tuning.rules import plan_tuning
from corelab.tuning.strategies import Strategy
from corelab.tuning.warm_start import Parent, overall_best, parent_names, priors
from tests.tuning.cases import (
    algorithm_of,
    categorical,
    child,
    config,
    continuous,
    definition,
    integer,
    named,
    own,
    own_config,
    plan,
    ranges,
    request,
    several,
)

IDENTICAL, TRANSFER = "IdenticalDataAndAlgorithm", "TransferLearning"
STATIC = {"num_round": "50", "objective": "binary:logistic"}
RESULTS = (
    child(1, 0.80, tuned={"max_depth": "3", "eta": "0.1"}, name="p-001"),
    child(2, 0.84, tuned={"max_depth": "6", "eta": "0.4"}, name="p-002"),
    child(3, tuned={"max_depth": "7", "eta": "0.2"}, name="p-003"),
    child(4, 0.9, tuned={"max_depth": "7", "eta": "0.3"}, status="Failed", name="p-004"),
)


def parent(
    made: TuningPlan | None = None, status: str = "Completed", children: tuple[Any, ...] = RESULTS
) -> Parent:
    return Parent(made or plan(), status, children)


def warm(
    settings: Any = None, training: Any = None, kind: str = IDENTICAL, names: tuple[str, ...] = ("p",)
) -> dict[str, Any]:
    start = {
        "WarmStartType": kind,
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name} for name in names],
    }
    return request(settings, training, WarmStartConfig=start)


def checked(
    given: dict[str, Any], parents: dict[str, Parent], quotas: TuningQuotas | None = None
) -> TuningPlan:
    return plan_tuning(given, 1, algorithm_of, parents, quotas or TuningQuotas())


GREY = own(StaticHyperParameters={"colour": "grey"})
COLOURS = own_config(ranges(floats=[continuous("x", "0", "1")]))
RENAMED = {f"s{n}": "1" for n in range(11)}


@pytest.mark.parametrize(
    ("given", "parents", "words"),
    [
        (warm(), {}, "parent hyperparameter tuning job p of the warm start does not exist"),
        (warm(), {"p": parent(status="InProgress")}, "in status InProgress"),
        (warm(), {"p": parent(status="Stopping")}, "in status Stopping"),
        (warm(names=("p", "p")), {"p": parent()}, "more than once"),
        (warm(config(objective=("Maximize", "validation:f1"))), {"p": parent()}, "objective metric"),
        (warm(config(objective=("Minimize", "validation:auc"))), {"p": parent()}, "objective metric"),
        (
            warm(training=definition(StaticHyperParameters={**STATIC, "seed": "1"})),
            {"p": parent()},
            "has 5 static and tunable hyperparameters, its parent p has 4",
        ),
        (
            warm(
                config(
                    space=ranges(
                        floats=[continuous("eta", "0.1", "0.2")], texts=[categorical("max_depth", "3")]
                    )
                )
            ),
            {"p": parent()},
            "max_depth is Categorical in the tuning job, but Integer",
        ),
        (
            warm(
                own_config(ranges(floats=[continuous("x", "0", "1")])),
                own(StaticHyperParameters=RENAMED),
                TRANSFER,
            ),
            {
                "p": parent(
                    plan(
                        own_config(COLOURS["ParameterRanges"]),
                        own(StaticHyperParameters=dict.fromkeys(RENAMED, "2")),
                    )
                )
            },
            "11 changes",
        ),
        (
            warm(training=definition(InputDataConfig=[{"ChannelName": "other"}])),
            {"p": parent()},
            "InputDataConfig differs",
        ),
        (
            warm(
                training=definition(
                    AlgorithmSpecification={
                        **definition()["AlgorithmSpecification"],
                        "TrainingImage": "other:2",
                    }
                )
            ),
            {"p": parent()},
            "A metric is required",
        ),
        (
            {**several(named("a"), named("b")), "WarmStartConfig": warm()["WarmStartConfig"]},
            {"p": parent()},
            "several",
        ),
    ],
)
def test_a_parent_that_cannot_teach_is_refused(
    given: dict[str, Any], parents: dict[str, Parent], words: str
) -> None:
    with pytest.raises(AWSError, match=words) as refused:
        checked(given, parents)
    assert refused.value.code == "ValidationException"


def test_another_image_needs_transfer_learning() -> None:
    old = plan(COLOURS, GREY)
    algorithm = {**GREY["AlgorithmSpecification"], "TrainingImage": "other:2"}
    changed = own(StaticHyperParameters={"colour": "grey"}, AlgorithmSpecification=algorithm)
    with pytest.raises(AWSError, match="AlgorithmSpecification differs"):
        checked(warm(COLOURS, changed), {"p": parent(old)})
    assert checked(warm(COLOURS, changed, TRANSFER), {"p": parent(old)}).transfer


def test_each_category_made_static_and_each_text_changed_counts_as_AWS_counts() -> None:
    many = ranges(floats=[continuous("x", "0", "1")], texts=[categorical("colour", *"abcdefghij")])
    made_static = warm(COLOURS, GREY)
    assert checked(made_static, {"p": parent(plan(own_config(many), own()))}).max_jobs == 20
    more = ranges(floats=[continuous("x", "0", "1")], texts=[categorical("colour", *"abcdefghijk")])
    with pytest.raises(AWSError, match="11 changes"):
        checked(made_static, {"p": parent(plan(own_config(more), own()))})
    texts = [{f"s{n}": word for n in range(6)} for word in ("red", "blue")]
    with pytest.raises(AWSError, match="12 changes"):
        old = plan(COLOURS, own(StaticHyperParameters=texts[0]))
        checked(warm(COLOURS, own(StaticHyperParameters=texts[1])), {"p": parent(old)})


def test_children_of_parents_count_against_the_quota() -> None:
    small = TuningQuotas(training_jobs=23)
    assert checked(warm(config(jobs=19)), {"p": parent()}, small).max_jobs == 19
    with pytest.raises(AWSError, match="24 training jobs together"):
        checked(warm(config(jobs=20)), {"p": parent()}, small)


def test_parents_pass_on_their_results_and_nothing_else() -> None:
    passed = priors(plan(), {"p": parent()})
    assert [(one.source, one.score, one.tuned["max_depth"]) for one in passed] == [
        ("p", 0.80, "3"),
        ("p", 0.84, "6"),
    ]


def test_results_outside_the_new_ranges_are_left_out() -> None:
    narrow = ranges([integer("max_depth", "5", "8")], [continuous("eta", "0.01", "0.5")])
    assert [one.score for one in priors(plan(config(space=narrow)), {"p": parent()})] == [0.84]


def test_what_a_parent_kept_static_is_known_when_it_is_tuned_now() -> None:
    wider = ranges(
        [integer("max_depth", "2", "8"), integer("num_round", "10", "100")],
        [continuous("eta", "0.01", "0.5")],
    )
    new = plan(config(space=wider), definition(StaticHyperParameters={"objective": "binary:logistic"}))
    assert [one.tuned["num_round"] for one in priors(new, {"p": parent()})] == ["50", "50"]


def test_the_overall_best_is_sought_among_parents_too_but_only_on_identical_data() -> None:
    same = checked(warm(), {"p": parent()})
    own_best = child(1, 0.82, name="new-001")
    found = overall_best(same, [own_best], [parent()])
    assert found is not None and found[1].name == "p-002"
    found = overall_best(same, [child(1, 0.85, name="new-001")], [parent()])
    assert found is not None and found[1].name == "new-001"
    assert overall_best(checked(warm(kind=TRANSFER), {"p": parent()}), [own_best], [parent()]) is None
    assert overall_best(same, [], [parent(children=())]) is None


def test_the_first_suggestion_of_a_warm_start_is_near_what_was_best_before() -> None:
    taught = tuple(
        child(n, 0.9 - abs(0.05 * n - 0.2), tuned={"max_depth": "4", "eta": repr(0.05 * n)})
        for n in range(1, 10)
    )
    made = checked(warm(), {"p": parent(children=taught)})
    suggestion = Strategy(made, priors(made, {"p": parent(children=taught)})).ask()
    assert suggestion is not None
    assert 0.1 < float(suggestion.tuned["eta"]) < 0.3


def test_parent_names_are_read_from_the_request() -> None:
    assert parent_names(warm(names=("a", "b"))) == ["a", "b"]
    assert parent_names(request()) == []
