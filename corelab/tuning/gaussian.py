"""A Gaussian process over the unit cube: where, given a few results, the next one is most promising.

    results ─▶ kernel fitted to them ─▶ mean and spread everywhere ─▶ expected improvement ─▶ the best candidate

Costs grow with the cube of the number of results: meant for some hundred at most.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# How the kernel's parameters are sought: so many drawn from their prior, then half as many around the best, in
# rounds. From _FULL results on there are fewer draws: each costs the cube of the results, and they say more.
_DRAWS, _FEWEST, _FULL = 120, 12, 30
_ROUNDS, _AROUND = 2, 6
# Priors, as logarithms: a length of half the range and noise of a thousandth of the variance, both vague.
_LENGTH, _LENGTH_SPREAD = math.log(0.5), 1.0
_NOISE, _NOISE_SPREAD = math.log(1e-3), 2.0
_JITTER = 1e-6
# Results this many times further from the median than the best are as bad as anything needs to be.
_OUTLIER = 3.0


class GaussianProcess:
    """Fitted to results that are to be minimized; predictions are in units of their spread.

    Args:
        points: n x d, each column within the unit interval.
        values: n results.
        groups: for each column the parameter it belongs to; the columns of one share a length.
    """

    def __init__(
        self, points: Array, values: Array, groups: NDArray[np.int64], rng: np.random.Generator
    ) -> None:
        self._points, self._groups = points, groups
        self._values = _standardized(values)
        self._lengths, self._noise = self._fit(rng)
        self._factor()

    def believe(self, points: Array) -> None:
        """Take pending points for done, with the results predicted for them."""
        means, _ = self.predict(points)
        self._points = np.vstack([self._points, points])
        self._values = np.concatenate([self._values, means])
        self._factor()

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Means and standard deviations."""
        cross = _matern(_distances(points, self._points, self._groups) @ self._lengths)
        spread = self._variance * (1 + _JITTER - ((cross @ self._inverse) * cross).sum(axis=1))
        return cross @ self._weights, np.sqrt(np.maximum(spread, 1e-12))

    def expected_improvement(self, points: Array) -> Array:
        """How much better than the best predicted result so far each point may turn out, on average."""
        means, spreads = self.predict(points)
        best = self.predict(self._points)[0].min()
        scaled = (best - means) / spreads
        below = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in scaled])
        density = np.exp(-0.5 * scaled**2) / math.sqrt(2 * math.pi)
        improvement: Array = spreads * (scaled * below + density)
        return improvement

    def _fit(self, rng: np.random.Generator) -> tuple[Array, float]:
        """Inverse squared lengths and noise with the highest posterior among those tried."""
        squares = _distances(self._points, self._points, self._groups)
        draws = max(_FEWEST, int(_DRAWS * min(1, _FULL / len(self._values)) ** 1.5))
        tried = rng.normal(0, 1, (draws, squares.shape[-1] + 1))
        scores = self._posterior(squares, tried)
        for around in range(_ROUNDS):
            leaders = np.argsort(-scores)[: draws // (2 * _AROUND)]
            best = np.repeat(tried[leaders], _AROUND, axis=0)
            moved = best + rng.normal(0, 0.4 / (around + 1), best.shape)
            tried = np.vstack([tried, moved])
            scores = np.concatenate([scores, self._posterior(squares, moved)])
        lengths, noise = _scales(tried[np.argmax(scores)][None])
        return lengths[0], float(noise[0])

    def _posterior(self, squares: Array, tried: Array) -> Array:
        """Log posterior of each row of standardized logarithms, the variance at its best for them."""
        lengths, noise = _scales(tried)
        count = len(self._values)
        kernels = _matern(np.moveaxis(squares @ lengths.T, -1, 0))
        kernels[:, range(count), range(count)] += noise[:, None] + _JITTER
        factors = np.linalg.cholesky(kernels)
        solved = np.linalg.solve(factors, np.broadcast_to(self._values[:, None], (len(tried), count, 1)))
        variance = np.maximum((solved[..., 0] ** 2).mean(axis=1), 1e-9)
        determinant = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
        score: Array = -0.5 * count * np.log(variance) - determinant - 0.5 * (tried**2).sum(axis=1)
        return score

    def _factor(self) -> None:
        kernel = _matern(_distances(self._points, self._points, self._groups) @ self._lengths)
        kernel[np.diag_indices_from(kernel)] += self._noise + _JITTER
        self._inverse = np.linalg.inv(kernel)
        self._weights = self._inverse @ self._values
        self._variance = max(float(self._values @ self._weights) / len(self._values), 1e-9)


def _standardized(values: Array) -> Array:
    # Brought to a size whose square is still a number.
    values = values / max(1.0, float(np.abs(values).max()))
    middle, best = np.median(values), values.min()
    clipped = np.minimum(values, middle + _OUTLIER * (middle - best)) if middle > best else values
    spread = clipped.std()
    standardized: Array = (clipped - clipped.mean()) / spread if spread > 0 else np.zeros_like(clipped)
    return standardized


def _scales(tried: Array) -> tuple[Array, Array]:
    lengths = np.exp(-2 * (_LENGTH + _LENGTH_SPREAD * tried[:, :-1]))
    return lengths, np.exp(_NOISE + _NOISE_SPREAD * tried[:, -1])


def _distances(left: Array, right: Array, groups: NDArray[np.int64]) -> Array:
    """Squared distances, one matrix for each parameter in the last axis."""
    columns = (left[:, None, :] - right[None, :, :]) ** 2
    distances: Array = np.stack([columns[..., groups == g].sum(-1) for g in range(groups.max() + 1)], axis=-1)
    return distances


def _matern(squared: Array) -> Array:
    """Matern 5/2: rough enough for real objectives, smooth enough to learn from a few results."""
    root = np.sqrt(5 * squared)
    kernel: Array = (1 + root + root**2 / 3) * np.exp(-root)
    return kernel
