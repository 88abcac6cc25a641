"""The part of JSONPath that filters know; Python's own indexing is the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corelab.engine.batch.jsonpath import BadPath, NotFound, Path

RECORD = {"id": 7, "features": [1, 2, {"deep": [3, 4]}], "it's": None, "a b": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", RECORD),
        ("$.id", 7),
        ("$['id']", 7),
        ('$["id"]', 7),
        ("$[ 'id' , 'a b' ]", {"id": 7, "a b": True}),
        ('$["it\'s"]', None),
        ("$.features[0]", 1),
        ("$.features[-1].deep[1]", 4),
        ("$['features'][2]['deep']", [3, 4]),
        ("$.features[0,1]", [1, 2]),
        ("$.features[*]", RECORD["features"]),
        ("$.*", list(RECORD.values())),
    ],
)
def test_a_path_selects_from_a_json_record(text: str, expected: object) -> None:
    assert Path(text).select(RECORD) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$[0]", "a"),
        ("$[-1]", "e"),
        ("$[1,3,-1]", ["b", "d", "e"]),
        ("$[1:]", ["b", "c", "d", "e"]),
        ("$[:2]", ["a", "b"]),
        ("$[-2:]", ["d", "e"]),
        ("$[1:3]", ["b", "c"]),
        ("$[0,3:]", ["a", "d", "e"]),
        ("$[0, -1]", ["a", "e"]),
    ],
)
def test_a_path_selects_columns_of_a_row(text: str, expected: object) -> None:
    path = Path(text)
    assert path.rows_only
    assert path.select(list("abcde")) == expected


@given(st.lists(st.integers(), max_size=8), st.integers(-9, 9))
def test_an_index_is_pythons_or_not_found(values: list[int], index: int) -> None:
    try:
        expected = values[index]
    except IndexError:
        with pytest.raises(NotFound, match="outside"):
            Path(f"$[{index}]").select(values)
    else:
        assert Path(f"$[{index}]").select(values) == expected


@given(st.lists(st.integers(), min_size=1, max_size=8), st.integers(-9, 9), st.integers(-9, 9))
def test_a_slice_is_pythons_where_its_ends_exist(values: list[int], start: int, end: int) -> None:
    path = Path(f"$[{start}:{end}]")
    if -len(values) <= start < len(values) and -len(values) <= end <= len(values):
        assert path.select(values) == values[start:end]
    else:
        with pytest.raises(NotFound, match="outside"):
            path.select(values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "$.",
        "$..a",
        "$[",
        "$[]",
        "$[a]",
        "$['a]",
        "$[?(@.a)]",
        "$[::2]",
        "$['a',1]",
        "$ [0]",
        "$[1:2:3]",
        "$[1]x",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadPath):
        Path(text)


def test_a_path_has_at_most_63_characters() -> None:
    assert Path("$." + "a" * 61).select({"a" * 61: 1}) == 1
    with pytest.raises(BadPath, match="63"):
        Path("$." + "a" * 62)


@pytest.mark.parametrize("text", ["$.a", "$['a']", "$[0][1]", "$[*]", "$.*"])
def test_only_indexes_fit_csv_rows(text: str) -> None:
    assert not Path(text).rows_only


@pytest.mark.parametrize(
    ("text", "value"), [("$.b", {"a": 1}), ("$.a", [1]), ("$[0]", {"0": 1}), ("$[*]", 3)]
)
def test_what_a_record_lacks_is_not_found(text: str, value: object) -> None:
    with pytest.raises(NotFound):
        Path(text).select(value)


@given(st.text("$.[]'\"*:,-0123456789abc ()@?", max_size=20))
def test_any_text_is_a_path_or_refused_never_more(text: str) -> None:
    try:
        Path(text)
    except BadPath as refused:
        assert "expected" in str(refused) or "supported" in str(refused)
