"""Batch transform of one object: order, assembling, filters, joins, failures; a function plays the model."""

from __future__ import annotations

import gzip
import io
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.batch.failures import ObjectFailed, TransformStopped
from corelab.engine.batch.jsonpath import BadPath
from corelab.engine.batch.transform import BatchSettings, Transformer
from corelab.engine.serving_contract import (
    InvocationRequest,
    InvocationResponse,
    InvocationTimeout,
    ModelProcessDied,
)

Model = Callable[[InvocationRequest, float], InvocationResponse]
CSV_LINES: dict[str, Any] = {
    "content_type": "text/csv",
    "accept": "text/csv",
    "split": "Line",
    "assemble": "Line",
}


def adding_model(request: InvocationRequest, limit: float) -> InvocationResponse:
    """Adds up each row, as the container in batch mode answers: a line a row."""
    rows = request.body.decode().strip().split("\n")
    sums = [str(sum(float(cell) for cell in row.split(","))) for row in rows]
    return InvocationResponse(200, "text/csv; charset=utf-8", ("\n".join(sums) + "\n").encode())


def echo(request: InvocationRequest, limit: float) -> InvocationResponse:
    return InvocationResponse(200, request.accept or "text/csv", request.body)


def transform(body: bytes, model: Model = adding_model, **settings: Any) -> bytes:
    sink = io.BytesIO()
    with Transformer(BatchSettings(**settings), model) as transformer:
        transformer.transform(io.BytesIO(body), sink)
    return sink.getvalue()


def test_every_record_has_its_line_in_the_order_of_the_input() -> None:
    body = b"".join(b"%d,1\n" % number for number in range(500))
    result = transform(body, max_payload_bytes=64, concurrency=4, **CSV_LINES)
    assert result == b"".join(b"%d.0\n" % (number + 1) for number in range(500))


def test_many_records_take_fewer_requests_and_single_records_one_each() -> None:
    body = b"1,2\n" * 100

    def requests(**settings: Any) -> int:
        with Transformer(BatchSettings(**CSV_LINES, **settings), adding_model) as transformer:
            return transformer.transform(io.BytesIO(body), io.BytesIO())

    assert requests() == 1
    assert requests(max_payload_bytes=40) == 10
    assert requests(strategy="SingleRecord") == 100


def test_requests_overlap_up_to_the_concurrency_and_no_further() -> None:
    together, most, lock = threading.Barrier(3), [0, 0], threading.Lock()

    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        with lock:
            most[0] += 1
            most[1] = max(most)
        together.wait(10)
        with lock:
            most[0] -= 1
        return adding_model(request, limit)

    transform(b"1,2\n" * 9, model, strategy="SingleRecord", concurrency=3, **CSV_LINES)
    assert most == [0, 3]


def test_objects_transformed_at_the_same_time_share_the_concurrency() -> None:
    under_way, lock = [0, 0], threading.Lock()

    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        with lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        answer = adding_model(request, limit)
        with lock:
            under_way[0] -= 1
        return answer

    settings = BatchSettings(**CSV_LINES, strategy="SingleRecord", concurrency=2)
    bodies = [b"%d,0\n" % number * 50 for number in range(5)]
    sinks = [io.BytesIO() for _ in bodies]
    with Transformer(settings, model) as transformer:
        threads = [
            threading.Thread(target=transformer.transform, args=(io.BytesIO(body), sink))
            for body, sink in zip(bodies, sinks, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert [sink.getvalue() for sink in sinks] == [b"%d.0\n" % number * 50 for number in range(5)]
    assert under_way[1] <= 2


def test_reading_waits_for_writing_so_that_memory_does_not_grow() -> None:
    asked, read = [0], [0]

    class Counting(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            read[0] += 1
            return super().readline(size)

    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        asked[0] += 1
        assert read[0] <= asked[0] + 4
        return adding_model(request, limit)

    settings = BatchSettings(**CSV_LINES, strategy="SingleRecord", concurrency=2)
    with Transformer(settings, model) as transformer:
        transformer.transform(Counting(b"1,2\n" * 300), io.BytesIO())
    assert asked == [300]


def test_assembling_without_lines_adds_nothing() -> None:
    settings = {"content_type": "text/csv", "split": "Line", "strategy": "SingleRecord"}
    assert transform(b"a\nb\n", echo, **settings) == b"ab"
    assert transform(b"a\nb\n", echo, assemble="Line", **settings) == b"a\nb\n"


def test_an_object_without_split_goes_and_comes_whole() -> None:
    assert transform(b'{"a": [1,\n2]}\n', echo, content_type="application/json") == b'{"a": [1,\n2]}\n'


def test_an_empty_object_has_an_empty_result() -> None:
    assert transform(b"", **CSV_LINES) == b""


def test_gzip_input_is_unpacked_and_the_result_is_plain() -> None:
    packed = gzip.compress(b"1,2\n3,4\n") + gzip.compress(b"5,6\n")
    assert transform(packed, compression="Gzip", **CSV_LINES) == b"3.0\n7.0\n11.0\n"


@pytest.mark.parametrize(
    "damage", [lambda packed: packed[:-9], lambda packed: b"1,2\n", lambda packed: packed[:20] + b"\0" * 20]
)
def test_damaged_gzip_fails_the_object(damage: Callable[[bytes], bytes]) -> None:
    packed = gzip.compress(b"".join(b"%d,2\n" % number for number in range(100)))
    with pytest.raises(ObjectFailed, match="Failed to decompress the object"):
        transform(damage(packed), compression="Gzip", **CSV_LINES)


def test_the_input_filter_drops_the_id_before_the_model_and_the_join_keeps_it() -> None:
    result = transform(b"7,1,2\n8,3,4\n", input_filter="$[1:]", join_input=True, **CSV_LINES)
    assert result == b"7,1,2,3.0\n8,3,4,7.0\n"


def test_the_output_filter_selects_of_record_and_prediction() -> None:
    result = transform(
        b"7,1,2\n8,3,4\n", input_filter="$[1:]", join_input=True, output_filter="$[0,-1]", **CSV_LINES
    )
    assert result == b"7,3.0\n8,7.0\n"


def test_the_output_filter_without_a_join_selects_of_the_prediction() -> None:
    assert transform(b"7,1,2\n8,3,4\n", echo, output_filter="$[2]", **CSV_LINES) == b"2\n4\n"


def test_joined_lines_stay_in_order_over_many_requests() -> None:
    body = b"".join(b"%d,1\n" % number for number in range(300))
    result = transform(body, join_input=True, max_payload_bytes=50, concurrency=3, **CSV_LINES)
    assert result == b"".join(b"%d,1,%d.0\n" % (number, number + 1) for number in range(300))


def test_quoted_fields_count_as_one_and_stay_quoted() -> None:
    body = b'"Doe, ""J""",1,2\n"x",3,4\n'
    result = transform(body, input_filter="$[1:]", join_input=True, output_filter="$[0,-1]", **CSV_LINES)
    assert result == b'"Doe, ""J""",3.0\nx,7.0\n'


@given(
    st.lists(
        st.lists(
            st.text(max_size=5).filter(lambda text: not set(text) & set('\r\n",')), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=5,
    )
)
def test_selecting_every_column_changes_nothing(rows: list[list[str]]) -> None:
    body = "\n".join(",".join(row) for row in rows).encode() + b"\n"
    assert transform(body, echo, input_filter="$[0:]", output_filter="$[:3]", **CSV_LINES) == body


def test_json_objects_get_the_prediction_as_an_attribute() -> None:
    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        features = [json.loads(line) for line in request.body.splitlines()]
        lines = b"".join(json.dumps({"score": sum(row)}).encode() + b"\n" for row in features)
        return InvocationResponse(200, "application/jsonlines", lines)

    body = b'{"id": 1, "features": [1, 2]}\n{"id": 2, "features": [3, 4]}\n'
    kinds = {"content_type": "application/jsonlines", "accept": "application/jsonlines"}
    settings: dict[str, Any] = {**CSV_LINES, **kinds, "input_filter": "$.features", "join_input": True}
    first, _second = transform(body, model, **settings).splitlines()
    assert json.loads(first) == {"id": 1, "features": [1, 2], "SageMakerOutput": {"score": 3}}
    chosen = transform(body, model, output_filter="$['id','SageMakerOutput']", **settings)
    assert [json.loads(line) for line in chosen.splitlines()] == [
        {"id": 1, "SageMakerOutput": {"score": 3}},
        {"id": 2, "SageMakerOutput": {"score": 7}},
    ]


def test_a_json_document_that_is_no_object_is_stored_beside_its_output() -> None:
    result = transform(
        b'[1,\n 2, "\xc3\xa9"]',
        echo,
        content_type="application/json",
        accept="application/json",
        join_input=True,
    )
    assert json.loads(result) == {"SageMakerInput": [1, 2, "é"], "SageMakerOutput": [1, 2, "é"]}


@pytest.mark.parametrize(
    ("settings", "body", "text"),
    [
        ({"output_filter": "$[5]"}, b"1,2\n", "index 5 is outside of 1 values"),
        ({"input_filter": "$[2:]"}, b"1,2\n", "index 2 is outside of 2 values"),
        ({"input_filter": "$[0]"}, b'"1,2\n', "as CSV"),
        ({"input_filter": "$.a", "content_type": "application/json"}, b"{\n", "as JSON"),
        (
            {"input_filter": "$.a", "content_type": "application/json"},
            b"[" * 100_000,
            "as JSON: nested too deeply",
        ),
        ({"input_filter": "$[0]", "content_type": "application/x-recordio"}, b"1", "know CSV and JSON only"),
    ],
)
def test_a_record_that_a_filter_cannot_take_fails_the_object(settings, body, text) -> None:
    with pytest.raises(ObjectFailed) as caught:
        transform(body, **{**CSV_LINES, **settings})
    assert text in str(caught.value)
    assert caught.value.client_fault


def test_a_join_needs_an_answer_for_every_record() -> None:
    def one_line(request: InvocationRequest, limit: float) -> InvocationResponse:
        return InvocationResponse(200, "text/csv", b"0.5\n")

    with pytest.raises(ObjectFailed, match="expected 2 records in the response, got 1"):
        transform(b"1,2\n3,4\n", one_line, join_input=True, **CSV_LINES)


def test_a_filter_that_is_not_understood_is_refused_before_anything_runs() -> None:
    with pytest.raises(BadPath):
        Transformer(BatchSettings(input_filter="$[?]"), adding_model)


def answering(status: int, body: bytes) -> Model:
    return lambda request, limit: InvocationResponse(status, "text/html; charset=utf-8", body)


def test_a_refused_payload_is_the_clients_fault_in_the_data_logs_words() -> None:
    with pytest.raises(ObjectFailed) as caught:
        transform(b"a\n", answering(415, b"Loading csv data failed\n <class 'ValueError'>"), **CSV_LINES)
    assert caught.value.lines == (
        "ClientError: 415",
        "",
        "Message:",
        "Loading csv data failed",
        " <class 'ValueError'>",
    )
    assert caught.value.client_fault


def test_a_server_error_is_the_algorithms_fault_in_the_data_logs_words() -> None:
    with pytest.raises(ObjectFailed) as caught:
        transform(b"a\n", answering(500, b"oops"), **CSV_LINES)
    assert caught.value.lines == ("Bad HTTP status received from algorithm: 500", "", "Message:", "oops")
    assert not caught.value.client_fault


@pytest.mark.parametrize("error", [InvocationTimeout, ModelProcessDied])
def test_no_answer_is_tried_again_and_then_said_so(error: type[Exception]) -> None:
    asked = [0]

    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        asked[0] += 1
        assert limit == 7
        raise error

    with pytest.raises(ObjectFailed, match="Unable to get response from algorithm"):
        transform(b"1,2\n", model, max_retries=2, timeout_seconds=7, **CSV_LINES)
    assert asked == [3]


def test_a_payload_that_succeeds_at_another_try_is_no_failure() -> None:
    tries = iter([InvocationResponse(503, "text/html", b""), ModelProcessDied(), None])

    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        outcome = next(tries)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome or adding_model(request, limit)

    assert transform(b"1,2\n", model, **CSV_LINES) == b"3.0\n"


def test_a_refused_payload_is_not_tried_again() -> None:
    asked = [0]

    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        asked[0] += 1
        return InvocationResponse(400, "text/html", b"no")

    with pytest.raises(ObjectFailed):
        transform(b"1,2\n", model, **CSV_LINES)
    assert asked == [1]


def test_one_objects_failure_leaves_the_next_object_alone() -> None:
    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        return (
            answering(400, b"no")(request, limit) if b"bad" in request.body else adding_model(request, limit)
        )

    settings = BatchSettings(**CSV_LINES, strategy="SingleRecord", concurrency=2)
    with Transformer(settings, model) as transformer:
        for _ in range(5):
            with pytest.raises(ObjectFailed):
                transformer.transform(io.BytesIO(b"1,1\nbad\n" + b"2,2\n" * 10), io.BytesIO())
        sink = io.BytesIO()
        assert transformer.transform(io.BytesIO(b"1,1\n" * 10), sink) == 10
    assert sink.getvalue() == b"2.0\n" * 10


def test_stopping_ends_an_object_between_two_requests() -> None:
    stopping = threading.Event()

    def model(request: InvocationRequest, limit: float) -> InvocationResponse:
        stopping.set()
        return adding_model(request, limit)

    settings = BatchSettings(**CSV_LINES, strategy="SingleRecord")
    with Transformer(settings, model, stopping) as transformer, pytest.raises(TransformStopped):
        transformer.transform(io.BytesIO(b"1,2\n" * 100), io.BytesIO())
