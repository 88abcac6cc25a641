"""/ping, /execution-parameters and /invocations: every status of the container, in its order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corelab.engine.serving_contract import InvocationRequest
from corelab.engine.xgb.serve.app import ServingApp
from corelab.engine.xgb.serve.settings import Settings

HTML = "text/html; charset=utf-8"
ROW = b"0.5,1,-1,2"
MakeApp = Callable[..., ServingApp]


@pytest.fixture
def app(train, model_folder: Path) -> MakeApp:
    def made(objective: str = "binary:logistic", **environment: str) -> ServingApp:
        model_folder.joinpath("xgboost-model").write_bytes(train(objective).save_raw("deprecated"))
        return ServingApp(model_folder, Settings.from_environment(environment))

    return made


def test_a_row_gets_its_prediction(app: MakeApp, train) -> None:
    answer = app().invoke(InvocationRequest(ROW, "text/csv"))
    expected = train().predict(xgboost.DMatrix(np.array([[0.5, 1, -1, 2]])))
    assert (answer.status, answer.content_type) == (200, "text/csv; charset=utf-8")
    assert float(answer.body) == float(expected[0])


def test_a_libsvm_row_gets_json_when_asked(app: MakeApp) -> None:
    answer = app().invoke(InvocationRequest(b"1 0:0.5 1:1", None, "application/json"))
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert len(json.loads(answer.body)["predictions"]) == 1


def test_a_body_above_the_limit_is_413_before_it_is_read(app: MakeApp) -> None:
    answer = app(MAX_CONTENT_LENGTH="9").invoke(InvocationRequest(b"not a numb", "text/csv"))
    assert (answer.status, answer.content_type) == (413, HTML)
    assert b"<title>413 Request Entity Too Large</title>" in answer.body


def test_the_default_limit_is_six_mebibytes(app: MakeApp) -> None:
    assert app().invoke(InvocationRequest(b"\n" * (6 << 20), "text/csv")).status == 415
    assert app().invoke(InvocationRequest(b"\n" * (6 << 20) + b"\n", "text/csv")).status == 413


@pytest.mark.parametrize(
    "request_",
    [
        InvocationRequest(b"", "text/csv"),
        InvocationRequest(ROW, "application/x-www-form-urlencoded; charset=utf-8"),
    ],
)
def test_nothing_to_read_is_204(app: MakeApp, request_: InvocationRequest) -> None:
    assert app().invoke(request_)[::2] == (204, b"")


def test_what_cannot_be_read_is_415_even_before_the_model_fails(model_folder: Path) -> None:
    broken = ServingApp(model_folder, Settings())
    answer = broken.invoke(InvocationRequest(b"a,b", "text/csv"))
    assert (answer.status, answer.content_type) == (415, HTML)
    assert answer.body.startswith(b"Loading csv data failed with Exception")
    assert broken.invoke(InvocationRequest(b"{}", "application/json")).status == 415


def test_a_model_that_does_not_load_is_500_and_fails_the_ping(model_folder: Path) -> None:
    broken = ServingApp(model_folder, Settings())
    answer = broken.invoke(InvocationRequest(ROW, "text/csv"))
    assert (answer.status, answer.body) == (500, b"Unable to load model: list index out of range")
    assert broken.ping().status == 500


def test_the_label_column_sent_by_mistake_is_400_even_with_a_wrong_accept(app: MakeApp) -> None:
    answer = app().invoke(InvocationRequest(b"1," + ROW, "text/csv", "image/png"))
    assert answer.status == 400
    assert answer.body.startswith(b"Unable to evaluate payload provided: ")
    assert b"(4 vs. 5) : Number of columns does not match number of features in booster." in answer.body


def test_a_wrong_accept_is_406_only_after_predicting(app: MakeApp) -> None:
    answer = app().invoke(InvocationRequest(ROW, "text/csv", "text/*"))
    assert (answer.status, answer.content_type) == (406, HTML)
    assert answer.body.startswith(b"Accept type text/* is not supported.")


@pytest.mark.parametrize("accept", ["application/jsonlines", "application/x-recordio-protobuf"])
def test_json_lines_of_plain_predictions_are_the_frameworks_500(app: MakeApp, accept: str) -> None:
    answer = app().invoke(InvocationRequest(ROW, "text/csv", accept))
    assert (answer.status, answer.content_type) == (500, HTML)
    assert b"<title>500 Internal Server Error</title>" in answer.body


def test_the_default_accept_comes_from_the_environment(app: MakeApp) -> None:
    json_app = app(SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json")
    assert json_app.invoke(InvocationRequest(ROW, "text/csv", "*/*")).content_type == "application/json"
    odd = app(SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/libsvm")
    assert odd.invoke(InvocationRequest(ROW, "text/csv")).status == 500


def test_ping_loads_the_model(app: MakeApp) -> None:
    assert app().ping() == (200, HTML, b"")


@pytest.mark.parametrize(("environment", "megabytes"), [({}, 6), ({"MAX_CONTENT_LENGTH": str(19 << 20)}, 19)])
def test_execution_parameters_tell_cores_strategy_and_limit(app: MakeApp, environment, megabytes) -> None:
    made = ServingApp(Path(), Settings.from_environment(environment, cpu_count=4))
    answer = made.execution_parameters()
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.loads(answer.body) == {
        "MaxConcurrentTransforms": 4,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": megabytes,
    }


@pytest.mark.parametrize("value", ["true", "false", "1"])
def test_any_text_switches_batch_mode_on_and_accept_changes_the_header_only(app: MakeApp, value: str) -> None:
    batch = app("multi:softprob", SAGEMAKER_BATCH=value)
    plain = batch.invoke(InvocationRequest(ROW + b"\n" + ROW, "text/csv"))
    wished = batch.invoke(InvocationRequest(ROW + b"\n" + ROW, "text/csv", "application/jsonlines"))
    assert plain.body == wished.body
    assert wished.content_type == "application/jsonlines"
    first, second = plain.body.decode().splitlines()
    assert first == second
    assert len(json.loads(first)) == 3
    assert batch.invoke(InvocationRequest(ROW, "text/csv", "text/libsvm")).status == 406


def test_an_empty_variable_leaves_batch_mode_off(app: MakeApp) -> None:
    answer = app("multi:softprob", SAGEMAKER_BATCH="").invoke(InvocationRequest(ROW, "text/csv"))
    assert not answer.body.startswith(b"[")


def test_selectable_inference_answers_the_named_fields(app: MakeApp) -> None:
    chosen = app(SAGEMAKER_INFERENCE_OUTPUT=" Predicted_Label, probabilities")
    answer = chosen.invoke(InvocationRequest(ROW, "text/csv", "application/json"))
    (row,) = json.loads(answer.body)["predictions"]
    assert list(row) == ["predicted_label", "probabilities"]
    assert sum(row["probabilities"]) == pytest.approx(1)
    assert chosen.invoke(InvocationRequest(ROW, "text/csv")).body.count(b"\n") == 0


def test_selectable_inference_in_batch_mode_ends_csv_with_a_newline_only(app: MakeApp) -> None:
    chosen = app(SAGEMAKER_INFERENCE_OUTPUT="probability", SAGEMAKER_BATCH="true")
    assert chosen.invoke(InvocationRequest(ROW, "text/csv")).body.endswith(b"\n")
    assert chosen.invoke(InvocationRequest(ROW, "text/csv", "application/json")).body.endswith(b"]}")


def test_selectable_inference_refuses_objectives_without_fields(app: MakeApp) -> None:
    answer = app("rank:pairwise", SAGEMAKER_INFERENCE_OUTPUT="predicted_score").invoke(
        InvocationRequest(ROW, "text/csv")
    )
    assert answer.status == 500
    assert answer.body == b"Objective `rank:pairwise` unsupported for selectable inference predictions."


def test_a_limit_that_is_no_number_stops_the_container() -> None:
    with pytest.raises(ValueError, match="lots"):
        Settings.from_environment({"MAX_CONTENT_LENGTH": "lots"})


requests = st.builds(
    InvocationRequest,
    st.sampled_from(
        [
            ROW,
            ROW + b"\n1,2,3,4",
            b"1,2",
            b"7,7,7",
            b"1,2,3,4,5",
            b"",
            b"a",
            b"0:1 3:2",
            b"5",
            b"1,,,",
            b"1;2;3;4",
        ]
    ),
    st.sampled_from(["text/csv", None, "application/json"]),
    st.sampled_from([None, "application/json", "text/plain"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(asked=st.lists(requests, max_size=8), objective=st.sampled_from(["binary:logistic", "multi:softprob"]))
def test_requests_answered_together_are_answered_as_one_by_one(app: MakeApp, asked, objective) -> None:
    made = app(objective)
    together = [without_stack(answer) for answer in made.invoke_many(asked)]
    assert together == [without_stack(made.invoke(request)) for request in asked]


def without_stack(answer: tuple[int, str, bytes]) -> tuple[int, str, bytes]:
    """The engine's texts start with the time and end with a stack of addresses."""
    status, content_type, body = answer
    return status, content_type, re.sub(rb"\[\d\d:\d\d:\d\d\]", b"", body.partition(b"Stack trace")[0])
