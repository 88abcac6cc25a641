"""Every rule between the fields of a tuning job's request has its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from corelab.errors import AWSError
from corelab.tuning.plan import TuningQuotas
from corelab.tuning.rules import plan_tuning
from tests.tuning.cases import (
    DEPTH_AND_ETA,
    LOSS,
    OBJECTIVE,
    XGBOOST_IMAGE,
    algorithm_of,
    categorical,
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

X = ranges(floats=[continuous("x", "0", "1")])
GRID = ranges(texts=[categorical("a", "1", "2"), categorical("b", "x", "y", "z")])
NO_METRIC = "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions."


def hyperband(**given: int) -> dict[str, Any]:
    return {"StrategyConfig": {"HyperbandStrategyConfig": given}}


def flexible(**resources: Any) -> dict[str, Any]:
    return definition(ResourceConfig=None, HyperParameterTuningResourceConfig=resources)


def many(count: int, prefix: str = "p") -> list[dict[str, str]]:
    return [continuous(f"{prefix}{n}", "0", "1") for n in range(count)]


def refusal(wrong: Mapping[str, Any], **limits: Any) -> AWSError:
    with pytest.raises(AWSError) as refused:
        plan_tuning(wrong, seed=1, algorithm_of=algorithm_of, **limits)
    return refused.value


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        # Fact 45 and 46
        (
            request(own_config(GRID, strategy="Grid", jobs=5), own()),
            "equal to the number of combinations, 6, but is 5",
        ),
        (request(own_config(X, strategy="Grid", jobs=None), own()), "categorical hyperparameters only"),
        (
            request(own_config(ranges([integer("n", "1", "3")]), strategy="Grid", jobs=3), own()),
            "categorical hyperp",
        ),
        # Fact 47
        (
            request(own_config(ranges(floats=[continuous("x", "0", "1", "Logarithmic")])), own()),
            "greater than 0",
        ),
        (request(own_config(ranges([integer("n", "0", "9", "ReverseLogarithmic")])), own()), "continuous"),
        # Fact 48
        (request(config("Hyperband")), "Hyperband needs MaxResource"),
        (
            request(config("Hyperband", TrainingJobEarlyStoppingType="Auto", **hyperband(MaxResource=9))),
            "TrainingJobEarlyStoppingType must be Off",
        ),
        (request(config("Hyperband", **hyperband(MaxResource=20_001))), "less than or equal to 20000"),
        (
            request(config("Hyperband", **hyperband(MinResource=10, MaxResource=9))),
            "MinResource must be less than",
        ),
        (
            request(config("Hyperband"), definition(StaticHyperParameters={"epochs": "many"})),
            "Hyperband needs MaxResource",
        ),
        (request(config(**hyperband(MaxResource=9))), "only with the Hyperband strategy"),
        # Fact 50
        (request(config(objective=("Minimize", "loss"))), NO_METRIC),
        (request(config(objective=("Maximize", "train:auc"))), NO_METRIC),
        (request(own_config(X), own(AlgorithmSpecification={"TrainingInputMode": "File"})), NO_METRIC),
        # Ranges
        (
            request(config(space=ranges(floats=[continuous("eta", "0.5", "0.1")]))),
            "less than or equal to MaxValue",
        ),
        (request(config(space=ranges())), "at least one hyperparameter range"),
        (
            request(config(space=ranges(floats=[continuous("eta", "0", "1.5")]))),
            r"eta holds 1.5, which is not in \[0, 1\]",
        ),
        (request(config(space=ranges(floats=[continuous("subsample", "0", "1")]))), r"not in \(0, 1\]"),
        (request(config(space=ranges([integer("num_round", "0", "9")]))), "num_round"),
        (request(config(space=ranges(floats=[continuous("max_depth", "1", "9")]))), "IntegerParameterRanges"),
        (
            request(config(space=ranges(texts=[categorical("max_depth", "3", "deep")]))),
            "'deep', which is no integer",
        ),
        (
            request(config(space=ranges(texts=[categorical("max_depth", "3", "5.5")]))),
            "'5.5', which is no integer",
        ),
        (
            request(config(space=ranges([integer("nthread", "1", "2")]))),
            r"\[nthread\] of the algorithm xgboost are not",
        ),
        (request(config(space=ranges(floats=[continuous("learning_rate", "0.1", "0.2")]))), "learning_rate"),
        # Hyperparameters
        (
            request(config(), definition(StaticHyperParameters={"eta": "0.1", "num_round": "9"})),
            r"\[eta\] are both static and tunable",
        ),
        (
            request(own_config(ranges(texts=[categorical("_tuning_objective_metric", "a")]), jobs=1), own()),
            "set by",
        ),
        (request(own_config(ranges(many(20), many(20, "q"))), own()), "at most 30 hyperparameters, but 40"),
        (request(own_config(ranges(floats=many(31))), own()), "at most 30"),
        (
            request(own_config(X), own(StaticHyperParameters={f"s{n}": "1" for n in range(99)})),
            "at most 100 static and tunable",
        ),
        (
            request(
                own_config(X),
                own(
                    AlgorithmSpecification={
                        "TrainingInputMode": "File",
                        "MetricDefinitions": [*LOSS, *({"Name": f"m{n}", "Regex": "m"} for n in range(20))],
                    }
                ),
            ),
            "at most 20 metric definitions, but 21",
        ),
        # One definition or several
        (request(TrainingJobDefinitions=[named("a")]), "exactly one of TrainingJobDefinition and"),
        (
            {**request(), "TrainingJobDefinition": definition(TuningObjective=OBJECTIVE)},
            r"\[TuningObjective\]",
        ),
        (several(named("a"), named("a")), "must be unique"),
        (
            several(definition(TuningObjective=OBJECTIVE, HyperParameterRanges=DEPTH_AND_ETA)),
            "needs a DefinitionName",
        ),
        (several(named("a", TuningObjective=None)), NO_METRIC),
        (
            several(named("a", HyperParameterRanges=None)),
            "HyperParameterRanges in the training job definition a",
        ),
        (
            several(
                named("a"), named("b", TuningObjective={"Type": "Minimize", "MetricName": "validation:error"})
            ),
            "same objective Type",
        ),
        (
            several(named("a"), named("b"), TrainingJobEarlyStoppingType="Auto"),
            "not available for tuning jobs with",
        ),
        # Instances
        (request(training=definition(ResourceConfig=None)), "exactly one of ResourceConfig"),
        (
            request(
                training=definition(
                    HyperParameterTuningResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1}
                )
            ),
            "exactly one of ResourceConfig",
        ),
        (
            request(
                training=flexible(
                    InstanceType="ml.m5.large",
                    InstanceConfigs=[{"InstanceType": "ml.m5.large", "InstanceCount": 1}],
                )
            ),
            r"either InstanceConfigs or \[InstanceType\]",
        ),
        (
            request(
                training=flexible(
                    InstanceType="ml.m5.large", InstanceCount=1, AllocationStrategy="Prioritized"
                )
            ),
            "orders InstanceConfigs",
        ),
        (
            request(training=definition(ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 0})),
            "at least 1",
        ),
        # Limits
        (request(config(jobs=None)), "would not end"),
        (
            request(config(jobs=10, space=ranges([integer("max_depth", "2", "4")]))),
            r"provided ranges \[3.0\] must be equal or greater than the value of MaxNumberOfJobs, \[10\]",
        ),
        (
            request(config(TuningJobCompletionCriteria={"TargetObjectiveMetricValue": float("nan")})),
            "finite number",
        ),
        (
            request(config(space={**DEPTH_AND_ETA, "AutoParameters": [{"Name": "eta", "ValueHint": "1"}]})),
            "Autotune",
        ),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_with_its_reason(wrong: dict[str, Any], words: str) -> None:
    error = refusal(wrong)
    assert error.code == "ValidationException"
    with pytest.raises(AWSError, match=words):
        raise error


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (request(config(parallel=11)), "is 10 Training Jobs, with current utilization of 0 Training Jobs"),
        (request(config(jobs=751)), "is 750 Training Jobs"),
        (request(config("Random", jobs=10_001)), "is 10000 Training Jobs"),
    ],
)
def test_a_request_over_a_quota_is_refused_as_AWS_refuses_it(wrong: dict[str, Any], words: str) -> None:
    error = refusal(wrong)
    assert error.code == "ResourceLimitExceeded"
    assert words in str(error)


def test_the_hundred_and_first_running_tuning_job_is_over_the_quota() -> None:
    assert plan_tuning(request(), 1, algorithm_of, running_tuning_jobs=99).max_jobs == 20
    assert refusal(request(), running_tuning_jobs=100).code == "ResourceLimitExceeded"


def test_quotas_can_be_raised() -> None:
    raised = plan_tuning(
        request(config(parallel=20)), 1, algorithm_of, quotas=TuningQuotas(parallel_training_jobs=100)
    )
    assert raised.max_parallel == 20


def test_random_search_may_have_ten_thousand_jobs() -> None:
    assert plan(config("Random", jobs=10_000)).max_jobs == 10_000


def test_a_plan_says_what_its_request_said() -> None:
    criteria = {
        "TargetObjectiveMetricValue": 0.9,
        "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 5},
        "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"},
    }
    read = plan(
        config(RandomSeed=3, TrainingJobEarlyStoppingType="Auto", TuningJobCompletionCriteria=criteria)
    )
    assert (read.seed, read.early_stopping, read.maximize) == (3, True, True)
    assert (read.completion.target, read.completion.not_improving, read.completion.on_convergence) == (
        0.9,
        5,
        True,
    )
    assert read.definitions[0].space.names == ("max_depth", "eta")


def test_a_seed_is_only_made_up_where_the_request_has_none() -> None:
    assert plan(config()).seed == 7
    assert plan(config(RandomSeed=0)).seed == 0


def test_several_definitions_each_search_their_own_ranges() -> None:
    read = plan_tuning(several(named("a"), named("b"), jobs=4), 1, algorithm_of)
    assert [d.name for d in read.definitions] == ["a", "b"]


@pytest.mark.parametrize("key", ["epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs"])
def test_Hyperband_reads_its_maximum_from_the_static_epochs(key: str) -> None:
    resource = (
        plan(own_config(X, strategy="Hyperband"), own(StaticHyperParameters={key: "27"}))
        .definitions[0]
        .resource
    )
    assert resource is not None
    assert (resource.minimum, resource.maximum) == (1, 27)


def test_a_grid_counts_its_combinations_itself() -> None:
    assert plan(own_config(GRID, strategy="Grid", jobs=None), own()).max_jobs == 6
    assert plan(own_config(GRID, strategy="Grid", jobs=6), own()).max_jobs == 6


def test_built_in_hyperparameters_may_be_given_as_categories_or_whole_numbers() -> None:
    mixed = ranges([integer("min_child_weight", "1", "9")], texts=[categorical("max_depth", "3", "5")])
    assert plan(config(jobs=4, space=mixed)).definitions[0].space.combinations == 18


def test_a_container_of_ones_own_may_tune_any_name() -> None:
    assert (
        plan(own_config(ranges(floats=[continuous("nthread", "0", "1")])), own()).definitions[0].static == {}
    )


def test_metric_definitions_of_ones_own_count_for_a_built_in_image_too() -> None:
    algorithm = {"TrainingImage": XGBOOST_IMAGE, "TrainingInputMode": "File", "MetricDefinitions": LOSS}
    read = plan(config(objective=("Minimize", "loss")), definition(AlgorithmSpecification=algorithm))
    assert read.definitions[0].objective.metric == "loss"


def test_a_child_gets_static_sampled_and_the_objectives_name() -> None:
    only = plan().definitions[0]
    assert only.hyperparameters({"eta": "0.1", "max_depth": "4"}) == {
        "num_round": "50",
        "objective": "binary:logistic",
        "eta": "0.1",
        "max_depth": "4",
        "_tuning_objective_metric": "validation:auc",
    }
