"""Selectable inference: every objective's fields, and their encodings."""

from __future__ import annotations

import json
import math
import struct

import pytest

from corelab.engine.xgb.serve.selection import Unselectable, encode_selected, select

ALL = ("predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores")


def test_all_fields_of_a_binary_classifier() -> None:
    first, second = select([0.6, 0.1], ALL, "binary:logistic", 0)
    assert first == {
        "predicted_label": 1,
        "labels": [0, 1],
        "probability": 0.6,
        "probabilities": [0.4, 0.6],
        "raw_score": 0.6,
        "raw_scores": [0.4, 0.6],
    }
    assert (second["predicted_label"], second["probabilities"]) == (0, [0.9, 0.1])


def test_all_fields_of_a_multi_class_model() -> None:
    (row,) = select([[0.1, 0.5, 0.4]], ALL, "multi:softprob", 3)
    assert row == {
        "predicted_label": 1,
        "labels": [0, 1, 2],
        "probability": 0.5,
        "probabilities": [0.1, 0.5, 0.4],
        "raw_score": 0.5,
        "raw_scores": [0.1, 0.5, 0.4],
    }


@pytest.mark.parametrize(
    "objective", ["reg:squarederror", "reg:logistic", "reg:gamma", "reg:tweedie", "reg:absoluteerror"]
)
def test_a_regression_has_a_score(objective: str) -> None:
    assert select([0.5, -7.0], ["predicted_score"], objective, 0) == [
        {"predicted_score": 0.5},
        {"predicted_score": -7.0},
    ]


@pytest.mark.parametrize(
    ("objective", "raw", "label"),
    [
        ("binary:hinge", 0.0, 0.0),
        ("binary:logistic", 0.6, 1),
        ("binary:logistic", 0.5, 0),
        ("binary:logitraw", -7.6, 0),
        ("binary:logitraw", 0.1, 1),
        ("multi:softmax", 2.0, 2.0),
    ],
)
def test_the_label_of_each_objective(objective: str, raw: float, label: float) -> None:
    (row,) = select([raw], ["predicted_label"], objective, 3)
    assert row["predicted_label"] == label
    assert type(row["predicted_label"]) is type(label)


def test_raw_scores_have_two_sides_even_for_margins() -> None:
    (row,) = select([-7.5], ["raw_score", "raw_scores", "labels"], "binary:logitraw", 0)
    assert row == {"labels": [0, 1], "raw_score": -7.5, "raw_scores": [8.5, -7.5]}


@pytest.mark.parametrize(
    ("objective", "keys", "unknown"),
    [
        ("reg:logistic", ["predicted_score", "predicted_label", "foo"], ["predicted_label", "foo"]),
        ("binary:hinge", ["probability", "raw_score"], ["probability"]),
        ("binary:logistic", ["predicted_score"], ["predicted_score"]),
    ],
)
def test_an_unknown_field_is_nan_and_stands_last(objective, keys, unknown, caplog) -> None:
    (row,) = select([0.5], keys, objective, 0)
    assert list(row)[len(keys) - len(unknown) :] == unknown
    assert all(math.isnan(row[key]) for key in unknown)
    assert f"incompatible for objective '{objective}'" in caplog.text


@pytest.mark.parametrize(
    "objective", ["rank:pairwise", "count:poisson", "survival:cox", "reg:squaredlogerror"]
)
def test_other_objectives_have_no_fields(objective: str) -> None:
    with pytest.raises(Unselectable) as caught:
        select([0.5], ["predicted_score"], objective, 0)
    assert str(caught.value) == f"Objective `{objective}` unsupported for selectable inference predictions."


KEYS = ("predicted_label", "probabilities")
ROWS = [
    {"predicted_label": 1, "probabilities": [0.4, 0.6]},
    {"predicted_label": 0, "probabilities": [0.9, 0.1]},
]


def test_csv_quotes_lists_and_ends_without_a_newline() -> None:
    assert encode_selected(ROWS, KEYS, "text/csv") == b'1,"[0.4, 0.6]"\n0,"[0.9, 0.1]"'


def test_csv_keeps_the_order_of_the_wish() -> None:
    assert encode_selected(ROWS[:1], ("probabilities", "predicted_label"), "text/csv") == b'"[0.4, 0.6]",1'
    assert encode_selected([{"foo": math.nan}], ("foo",), "text/csv") == b"nan"


def test_json_lines_end_each_object() -> None:
    body = encode_selected(ROWS, KEYS, "application/jsonlines")
    assert body.endswith(b"\n")
    assert [json.loads(line) for line in body.splitlines()] == ROWS


def test_json_holds_the_rows_and_nan_as_nan() -> None:
    assert json.loads(encode_selected(ROWS, KEYS, "application/json")) == {"predictions": ROWS}
    assert b'"foo": NaN' in encode_selected([{"foo": math.nan}], ("foo",), "application/json")


def test_protobuf_records_hold_float_tensors_named_as_the_fields() -> None:
    body = encode_selected(ROWS, KEYS, "application/x-recordio-protobuf")
    magic, length = struct.unpack("<II", body[:8])
    assert magic == 0xCED7230A
    record = body[8 : 8 + length]
    assert b"predicted_label" in record
    assert record.endswith(struct.pack("<2f", 0.4, 0.6))
    assert len(body) % 4 == 0


def test_a_default_type_without_a_form_is_refused() -> None:
    with pytest.raises(Unselectable, match="text/libsvm"):
        encode_selected(ROWS, KEYS, "text/libsvm")
