"""The Gaussian process, the cube it lives in, and the sampler made of both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from corelab.tuning.bayesian import BayesianSampler
from corelab.tuning.cube import Cube
from corelab.tuning.gaussian import Array, GaussianProcess
from corelab.tuning.sampling import Proposer, SamplerFactory, bayesian, seed_of, uniform
from corelab.tuning.space import SearchSpace
from tests.tuning.cases import categorical, continuous, integer, ranges

MIXED: dict[str, BaseDistribution] = {
    "share": FloatDistribution(0, 1),
    "depth": IntDistribution(1, 12),
    "width": IntDistribution(1, 4096, log=True),
    "kind": CategoricalDistribution(("a", "b", "c")),
}
LINE = np.zeros(1, dtype=np.int64)


def process(points: list[float], values: list[float]) -> GaussianProcess:
    return GaussianProcess(np.array(points)[:, None], np.array(values), LINE, np.random.default_rng(1))


def column(*places: float) -> Array:
    return np.array(places)[:, None]


def test_predictions_follow_the_results_and_are_less_sure_far_from_them() -> None:
    fitted = process([0.0, 0.2, 0.4, 0.6], [4.0, 1.0, 0.0, 1.0])
    means, spreads = fitted.predict(column(0.0, 0.4, 0.3, 1.0))
    assert means[1] < means[2] < means[0]
    assert spreads[0] < spreads[3]


def test_improvement_is_expected_between_good_results_rather_than_at_bad_ones() -> None:
    fitted = process([0.0, 0.3, 0.5, 1.0], [5.0, 1.0, 1.0, 5.0])
    gains = fitted.expected_improvement(column(0.4, 0.95))
    assert gains[0] > gains[1] >= 0


def test_a_pending_point_takes_the_improvement_from_its_neighbourhood() -> None:
    fitted = process([0.0, 0.3, 0.6, 1.0], [5.0, 1.0, 1.2, 5.0])
    before = fitted.expected_improvement(column(0.45))[0]
    fitted.believe(column(0.45))
    assert fitted.expected_improvement(column(0.45))[0] < before


@pytest.mark.parametrize(
    "values", [[1.0, 1.0, 1.0, 1.0], [1e308, -1e308, 0.0, 1e300], [0.0, 1e-320, 0.0, 0.0]]
)
def test_flat_and_monstrous_results_are_fitted_without_an_error(values: list[float]) -> None:
    gains = process([0.1, 0.1, 0.5, 0.9], values).expected_improvement(column(0.1, 0.3))
    assert np.isfinite(gains).all()


@given(st.floats(0, 1), st.integers(1, 12), st.integers(1, 4096), st.sampled_from("abc"))
def test_a_point_keeps_its_values_on_the_way_into_the_cube_and_back(
    share: float, depth: int, width: int, kind: str
) -> None:
    point = {"share": share, "depth": depth, "width": width, "kind": kind}
    assert Cube(MIXED).decode(np.array(Cube(MIXED).encode(point))) == point


@given(st.integers(0, 2**32 - 1))
def test_drawn_and_neighbouring_points_are_points_of_the_space(seed: int) -> None:
    cube, rng = Cube(MIXED), np.random.default_rng(seed)
    drawn = cube.draw(5, rng)
    for points in (drawn, cube.near(drawn, 0.5, rng)):
        for point in points:
            decoded = cube.decode(point)
            assert all(
                MIXED[name]._contains(MIXED[name].to_internal_repr(value)) for name, value in decoded.items()
            )
            assert cube.encode(decoded) == pytest.approx(point)


def test_categories_are_equally_far_apart() -> None:
    features = Cube({"kind": MIXED["kind"]}).features(column(1 / 6, 0.5, 5 / 6))
    assert {round(float(((a - b) ** 2).sum()), 9) for a in features for b in features} == {0.0, 1.0}


def smallest_gap(sampler: SamplerFactory, seed: int) -> float:
    proposer = Proposer(SearchSpace.parse(ranges(floats=[continuous("x", "0", "1")])), True, sampler)
    places = []
    for number in range(4):
        tuned = proposer.propose(seed_of(seed, number))
        proposer.add(tuned, running=True)
        places.append(float(tuned["x"]))
    return float(np.diff(sorted(places)).min())


def test_the_first_points_lie_further_apart_than_chance_would_have_them() -> None:
    apart, chance = ([smallest_gap(sampler, seed) for seed in range(10)] for sampler in (bayesian, uniform))
    assert min(apart) > 0.1
    assert np.mean(apart) > 2 * np.mean(chance)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.floats(-1e308, 1e308), min_size=5, max_size=12))
def test_any_finite_results_leave_the_sampler_working(scores: list[float]) -> None:
    space = SearchSpace.parse(
        ranges([integer("n", "1", "9")], [continuous("x", "0", "1")], [categorical("k", "a", "b")])
    )
    proposer = Proposer(space, False, bayesian)
    for number, score in enumerate(scores):
        tuned = proposer.propose(seed_of(number))
        assert space.read(tuned) is not None
        proposer.add(tuned, score)


def test_hundreds_of_results_are_left_to_the_cheaper_sampler_and_still_lead_to_the_best() -> None:
    space = SearchSpace.parse(ranges(floats=[continuous("x", "0", "1"), continuous("y", "0", "1")]))
    proposer, rng = Proposer(space, False, bayesian), np.random.default_rng(0)
    for x, y in rng.random((200, 2)):
        proposer.add({"x": repr(float(x)), "y": repr(float(y))}, float((x - 0.3) ** 2 + (y - 0.7) ** 2))
    for seed in range(5):
        tuned = proposer.propose(seed)
        assert abs(float(tuned["x"]) - 0.3) + abs(float(tuned["y"]) - 0.7) < 0.4


def test_the_sampler_is_what_bayesian_search_uses() -> None:
    assert isinstance(bayesian(1), BayesianSampler)
