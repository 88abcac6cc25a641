"""Whole jobs in real containers."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from corelab.engine.contract import Channel
from corelab.engine.xgb.failures import PlatformError
from corelab.engine.xgb.train import dask_refusals, threads

CHURN = {"objective": "binary:logistic", "num_round": 6, "max_depth": 3}
CORES = os.cpu_count() or 1
USER_ERROR = "sagemaker_algorithm_toolkit.exceptions.UserError: "


def matrix_of(job: Any, channel: str) -> xgboost.DMatrix:
    path = job.root / "input" / "data" / channel / "data"
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    return xgboost.DMatrix(rows[:, 1:].astype(np.float32), label=rows[:, 0])


def test_a_job_prints_the_metrics_and_leaves_the_model_of_xgboost_called_directly(
    job: Any, rows: np.ndarray
) -> None:
    done = (
        job.channel("train", rows[:200])
        .channel("validation", rows[200:])
        .run(**CHURN, eval_metric="auc,error")
    )
    assert done.exit.code == 0
    train, validation = matrix_of(job, "train"), matrix_of(job, "validation")
    expected: dict[str, Any] = {}
    direct = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "eval_metric": ["auc", "error"], "nthread": 1},
        train,
        6,
        evals=[(train, "train"), (validation, "validation")],
        evals_result=expected,
        verbose_eval=False,
    )
    assert done.metrics() == [
        {f"{s}-{m}": pytest.approx(expected[s][m][n], abs=6e-6) for s in expected for m in expected[s]}
        for n in range(6)
    ]
    model = xgboost.Booster(model_file=job.root / "model" / "xgboost-model")
    assert np.array_equal(model.predict(validation), direct.predict(validation))
    assert [path.name for path in (job.root / "model").iterdir()] == ["xgboost-model"]
    assert list((job.root / "output" / "data").iterdir()) == []


def test_the_log_is_the_containers_in_its_order(job: Any, rows: np.ndarray) -> None:
    job.channel("train", rows[:200]).channel("validation", rows[200:]).with_(notes=("about the image",))
    done = job.run(**{**CHURN, "num_round": 1})
    assert done.messages()[:-1] == [
        "about the image",
        "Imported framework sagemaker_xgboost_container.training",
        "Failed to parse hyperparameter objective value binary:logistic to Json.",
        "Returning the value itself",
        "No GPUs detected (normal if no gpus installed)",
        "Running XGBoost Sagemaker in algorithm mode",
        "Determined 0 GPU(s) available on the instance.",
        *["Determined delimiter of CSV input is ','"] * 2,
        *["files path: /tmp/sagemaker_xgboost_input_data", "Determined delimiter of CSV input is ','"] * 2,
        "Single node training.",
        "Train matrix has 200 rows and 4 columns",
        "Validation matrix has 100 rows",
    ]
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\d:\d\d:\d\d:\d\d:INFO\] Single node training\.", done.log[-4])
    assert re.fullmatch(r"\[0\]\ttrain-logloss:\d\.\d{5}\tvalidation-logloss:\d\.\d{5}", done.log[-1])


def test_no_line_shows_where_the_job_really_runs(job: Any, rows: np.ndarray) -> None:
    done = job.channel("train", rows).channel("test", rows).run(**CHURN)
    assert str(job.root) not in done.text + str(done.exit.failure)


def test_a_parameter_without_use_brings_the_engines_warning(job: Any, rows: np.ndarray) -> None:
    done = job.channel("train", rows).run(**CHURN, csv_weights=1)
    assert done.exit.code == 0
    assert 'Parameters: { "csv_weights" } are not used.' in done.text
    assert "Train matrix has 300 rows and 3 columns" in done.text


def test_image_3_stores_ubjson(job: Any, rows: np.ndarray) -> None:
    done = job.channel("train", rows).with_(image_version="3.0-5").run(**CHURN, eval_metric="accuracy")
    assert (job.root / "model" / "xgboost-model").read_bytes().startswith(b"{L")
    share = float(rows[:, 0].mean())
    assert [line["train-accuracy"] for line in done.metrics()] == pytest.approx([share] * 6, abs=1e-5)


def test_cross_validation_leaves_a_model_a_fold_and_predictions(job: Any, rows: np.ndarray) -> None:
    done = job.channel("train", rows[:200]).channel("validation", rows[200:]).run(**CHURN, _kfold=3)
    assert done.exit.code == 0
    assert sorted(p.name for p in (job.root / "model").iterdir()) == [f"xgboost-model-{n}" for n in range(3)]
    assert len((job.root / "output" / "data" / "predictions.csv").read_text().splitlines()) == 300
    assert "Run 1-round of 3-fold cross validation with 300 rows" in done.messages()


def test_a_second_job_goes_on_from_the_checkpoints_of_the_first(job: Any, rows: np.ndarray) -> None:
    job.channel("train", rows).with_(checkpoint_path="/opt/ml/checkpoints")
    job.run(**CHURN)
    done = job.run(**{**CHURN, "num_round": 9})
    assert "Checkpoint loaded from /opt/ml/checkpoints/xgboost-checkpoint.5" in done.messages()
    assert len(done.metrics()) == 3
    assert xgboost.Booster(model_file=job.root / "model" / "xgboost-model").num_boosted_rounds() == 9


@pytest.mark.parametrize(
    ("content_type", "data"), [("text/libsvm", "1 0:1 1:2\n0 0:3 1:4\n"), (None, "1 0:1 1:2\n0 0:3 1:4\n")]
)
def test_libsvm_trains_declared_or_not(content_type: str | None, data: str, job: Any) -> None:
    done = job.channel("train", data, content_type).run(**CHURN)
    assert "Train matrix has 2 rows and 2 columns" in done.text
    assert done.exit.code == 0


def test_parquet_trains_in_a_parent_that_never_saw_it(job: Any, rows: np.ndarray, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(list(rows.T), names=list("abcde")), tmp_path / "file")
    done = job.channel("train", (tmp_path / "file").read_bytes(), "application/x-parquet").run(**CHURN)
    assert "Train matrix has 300 rows and 4 columns" in done.text
    assert done.exit.code == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes need mkfifo")
@pytest.mark.parametrize("folds", [{}, {"_kfold": 2}])
def test_pipes_train_like_files(folds: dict[str, int], job: Any, rows: np.ndarray) -> None:
    for name, part in (("train", rows[:200]), ("validation", rows[200:])):
        pipe = job.root / "input" / "data" / f"{name}_0"
        pipe.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(pipe)
        text = "\n".join(",".join(f"{cell:.6g}" for cell in row) for row in part)
        threading.Thread(target=pipe.write_text, args=(text,), daemon=True).start()
    channels = tuple(Channel(name, "text/csv", "Pipe") for name in ("train", "validation"))
    done = job.with_(channels=channels).run(**CHURN, **folds)
    assert done.exit.code == 0
    assert "Train matrix has 200 rows and 4 columns" in done.messages()
    assert "Pipe path /opt/ml/input/data/train found." in done.messages()


def broken(job: Any, rows: np.ndarray, name: str) -> tuple[Any, dict[str, Any]]:
    """A job with one mistake."""
    if name == "no train channel":
        return job.channel("validation", rows), CHURN
    if name == "empty validation":
        return job.channel("train", rows).channel("validation", ""), CHURN
    train: Any = {
        "empty train": "",
        "hidden file": {".x": "1,2\n"},
        "bad label": "2,1\n0,3\n",
        "one column": "5\n",
    }
    content_type = None if name == "csv as libsvm" else "text/csv"
    job.channel("train", train.get(name, rows), content_type)
    given: dict[str, dict[str, Any]] = {
        "no rounds": {"objective": "binary:logistic"},
        "unknown parameter": {**CHURN, "n_estimators": 100},
        "no objective": {"num_round": 1, "eval_metric": "auc"},
        "script": {**CHURN, "sagemaker_program": "train.py"},
        "dask": {**CHURN, "use_dask_gpu_training": "true"},
        "gpu": {**CHURN, "tree_method": "gpu_hist"},
    }
    return job, given.get(name, CHURN)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("no train channel", "KeyError: ", "'SM_CHANNEL_TRAIN'"),
        ("no rounds", USER_ERROR, "Missing required hyperparameter: num_round"),
        ("unknown parameter", USER_ERROR, "Extraneous hyperparameter found: n_estimators"),
        ("no objective", "KeyError: ", "'objective'"),
        ("empty train", USER_ERROR, "No data in training channel path /opt/ml/input/data/train"),
        ("empty validation", USER_ERROR, "No data in validation channel path /opt/ml/input/data/validation"),
        ("hidden file", USER_ERROR, "Hidden file found in the data path! Remove that before training."),
        ("script", USER_ERROR, "Script mode (sagemaker_program) is not supported by the local SageMaker"),
        (
            "dask",
            USER_ERROR,
            "Some configurations unsuitable for Dask GPU training were found: Dask training is only",
        ),
        ("csv as libsvm", USER_ERROR, "' of file 'data' is not 'LIBSVM' format."),
        ("one column", USER_ERROR, "Delimiter '5' is not found in the line."),
        ("bad label", USER_ERROR, "label must be in [0,1] for logistic regression"),
        (
            "gpu",
            "sagemaker_algorithm_toolkit.exceptions.AlgorithmError: XGB train call failed with exception:\n ",
            "No visible GPU is found for XGBoost.",
        ),
    ],
)
def test_a_mistake_is_told_in_the_failure_file_and_the_log(
    name: str, kind: str, message: str, job: Any, rows: np.ndarray
) -> None:
    job, given = broken(job, rows, name)
    done = job.run(**given)
    assert (done.exit.code, done.exit.out_of_memory) == (1, False)
    failure = done.exit.failure
    assert failure is not None
    assert failure.startswith("framework error: \nTraceback (most recent call last):\n")
    assert kind in failure
    # AWS shows the first 1024 characters of it.
    assert message in f"AlgorithmError: {failure}"[:1024]
    at = next(n for n, line in enumerate(done.log) if line.endswith(":ERROR] Reporting training FAILURE"))
    assert "\n".join(done.log[at + 1 :]).rstrip("\n").endswith(failure.rstrip("\n"))
    assert list((job.root / "model").iterdir()) == []


def test_the_whole_message_ends_the_failure_text(job: Any, rows: np.ndarray) -> None:
    job, given = broken(job, rows, "no train channel")
    failure = job.run(**given).exit.failure
    assert failure is not None
    assert failure.endswith("KeyError: 'SM_CHANNEL_TRAIN'\n\n'SM_CHANNEL_TRAIN'")


def test_odd_but_possible_data_trains(job: Any) -> None:
    """A header row, one class only, NaN labels: the container lets them pass."""
    done = job.channel("train", "label,east,x\n0,1,2\n0,3,4\n").run(**CHURN, eval_metric="auc,logloss")
    assert done.exit.code == 0
    assert "Train matrix has 3 rows and 2 columns" in done.text
    assert np.isnan(done.metrics()[0]["train-auc"])


def test_a_job_that_saves_on_termination_ends_well_with_a_model(job: Any, rows: np.ndarray) -> None:
    job.channel("train", rows)
    container = job.start(**{**CHURN, "num_round": 10**9, "save_model_on_termination": "true"})
    lines = container.lines()
    next(line for line in lines if line.text.startswith("[3]\t"))
    container.stop(grace_seconds=20)
    for _ in lines:
        pass
    outcome = container.wait(10)
    assert (outcome.code, outcome.failure) == (0, None)
    assert [path.name for path in (job.root / "model").iterdir()] == ["xgboost-model"]
    assert xgboost.Booster(model_file=job.root / "model" / "xgboost-model").num_boosted_rounds() >= 3


def test_another_job_ends_by_the_signal_without_a_model(job: Any, rows: np.ndarray) -> None:
    container = job.channel("train", rows).start(**{**CHURN, "num_round": 10**9})
    lines = container.lines()
    next(line for line in lines if line.text.startswith("[3]\t"))
    container.stop(grace_seconds=20)
    for _ in lines:
        pass
    assert container.wait(10).code == -signal.SIGTERM
    assert list((job.root / "model").iterdir()) == []


def test_a_job_that_outgrows_its_instance_is_out_of_memory(job: Any, rows: np.ndarray) -> None:
    job.channel("train", rows).with_(memory_bytes=150 << 20)
    done = job.run(objective="multi:softprob", num_class=2_000_000, num_round=1)
    assert done.exit.out_of_memory
    assert done.exit.code == -signal.SIGKILL


@pytest.mark.parametrize(
    ("given", "instance", "expected"),
    [
        ({}, "ml.m5.24xlarge", 1),
        ({"nthread": 1}, "ml.m5.large", 1),
        ({"nthread": 64}, "ml.m5.large", min(2, CORES)),
    ],
)
def test_a_job_has_one_thread_unless_it_asks_for_more(
    given: dict[str, int], instance: str, expected: int
) -> None:
    assert threads(given, instance) == expected


def test_an_instance_type_that_does_not_exist_is_the_platforms_error() -> None:
    with pytest.raises(PlatformError, match=r"Expected an instance type such as ml.m5.large"):
        threads({}, "ml.m5.tiny")


@pytest.mark.parametrize(
    ("given", "refusals"),
    [
        (({"tree_method": "approx"}, "Pipe", "libsvm", 1), 3),
        (({"tree_method": "gpu_hist"}, "File", "csv", 1), 1),
        (({"tree_method": "gpu_hist"}, "File", "parquet", 2), 2),
    ],
)
def test_dask_is_refused_for_every_reason_at_once(given: Any, refusals: int) -> None:
    config, mode, data_format, hosts = given
    channels = {"train": {"TrainingInputMode": mode, "S3DistributionType": "ShardedByS3Key"}}
    assert len(dask_refusals(config, channels, data_format, hosts)) == refusals
