"""Checks of a search that is only planned: sound plans pass, each usual mistake is named."""

from __future__ import annotations

import pandas as pd
import pytest
from sagemaker_core.shapes import (
    ContinuousParameterRange,
    HyperParameterTuningJobObjective,
    IntegerParameterRange,
    ParameterRanges,
    ResourceLimits,
)

from corelab import checks
from corelab.checks import CheckFailed

DEPTH = {"Name": "max_depth", "MinValue": "2", "MaxValue": "8"}
ETA = {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"}
GAMMA = {"Name": "gamma", "MinValue": "0", "MaxValue": "5"}


def ranges(integer=(DEPTH,), continuous=(ETA, GAMMA)):
    return {"IntegerParameterRanges": list(integer), "ContinuousParameterRanges": list(continuous)}


def test_sound_plans_pass_as_shapes_and_as_dicts():
    shapes = ParameterRanges(
        integer_parameter_ranges=[IntegerParameterRange(name="max_depth", min_value="2", max_value="8")],
        continuous_parameter_ranges=[
            ContinuousParameterRange(name="subsample", min_value="0.5", max_value="1"),
            ContinuousParameterRange(name="gamma", min_value="0", max_value="5"),
        ],
    )
    checks.planned_ranges(shapes)
    checks.planned_ranges(ranges())
    checks.planned_limits(ResourceLimits(max_number_of_training_jobs=8, max_parallel_training_jobs=2))
    checks.planned_limits({"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 4})
    checks.planned_objective(HyperParameterTuningJobObjective(type="Maximize", metric_name="validation:auc"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (ranges(integer=[DEPTH | {"MinValue": "10", "MaxValue": "3"}]), "min below max"),
        (ranges(integer=[DEPTH | {"MaxValue": "2"}]), "width 0"),
        (ranges(continuous=[ETA | {"MaxValue": "3"}, GAMMA]), "eta within"),
        (ranges(continuous=[ETA | {"MinValue": 0.1}, GAMMA]), "as strings"),
        (ranges(continuous=[ETA | {"MinValue": "low"}, GAMMA]), "numbers as bounds"),
        (ranges(integer=[], continuous=[DEPTH, ETA, GAMMA]), "integer range"),
        (ranges(integer=[DEPTH | {"Name": "depth"}]), "names among"),
        (ranges(continuous=[]), "3 to 5"),
        (None, "3 to 5"),
    ],
)
def test_ranges_that_cannot_be_searched_are_named(wrong, words):
    with pytest.raises(CheckFailed, match=words):
        checks.planned_ranges(wrong)


@pytest.mark.parametrize(("jobs", "parallel"), [(200, 2), (8, 8), (4, 1), (8, 0), (None, 2), ("8", 2)])
def test_limits_that_waste_or_learn_nothing_are_named(jobs, parallel):
    with pytest.raises(CheckFailed):
        checks.planned_limits({"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel})


@pytest.mark.parametrize(
    ("metric", "direction", "words"),
    [
        ("validation:auc", "Minimize", "better when larger"),
        ("train:auc", "Maximize", "trained on"),
        ("auc", "Maximize", "validation channel"),
        ("validation:logloss", "Minimize", "compare with the baseline"),
    ],
)
def test_an_objective_that_would_pick_the_wrong_job_is_named(metric, direction, words):
    with pytest.raises(CheckFailed, match=words):
        checks.planned_objective({"MetricName": metric, "Type": direction})


def test_what_is_tuned_cannot_be_static_too():
    channels = [{"ChannelName": name} for name in ("train", "validation")]
    static = {"objective": "binary:logistic", "num_round": "60"}
    checks.planned_template({"StaticHyperParameters": static, "InputDataConfig": channels}, ranges())
    both = {"StaticHyperParameters": static | {"eta": "0.2"}, "InputDataConfig": channels}
    with pytest.raises(CheckFailed, match="static or tuned"):
        checks.planned_template(both, ranges())
    with pytest.raises(CheckFailed, match="has both"):
        checks.planned_template({"StaticHyperParameters": static, "InputDataConfig": channels[:1]}, ranges())


def test_a_local_search_needs_different_settings_and_believable_scores():
    found = pd.DataFrame({"max_depth": range(6), "auc": [0.80, 0.81, 0.82, 0.83, 0.82, 0.81]})
    checks.local_search(found)
    for wrong in (found.assign(max_depth=3), found.assign(auc=1.0), found.drop(columns="auc"), None):
        with pytest.raises(CheckFailed):
            checks.local_search(wrong)


def test_names_of_tuning_jobs_have_at_most_32_characters():
    checks.tuning_name("tune-grace-hopper-260131091500", "Grace Hopper")
    for name in ("tune-grace-hopper-2026-01-31T09-15-00", "tune_grace", "tune-260131091500", None):
        with pytest.raises(CheckFailed):
            checks.tuning_name(name, "Grace Hopper")
