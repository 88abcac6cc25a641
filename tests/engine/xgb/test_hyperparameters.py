from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.xgb.failures import AlgorithmError, UserError
from corelab.engine.xgb.hyperparameters import ALIASES, hyperparameters, validate
from corelab.engine.xgb.metrics import NAMES

BASE = {"num_round": "10"}
METRICS = str(list(NAMES))


def message(**given: str) -> str:
    with pytest.raises(UserError) as error:
        validate({**BASE, **given})
    return str(error.value)


@pytest.mark.parametrize(
    "given",
    [
        {"max_depth": "5", "eta": "0.2", "gamma": "4", "min_child_weight": "6", "subsample": "0.8"},
        {
            "eval_metric": "auc",
            "objective": "binary:logistic",
            "rate_drop": "0.3",
            "tweedie_variance_power": "1.4",
        },
        {"objective": "multi:softmax", "num_class": "10"},
        {
            "tree_method": "exact",
            "monotone_constraints": "(1,0)",
            "interaction_constraints": "[[1,2,4],[3,5]]",
        },
        {"tree_method": "approx", "interaction_constraints": "[[1,2,4],[3,5]]"},
        {"_kfold": "5"},
        {"verbosity": "0"},
        {"verbosity": "3"},
        {"num_parallel_tree": "10"},
        {"save_model_on_termination": "true"},
        {"save_model_on_termination": "false"},
        {"objective": "survival:aft", "eval_metric": "aft-nloglik"},
        {"num_class": "3"},
        {"objective": "reg:squarederror", "num_class": "3"},
        {"booster": "gblinear"},
        {"booster": "gblinear", "updater": "shotgun"},
        {"process_type": "update", "updater": "refresh,prune"},
        {"objective": "reg:absoluteerror"},
        {"objective": "aft_loss_distribution"},
        {"eval_metric": "error@0.7,ndcg@5,map@3,rmse", "objective": "binary:logistic"},
        {"_tuning_objective_metric": "validation:auc"},
        {"seed": "-2147483647"},
        {"alpha": "inf"},
        {"eta": "nan"},
        {"max_depth": " 5 "},
    ],
)
def test_these_settings_are_accepted(given: dict[str, str]) -> None:
    assert set(validate({**BASE, **given})) == {"num_round", *given}


def test_values_come_back_as_what_they_mean() -> None:
    given = {
        **BASE,
        "eta": "0.25",
        "csv_weights": "1",
        "eval_metric": "auc,error@0.7",
        "objective": "binary:logistic",
        "tree_method": "hist",
        "monotone_constraints": "(1,0,-1)",
        "interaction_constraints": "[[1,4,2],[3,5]]",
        "updater": "grow_colmaker,prune",
    }
    assert validate(given) == {
        "num_round": 10,
        "eta": 0.25,
        "csv_weights": 1,
        "objective": "binary:logistic",
        "eval_metric": ["auc", "error@0.7"],
        "tree_method": "hist",
        "monotone_constraints": (1, 0, -1),
        "interaction_constraints": [[1, 4, 2], [3, 5]],
        "updater": ["grow_colmaker", "prune"],
    }


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_stored_under_its_short_name(alias: str, name: str) -> None:
    assert validate({**BASE, alias: "0.5"}) == {"num_round": 10, name: 0.5}


def test_of_alias_and_name_the_later_one_counts() -> None:
    assert validate({**BASE, "eta": "0.1", "learning_rate": "0.2"})["eta"] == 0.2
    assert validate({**BASE, "learning_rate": "0.2", "eta": "0.1"})["eta"] == 0.1


def test_num_round_is_required() -> None:
    with pytest.raises(UserError, match=r"^Missing required hyperparameter: num_round$"):
        validate({"eta": "0.1"})


@pytest.mark.parametrize(
    "name", ["n_estimators", "random_state", "silent", "verbose", "learnig_rate", "sagemaker_region", ""]
)
def test_other_names_are_extraneous(name: str) -> None:
    assert message(**{name: "1"}) == f"Extraneous hyperparameter found: {name}"


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("max_depth", "abc", "ValueError"),
        ("max_depth", "1.0", "ValueError"),
        ("max_depth", "", "ValueError"),
        ("eta", "fast", "ValueError"),
        ("monotone_constraints", "(1,", "SyntaxError"),
        ("monotone_constraints", "__import__('os').getpid()", "ValueError"),
        ("interaction_constraints", "[[a]]", "ValueError"),
        ("interaction_constraints", "[" * 5000, "SyntaxError"),
        ("monotone_constraints", "-" * 100_000 + "1", "MemoryError"),
    ],
)
def test_text_that_is_no_value_is_refused(name: str, value: str, cause: str) -> None:
    assert message(**{name: value}) == f"Hyperparameter {name}: could not parse value (caused by {cause})"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("num_round", "0", "0 is not in [1, +inf)"),
        ("subsample", "0", "0.0 is not in (0, 1]"),
        ("subsample", "1.5", "1.5 is not in (0, 1]"),
        ("eta", "-1", "-1.0 is not in [0, 1]"),
        ("sketch_eps", "1", "1.0 is not in (0, 1)"),
        ("tweedie_variance_power", "2", "2.0 is not in (1, 2)"),
        ("scale_pos_weight", "0", "0.0 is not in (0, +inf)"),
        ("prob_buffer_row", "1", "1.0 is not in (1.0, +inf)"),
        ("seed", "-2147483648", "-2147483648 is not in (-2147483648, 2147483647)"),
        ("verbosity", "4", "4 is not in [0, 3]"),
        ("num_parallel_tree", "-1", "-1 is not in [1, +inf)"),
        ("num_parallel_tree", "0", "0 is not in [1, +inf)"),
        ("num_class", "1", "1 is not in [2, +inf)"),
        ("_kfold", "1", "1 is not in [2, +inf)"),
        ("booster", "tree", "tree is not in ['gbtree', 'gblinear', 'dart']"),
        ("save_model_on_termination", "incorrect", "incorrect is not in ['true', 'false']"),
        ("monotone_constraints", "(1,0,-1,2)", "value (1, 0, -1, 2) not in range [-1, 0, 1]"),
        ("interaction_constraints", "[[0,1]]", "value [[0, 1]] not in range [1, +inf)"),
        ("eval_metric", "accuracy,f2", f"value ['accuracy', 'f2'] not in range {METRICS}"),
        ("eval_metric", "auc, error", f"value ['auc', ' error'] not in range {METRICS}"),
    ],
)
def test_values_out_of_range_are_refused_with_the_range(name: str, value: str, expected: str) -> None:
    assert message(**{name: value}) == f"Hyperparameter {name}: {expected}"


def test_quantile_updater_and_objective_are_not_in_range() -> None:
    assert "grow_quantile_histmaker" in message(updater="grow_quantile_histmaker")
    assert message(objective="reg:quantileerror").startswith(
        "Hyperparameter objective: reg:quantileerror is not in ['aft_loss_distribution', 'binary:logistic', "
    )


def test_the_tuning_metric_is_one_of_the_validation_set() -> None:
    assert "train:auc is not in ['validation:accuracy'," in message(_tuning_objective_metric="train:auc")


@pytest.mark.parametrize(
    ("name", "value"), [("monotone_constraints", "1"), ("interaction_constraints", "[1,2]")]
)
def test_a_literal_of_another_shape_is_the_algorithms_error(name: str, value: str) -> None:
    with pytest.raises(
        AlgorithmError, match=r"unexpected failure when validating .* \(caused by TypeError\)$"
    ):
        validate({**BASE, name: value, "tree_method": "hist"})


def test_stages_come_in_the_containers_order() -> None:
    """Required before known, known before range, range before dependencies, each in the user's order."""
    wrong = {"objective": "multi:softmax", "eta": "2", "max_depth": "x", "no_such": "1"}
    with pytest.raises(UserError, match=r"Missing required"):
        validate(wrong)
    assert "could not parse" in message(**wrong)
    assert "Extraneous" in message(objective="multi:softmax", eta="2", no_such="1", max_depth="x")
    assert "is not in [0, 1]" in message(objective="multi:softmax", eta="2")
    assert "num_class" in message(objective="multi:softmax")


AUC = "Metric 'auc' can only be applied for classification and ranking problems."
MONOTONE = (
    "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
)
INTERACTION = "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' or 'approx'."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"objective": "multi:softprob"}, "Require input for parameter 'num_class' for multi-classification"),
        *[
            ({"objective": objective, "eval_metric": "auc", "num_class": "3"}, AUC)
            for objective in (
                "count:poisson",
                "reg:gamma",
                "reg:logistic",
                "reg:squarederror",
                "reg:tweedie",
                "multi:softmax",
                "multi:softprob",
                "survival:cox",
            )
        ],
        (
            {"objective": "reg:squarederror", "eval_metric": "aft-nloglik"},
            "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.",
        ),
        (
            {"objective": "binary:logistic", "eval_metric": "<function f>"},
            "User defined evaluation metric <function f> is not supported yet.",
        ),
        (
            {"objective": "binary:logistic", "eval_metric": "auc@0.5"},
            "Metric 'auc@0.5' is not supported. Parameter 'eval_metric' with customized threshold should be one of "
            "these options: 'error', 'ndcg', 'map'.",
        ),
        (
            {"objective": "binary:logistic", "eval_metric": "error@half"},
            "Threshold value 't' in 'error@t' expects float input.",
        ),
        ({"monotone_constraints": "(1,0)"}, MONOTONE),
        ({"monotone_constraints": "(1,0)", "tree_method": "approx"}, MONOTONE),
        ({"interaction_constraints": "[[1,2]]"}, INTERACTION),
        ({"interaction_constraints": "[[1,2]]", "tree_method": "auto"}, INTERACTION),
        (
            {"process_type": "update", "updater": "prune,sync"},
            "process_type 'update' can only be used with updater 'refresh' and 'prune'",
        ),
        (
            {"updater": "shotgun"},
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'.",
        ),
        (
            {"updater": "grow_colmaker,distcol"},
            "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', 'distcol', "
            "'grow_histmaker', 'grow_skmaker'",
        ),
    ],
)
def test_rules_between_hyperparameters(given: dict[str, str], expected: str) -> None:
    assert message(**given) == expected


@pytest.mark.parametrize("updater", ["prune", "shotgun,coord_descent"])
def test_a_linear_booster_takes_one_linear_updater(updater: str) -> None:
    assert message(booster="gblinear", updater=updater).startswith(
        "Linear updater should be one of these options: "
    )


def test_a_metric_without_an_objective_fails_as_in_the_container() -> None:
    with pytest.raises(KeyError, match=r"'objective'"):
        validate({**BASE, "eval_metric": "rmse"})


def test_a_rule_sees_its_dependencies_wherever_they_are_written() -> None:
    assert list(validate({"eval_metric": "auc", "num_round": "1", "objective": "binary:logistic"})) == [
        "objective",
        "eval_metric",
        "num_round",
    ]


def test_tunable_ranges_are_those_aws_recommends() -> None:
    table = hyperparameters()
    tunable = {name: row.tunable for name, row in table.items() if row.tunable}
    assert tunable == {
        "num_round": (1, 4000),
        "eta": (0.1, 0.5),
        "gamma": (0, 5),
        "max_depth": (0, 10),
        "min_child_weight": (0, 120),
        "max_delta_step": (0, 10),
        "subsample": (0.5, 1),
        "colsample_bytree": (0.5, 1),
        "colsample_bylevel": (0.1, 1),
        "colsample_bynode": (0.1, 1),
        "lambda": (0, 1000),
        "alpha": (0, 1000),
    }


@given(st.sampled_from(sorted(hyperparameters())), st.text(max_size=12))
def test_any_text_is_a_value_or_a_named_refusal(name: str, text: str) -> None:
    given: dict[str, Any] = {**BASE, "objective": "binary:logistic", "tree_method": "hist", "num_class": "2"}
    given[name] = text
    try:
        assert name in validate(given)
    except (UserError, AlgorithmError) as error:
        assert name in str(error) or "options" in str(error) or "Metric" in str(error)
