from __future__ import annotations

import re

import pytest

from corelab.engine.xgb.metrics import (
    METRIC_DEFINITIONS,
    NAMES,
    NEEDED_TEXT,
    default_definitions,
    is_maximized,
    metric_pattern,
)

LINE = "[36]#011train-auc:0.91429#011train-error:0.1#011validation-auc:0.80998#011validation-error:1e-05"


def test_every_metric_is_defined_for_both_sets() -> None:
    assert {d["Name"] for d in METRIC_DEFINITIONS} == {
        f"{s}:{m}" for s in ("train", "validation") for m in NAMES
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train:auc", "0.91429"),
        ("train:error", "0.1"),
        ("validation:auc", "0.80998"),
        ("validation:error", "1e-05"),
    ],
)
def test_definitions_find_their_number_in_a_line_as_cloudwatch_shows_it(name: str, value: str) -> None:
    match = re.match(metric_pattern(name), LINE)
    assert match is not None
    assert match[1] == value


@pytest.mark.parametrize("line", [LINE.replace("#011", "\t"), "[36]#011train-auc:nan", "train-auc:0.5"])
def test_other_lines_hold_no_metric(line: str) -> None:
    assert re.match(metric_pattern("train:auc"), line) is None


def test_a_metric_is_not_found_in_anothers_name() -> None:
    assert re.match(metric_pattern("train:error"), "[0]#011train-merror:0.5") is None
    assert re.match(metric_pattern("validation:map"), "[0]#011validation-mape:0.5") is None


@pytest.mark.parametrize(
    ("name", "maximized"),
    [
        ("validation:auc", True),
        ("f1", True),
        ("train:ndcg", True),
        ("validation:rmse", False),
        ("error", False),
    ],
)
def test_directions(name: str, maximized: bool) -> None:
    assert is_maximized(name) is maximized


def test_definitions_are_the_callers_to_change() -> None:
    default_definitions("any")[0]["Name"] = "changed"
    assert default_definitions("any")[0]["Name"] != "changed"


def test_a_line_without_the_needed_text_matches_none_of_the_definitions() -> None:
    names = sorted(definition["Name"] for definition in METRIC_DEFINITIONS)
    tail = "".join(f"#011{name.replace(':', '-')}:0.5" for name in names)
    lines = [
        LINE,
        f"[7]{tail}",
        *(f"[7]#011{name.replace(':', '-')}:-1.5e-3" for name in names),
        "no metric at all",
    ]
    matched = 0
    for definition in METRIC_DEFINITIONS:
        pattern, needed = definition["Regex"], NEEDED_TEXT[definition["Regex"]]
        for line in lines:
            found = re.search(pattern, line) is not None
            matched += found
            assert found == (needed in line), (pattern, line)
    assert matched > 2 * len(METRIC_DEFINITIONS) - 1
