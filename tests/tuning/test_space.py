"""Search spaces read AWS's ranges and write values as AWS does."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corelab.errors import AWSError
from corelab.tuning.sampling import Proposer, bayesian, seed_of, uniform
from corelab.tuning.space import SearchSpace, render
from tests.tuning.cases import categorical, continuous, integer, ranges

WHOLE = st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(-1e300, 1e300, allow_nan=False)
SHARE = st.floats(0, 1, exclude_max=True)
SCALES = {"Linear": REAL, "Auto": REAL, "Logarithmic": st.floats(1e-300, 1e300), "ReverseLogarithmic": SHARE}


@st.composite
def integer_ranges(draw: st.DrawFn, name: str) -> dict[str, str]:
    scaling = draw(st.sampled_from(["Auto", "Linear", "Logarithmic"]))
    bounds = st.integers(1, 2**63 - 1) if scaling == "Logarithmic" else WHOLE
    low, high = sorted((draw(bounds), draw(bounds)))
    return integer(name, str(low), str(high), scaling)


@st.composite
def continuous_ranges(draw: st.DrawFn, name: str) -> dict[str, str]:
    scaling = draw(st.sampled_from(sorted(SCALES)))
    low, high = sorted((draw(SCALES[scaling]), draw(SCALES[scaling])))
    return continuous(name, repr(low), repr(high), scaling)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    texts = draw(st.lists(st.text(max_size=8), min_size=1, max_size=5))
    return SearchSpace.parse(
        ranges([draw(integer_ranges("i"))], [draw(continuous_ranges("c"))], [categorical("t", *texts)])
    )


@settings(deadline=None)
@given(spaces(), st.integers(0, 2**32 - 1))
def test_every_sample_lies_within_its_ranges_and_is_written_legally(space: SearchSpace, seed: int) -> None:
    tuned = Proposer(space, True, uniform).propose(seed)
    assert space.read(tuned) is not None
    assert set(tuned) == {"i", "c", "t"}
    assert tuned["i"].lstrip("-").isdecimal()
    assert render(float(tuned["c"])) == tuned["c"]


@settings(deadline=None, max_examples=40)
@given(spaces(), st.lists(st.floats(-1e9, 1e9), min_size=6, max_size=9))
def test_samples_stay_within_their_ranges_once_results_are_known(
    space: SearchSpace, scores: list[float]
) -> None:
    proposer = Proposer(space, False, bayesian)
    for number, score in enumerate(scores):
        tuned = proposer.propose(seed_of(1, number))
        assert space.read(tuned) is not None
        handle = proposer.add(tuned, running=True)
        assert handle is not None
        proposer.finish(handle, score)


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), (-3, "-3"), (0.1015727388941435, "0.1015727388941435"), (5.0, "5.0"), ("gbtree", "gbtree")],
)
def test_values_are_written_as_training_jobs_on_AWS_get_them(value: int | float | str, text: str) -> None:
    assert render(value) == text


@pytest.mark.parametrize(
    ("scaling", "low", "high", "inner", "expected"),
    [
        ("Linear", "0", "1000", (400, 600), 0.2),
        ("Logarithmic", "0.001", "1000", (0.1, 10), 1 / 3),
        ("ReverseLogarithmic", "0", "0.999", (0.9, 0.99), 1 / 3),
    ],
)
def test_random_samples_spread_evenly_over_the_scale(
    scaling: str, low: str, high: str, inner: tuple[float, float], expected: float
) -> None:
    space = SearchSpace.parse(ranges(floats=[continuous("x", low, high, scaling)]))
    proposer = Proposer(space, True, uniform)
    values = [float(proposer.propose(seed)["x"]) for seed in range(300)]
    share = sum(inner[0] <= value <= inner[1] for value in values) / len(values)
    assert share == pytest.approx(expected, abs=0.08)


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [
        ("0.1", "0.5", "Linear"),
        ("0.0001", "1", "Logarithmic"),
        ("0", "1000", "Linear"),
        ("-5", "5", "Linear"),
    ],
)
def test_auto_scaling_counts_magnitudes_where_a_range_spans_several(low: str, high: str, scale: str) -> None:
    space = SearchSpace.parse(ranges(floats=[continuous("x", low, high)]))
    assert [entry.scale for entry in space if entry.kind == "Continuous"] == [scale]


def test_a_range_of_one_value_is_that_value() -> None:
    space = SearchSpace.parse(
        ranges([integer("i", "5", "5")], [continuous("c", "0.25", "0.25", "Logarithmic")])
    )
    assert Proposer(space, True, uniform).propose(1) == {"i": "5", "c": "0.25"}
    assert space.combinations == 1


def test_combinations_multiply_and_are_endless_with_a_continuous_range() -> None:
    whole = ranges([integer("i", "1", "4")], texts=[categorical("t", "a", "b", "a")])
    assert SearchSpace.parse(whole).combinations == 8
    endless = ranges([integer(f"i{n}", "-9223372036854775808", "9223372036854775807") for n in range(30)])
    assert SearchSpace.parse(endless).combinations == math.inf
    assert SearchSpace.parse(ranges(floats=[continuous("x", "0", "1")])).combinations == math.inf


@pytest.mark.parametrize(
    "wrong",
    [
        ranges([integer("x", "1.0", "3")]),
        ranges([integer("x", "1", "1e3")]),
        ranges([integer("x", "1_0", "20")]),
        ranges([integer("x", "٣", "9")]),
        ranges([integer("x", "0", "9223372036854775808")]),
        ranges([integer("x", "0", "9" * 256)]),
        ranges([integer("x", "5", "1")]),
        ranges([integer("x", "0", "9", "Logarithmic")]),
        ranges([integer("x", "1", "9", "ReverseLogarithmic")]),
        ranges(floats=[continuous("x", "low", "1")]),
        ranges(floats=[continuous("x", "nan", "1")]),
        ranges(floats=[continuous("x", "0", "inf")]),
        ranges(floats=[continuous("x", "0", "1e999")]),
        ranges(floats=[continuous("x", "0x1p3", "10")]),
        ranges(floats=[continuous("x", "", "1")]),
        ranges(floats=[continuous("x", "-1e308", "1e308")]),
        ranges(floats=[continuous("x", "0.5", "0.1")]),
        ranges(floats=[continuous("x", "0", "1", "Logarithmic")]),
        ranges(floats=[continuous("x", "0.5", "1", "ReverseLogarithmic")]),
        ranges(floats=[continuous("x", "-0.1", "0.5", "ReverseLogarithmic")]),
        ranges([integer("x", "1", "3")], texts=[categorical("x", "a")]),
    ],
)
def test_ranges_that_cannot_be_searched_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(AWSError, match="x") as refused:
        SearchSpace.parse(wrong)
    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize("tuned", [{}, {"i": "9"}, {"i": "2.0"}, {"i": "abc"}])
def test_values_of_another_space_are_not_read(tuned: dict[str, str]) -> None:
    assert SearchSpace.parse(ranges([integer("i", "1", "3")])).read(tuned) is None
