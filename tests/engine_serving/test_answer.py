"""Response bodies by Accept header, in the container's exact form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from corelab.engine.xgb.serve.answer import (
    NoEncoding,
    UnacceptableType,
    accepted_type,
    content_type_of,
    encode_batch,
    encode_predictions,
)

ONE = np.array([0.8004530668258667, 0.2], dtype=np.float32)
THREE = np.array([[0.1, 0.2, 0.7]], dtype=np.float32)


@pytest.mark.parametrize("accept", [None, "", "*/*", "*/*; q=0.1", " "])
def test_no_wish_means_the_default(accept: str | None) -> None:
    assert accepted_type(accept, "text/csv") == "text/csv"
    assert accepted_type(accept, "application/json") == "application/json"


@pytest.mark.parametrize(
    "accept", ["application/json;verbose=True", "APPLICATION/JSON", "application/json ; q=1"]
)
def test_parameters_and_case_of_accept_do_not_count(accept: str) -> None:
    assert accepted_type(accept, "text/csv") == "application/json"


@pytest.mark.parametrize("accept", ["text/libsvm", "application/json, text/csv", "text/*", "image/png"])
def test_lists_and_other_types_are_not_supported(accept: str) -> None:
    with pytest.raises(UnacceptableType) as caught:
        accepted_type(accept, "text/csv")
    assert str(caught.value) == (
        f"Accept type {accept} is not supported. Please use supported accept types: ['application/json', "
        "'application/jsonlines', 'application/x-recordio-protobuf', 'text/csv']."
    )


def test_csv_has_one_line_a_row_each_ended() -> None:
    assert encode_predictions(ONE, "text/csv") == b"0.8004530668258667\n0.20000000298023224\n"
    assert encode_predictions(ONE[:1], "text/csv") == b"0.8004530668258667\n"


def test_csv_joins_the_outputs_of_a_row_with_commas() -> None:
    assert (
        encode_predictions(THREE, "text/csv")
        == b"0.10000000149011612,0.20000000298023224,0.699999988079071\n"
    )


def test_json_holds_a_score_a_row() -> None:
    assert encode_predictions(ONE, "application/json") == (
        b'{"predictions": [{"score": 0.8004530668258667}, {"score": 0.20000000298023224}]}'
    )
    assert json.loads(encode_predictions(THREE, "application/json"))["predictions"][0]["score"][2] > 0.6
    assert encode_predictions(ONE[:0], "application/json") == b'{"predictions": []}'


@pytest.mark.parametrize("accept", ["application/jsonlines", "application/x-recordio-protobuf"])
def test_plain_predictions_have_no_other_form(accept: str) -> None:
    with pytest.raises(NoEncoding):
        encode_predictions(ONE, accept)


def test_batch_mode_writes_several_outputs_as_a_python_list() -> None:
    assert encode_batch(ONE) == b"0.8004530668258667\n0.20000000298023224\n"
    assert encode_batch(THREE) == b"[0.10000000149011612, 0.20000000298023224, 0.699999988079071]\n"


def test_text_types_get_a_charset() -> None:
    assert content_type_of("text/csv") == "text/csv; charset=utf-8"
    assert content_type_of("application/json") == "application/json"


@given(arrays(np.float32, st.integers(1, 30), elements=st.floats(width=32)))
def test_every_float_is_written_so_that_it_reads_back(predictions: np.ndarray) -> None:
    for body in (encode_predictions(predictions, "text/csv"), encode_batch(predictions)):
        assert body.endswith(b"\n")
        read = np.array([float(line) for line in body.splitlines()], dtype=np.float32)
        np.testing.assert_array_equal(read, predictions)
