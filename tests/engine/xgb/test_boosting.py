"""One model at a time, in this process; XGBoost called directly is the oracle."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from corelab.engine.xgb import hyperparameters
from corelab.engine.xgb.boosting import Booster, Matrices, Metrics
from corelab.engine.xgb.model_file import ModelFolder

pytestmark = pytest.mark.filterwarnings("ignore:`feval` is deprecated")


@pytest.fixture
def matrices(rows: np.ndarray) -> Matrices:
    train, validation = (xgboost.DMatrix(part[:, 1:], label=part[:, 0]) for part in (rows[:200], rows[200:]))
    return Matrices(train, validation, train)


def booster(
    folder: Path, checkpoints: Path | None = None, transformed: bool = False, **given: Any
) -> Booster:
    config = hyperparameters.validate({name: str(value) for name, value in given.items()})
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    models = ModelFolder(folder / "model", folder / "scratch")
    return Booster(config, 1, models, checkpoints, transformed=transformed)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "\t" in line]


def names(line: str) -> list[str]:
    return [field.rsplit(":", 1)[0] for field in line.split("\t")[1:]]


def test_metrics_and_predictions_are_xgboosts_own(
    tmp_path: Path, matrices: Matrices, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"objective": "binary:logistic", "eta": 0.2, "max_depth": 3, "subsample": 0.8, "seed": 5}
    model, history = booster(tmp_path, num_round=8, eval_metric="auc,error", **given).train(
        matrices.train, matrices.watched()
    )
    expected: dict[str, Any] = {}
    direct = xgboost.train(
        {**given, "eval_metric": ["auc", "error"], "nthread": 1},
        matrices.train,
        8,
        evals=list(matrices.watched()),
        evals_result=expected,
        verbose_eval=False,
    )
    assert history == expected
    assert np.array_equal(model.predict(matrices.train), direct.predict(matrices.train))
    figures = [f"{expected[s][m][-1]:.5f}" for s in ("train", "validation") for m in ("auc", "error")]
    assert [field.rsplit(":", 1)[1] for field in lines(capsys)[-1].split("\t")[1:]] == figures


def test_a_metric_line_has_the_round_and_each_sets_metrics_in_order(
    tmp_path: Path, matrices: Matrices, capsys: pytest.CaptureFixture[str]
) -> None:
    booster(
        tmp_path, num_round=2, objective="binary:logistic", eval_metric="f1,error@0.7,auc,accuracy"
    ).train(matrices.train, matrices.watched())
    first, second = lines(capsys)
    assert (first.split("\t")[0], second.split("\t")[0]) == ("[0]", "[1]")
    # The engine's metrics come first, each kind in configured order.
    metrics = ["error@0.7", "auc", "f1", "accuracy"]
    assert names(first) == [f"{s}-{m}" for s in ("train", "validation") for m in metrics]
    assert all(len(field.rsplit(".", 1)[1]) == 5 for field in first.split("\t")[1:])


@pytest.mark.parametrize(
    ("objective", "default"),
    [
        ("reg:squarederror", "rmse"),
        ("reg:linear", "rmse"),
        ("reg:logistic", "rmse"),
        ("binary:logistic", "logloss"),
        ("binary:logitraw", "logloss"),
        ("binary:hinge", "error"),
        ("multi:softmax", "mlogloss"),
        ("multi:softprob", "mlogloss"),
        ("rank:pairwise", "map"),
        ("rank:ndcg", "map"),
        ("rank:map", "map"),
        ("count:poisson", "poisson-nloglik"),
        ("reg:gamma", "gamma-nloglik"),
        ("reg:tweedie", "tweedie-nloglik@1.5"),
        ("reg:pseudohubererror", "mphe"),
        ("reg:squaredlogerror", "rmsle"),
        ("reg:absoluteerror", "mae"),
        ("survival:cox", "cox-nloglik"),
    ],
)
def test_the_objectives_own_metric_is_printed_by_default(
    objective: str, default: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(3)
    matrix = xgboost.DMatrix(
        random.normal(size=(40, 2)), label=random.integers(0, 2, 40) + (objective == "reg:gamma")
    )
    classes = {"num_class": 2} if objective.startswith("multi") else {}
    booster(tmp_path, num_round=1, objective=objective, **classes).train(matrix, [(matrix, "train")])
    (line,) = lines(capsys)
    assert names(line) == [f"train-{default}"]


def test_with_custom_metrics_alone_the_default_metric_stays_first(
    tmp_path: Path, matrices: Matrices, capsys: pytest.CaptureFixture[str]
) -> None:
    booster(tmp_path, num_round=1, objective="binary:logistic", eval_metric="accuracy").train(
        matrices.train, [(matrices.train, "train")]
    )
    assert names(lines(capsys)[0]) == ["train-logloss", "train-accuracy"]


def test_custom_metrics_see_margins(tmp_path: Path, matrices: Matrices) -> None:
    model, history = booster(
        tmp_path, num_round=3, objective="binary:logistic", eval_metric="rmse,accuracy"
    ).train(matrices.train, matrices.watched())
    margins, labels = model.predict(matrices.train, output_margin=True), matrices.train.get_label()
    assert history["train"]["rmse"][-1] == pytest.approx(
        float(np.sqrt(((margins - labels) ** 2).mean())), abs=1e-5
    )
    assert history["train"]["accuracy"][-1] == pytest.approx(
        float(((margins > 0) == labels).mean()), abs=1e-5
    )


def test_custom_metrics_of_image_3_see_predictions(tmp_path: Path, matrices: Matrices) -> None:
    _, history = booster(
        tmp_path, transformed=True, num_round=3, objective="binary:logistic", eval_metric="accuracy"
    ).train(matrices.train, matrices.watched())
    share = float((matrices.train.get_label() == 1).mean())
    assert history["train"]["accuracy"] == pytest.approx([share] * 3, abs=1e-5)


@pytest.mark.parametrize(
    ("given", "native", "custom", "watched"),
    [
        ({}, [], [], None),
        ({"eval_metric": ["auc", "rmse", "error"]}, ["auc", "error"], ["rmse"], "error"),
        ({"_tuning_objective_metric": "validation:logloss"}, ["logloss"], [], "logloss"),
        (
            {"_tuning_objective_metric": "validation:logloss", "eval_metric": ["rmse", "accuracy"]},
            ["logloss"],
            ["accuracy", "rmse"],
            "logloss",
        ),
        (
            {"_tuning_objective_metric": "validation:f1", "eval_metric": ["f1", "auc"]},
            ["auc"],
            ["f1"],
            "f1",
        ),
    ],
)
def test_metrics_of_the_tuner_and_of_the_user_are_united(
    given: dict[str, Any], native: list[str], custom: list[str], watched: str | None
) -> None:
    assert Metrics.of(given) == Metrics(native, custom, watched)


def test_the_engine_is_told_nothing_the_user_did_not_set(tmp_path: Path) -> None:
    assert booster(tmp_path, num_round=3, _kfold=2, early_stopping_rounds=2).parameters() == {"nthread": 1}


def test_what_only_the_container_reads_is_kept_from_the_engine_as_far_as_the_container_keeps_it(
    tmp_path: Path,
) -> None:
    told = booster(
        tmp_path, num_round=3, csv_weights=1, _num_cv_round=2, updater="refresh,prune", process_type="update"
    )
    assert told.parameters() == {
        "csv_weights": 1,
        "_num_cv_round": 2,
        "updater": "refresh,prune",
        "process_type": "update",
        "nthread": 1,
    }
    assert "_num_cv_round" not in told.parameters(cross_validated=True)


def test_training_stops_early_and_keeps_the_best_rounds(tmp_path: Path, matrices: Matrices) -> None:
    model, history = booster(
        tmp_path,
        num_round=200,
        objective="binary:logistic",
        eval_metric="auc,logloss",
        early_stopping_rounds=3,
    ).train(matrices.train, matrices.watched())
    losses = history["validation"]["logloss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 200
    assert model.num_boosted_rounds() == best + 1
    assert (model.attr("best_iteration"), model.attr("best_ntree_limit")) == (str(best), str(best + 1))


def test_a_maximized_metric_stops_when_it_no_longer_rises(tmp_path: Path, matrices: Matrices) -> None:
    model, history = booster(
        tmp_path,
        num_round=200,
        objective="binary:logistic",
        eval_metric="logloss,auc",
        early_stopping_rounds=4,
    ).train(matrices.train, matrices.watched())
    assert model.num_boosted_rounds() == int(np.argmax(history["validation"]["auc"])) + 1


def test_the_model_is_cut_back_even_when_the_rounds_run_out_first(tmp_path: Path, matrices: Matrices) -> None:
    model, history = booster(
        tmp_path, num_round=30, objective="binary:logistic", eval_metric="logloss", early_stopping_rounds=1000
    ).train(matrices.train, matrices.watched())
    assert len(history["validation"]["logloss"]) == 30
    assert model.num_boosted_rounds() == int(np.argmin(history["validation"]["logloss"])) + 1 < 30


@pytest.mark.parametrize(
    ("given", "validated"),
    [({"eval_metric": "logloss"}, False), ({}, True)],
    ids=["no validation", "no metric"],
)
def test_early_stopping_is_silently_off(
    given: dict[str, str], validated: bool, tmp_path: Path, matrices: Matrices
) -> None:
    model, _ = booster(
        tmp_path, num_round=30, objective="binary:logistic", early_stopping_rounds=1, **given
    ).train(matrices.train, matrices.watched() if validated else [(matrices.train, "train")])
    assert model.num_boosted_rounds() == 30


def test_every_round_prints_its_line_also_the_one_that_ends_training(
    tmp_path: Path, matrices: Matrices, capsys: pytest.CaptureFixture[str]
) -> None:
    _, history = booster(
        tmp_path, num_round=200, objective="binary:logistic", eval_metric="logloss", early_stopping_rounds=2
    ).train(matrices.train, matrices.watched())
    assert len(lines(capsys)) == len(history["train"]["logloss"])


def test_a_linear_booster_cannot_be_cut_back(tmp_path: Path, matrices: Matrices) -> None:
    given = {"objective": "binary:logistic", "eval_metric": "logloss", "early_stopping_rounds": 2}
    with pytest.raises(xgboost.core.XGBoostError, match=r"`save_best` is not applicable to current booster"):
        booster(tmp_path, num_round=3, booster="gblinear", **given).train(matrices.train, matrices.watched())


def test_dart_can_stop_early(tmp_path: Path, matrices: Matrices) -> None:
    given = {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "early_stopping_rounds": 2,
        "rate_drop": 0.1,
    }
    model, _ = booster(tmp_path, num_round=50, booster="dart", **given).train(
        matrices.train, matrices.watched()
    )
    assert model.num_boosted_rounds() < 50


def test_checkpoints_keep_the_newest_five(tmp_path: Path, matrices: Matrices) -> None:
    folder = tmp_path / "checkpoints"
    booster(tmp_path, folder, num_round=12).train(matrices.train, [])
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"xgboost-checkpoint.{n}" for n in range(7, 12)
    )


def test_a_resumed_job_ends_with_the_same_model_as_an_unbroken_one(
    tmp_path: Path, matrices: Matrices, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    folder = tmp_path / "checkpoints"
    booster(tmp_path, folder, num_round=20).train(matrices.train, matrices.watched())
    capsys.readouterr()
    resumed, _ = booster(tmp_path, folder, num_round=30).train(matrices.train, matrices.watched())
    whole, _ = booster(tmp_path / "other", num_round=30).train(matrices.train, [])
    assert np.allclose(resumed.predict(matrices.train), whole.predict(matrices.train), atol=1e-6)
    assert f"Checkpoint loaded from {folder}/xgboost-checkpoint.19" in caplog.messages
    assert "Resuming from iteration 20" in caplog.messages
    printed = lines(capsys)
    assert (len(printed), printed[0].split("\t")[0]) == (10, "[0]")
    # What an earlier run left is not this run's to delete.
    assert sorted(int(path.suffix[1:]) for path in folder.iterdir()) == [*range(15, 20), *range(25, 30)]


def test_a_job_that_was_already_finished_trains_no_more(tmp_path: Path, matrices: Matrices) -> None:
    folder = tmp_path / "checkpoints"
    booster(tmp_path, folder, num_round=8).train(matrices.train, [])
    model, history = booster(tmp_path, folder, num_round=5).train(matrices.train, matrices.watched())
    assert (model.num_boosted_rounds(), history) == (8, {})


@pytest.mark.parametrize("broken", [b"binf" + b"\xff" * 8, b"{", b"\x80\x04pickle", b"", b"\xff" * 4000])
def test_a_broken_checkpoint_is_passed_over(broken: bytes, tmp_path: Path, matrices: Matrices) -> None:
    folder = tmp_path / "checkpoints"
    booster(tmp_path, folder, num_round=6).train(matrices.train, [])
    (folder / "xgboost-checkpoint.5").write_bytes(broken)
    model, _ = booster(tmp_path, folder, num_round=7).train(matrices.train, [])
    assert model.num_boosted_rounds() == 7


def test_the_model_is_there_after_every_round_when_it_shall_survive_a_stop(
    tmp_path: Path, matrices: Matrices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelFolder, "end_well_when_terminated", lambda self: None)
    booster(tmp_path, num_round=3, save_model_on_termination="true").train(matrices.train, [])
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["xgboost-model"]


def test_without_that_the_model_folder_is_empty_until_the_end(tmp_path: Path, matrices: Matrices) -> None:
    booster(tmp_path, num_round=3, save_model_on_termination="false").train(matrices.train, [])
    assert list((tmp_path / "model").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"objective": "count:poisson"}, "PoissonRegression: label must be nonnegative"),
        (
            {"objective": "binary:logistic", "base_score": 1},
            "base_score must be in (0,1) for logistic loss, got: 1",
        ),
        ({"objective": "binary:logistic"}, "label must be in [0,1] for logistic regression"),
        (
            {"objective": "multi:softmax", "num_class": 2},
            "SoftmaxMultiClassObj: label must be in [0, num_class).",
        ),
        ({"objective": "reg:squarederror", "num_class": 3}, "Invalid shape of labels."),
        ({"objective": "survival:aft"}, "labels_lower_bound_"),
        ({"objective": "aft_loss_distribution"}, "Unknown objective function"),
        (
            {"objective": "reg:tweedie", "eval_metric": "tweedie-nloglik"},
            "must be in format tweedie-nloglik@rho",
        ),
        ({"tree_method": "gpu_hist"}, "No visible GPU is found"),
        (
            {"tree_method": "hist", "interaction_constraints": "[[1,2]]"},
            "Constrained features are not a subset of training data feature names",
        ),
    ],
)
def test_the_engine_refuses_in_its_own_words(given: dict[str, Any], expected: str, tmp_path: Path) -> None:
    labels = [-1.0, 0.5, 1.0, 2.0] if "base_score" not in given else [0, 1, 0, 1]
    matrix = xgboost.DMatrix(np.arange(8.0).reshape(4, 2), label=labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError) as error:
            booster(tmp_path, num_round=1, **given).train(matrix, [(matrix, "train")])
    assert expected in str(error.value)
