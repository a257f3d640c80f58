"""Uncertainty by drawing again: bootstrap and permutation, under a seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

_EXACT = 7  # points; 5040 orders


def bootstrap(n: int, statistic: Callable[[np.ndarray], float], n_draws: int = 1000, seed: int = 0) -> np.ndarray:
    """`statistic` of `n_draws` samples of n indices, drawn with replacement."""
    rng = np.random.default_rng(seed)
    return np.array([statistic(rng.integers(0, n, n)) for _ in range(n_draws)])


def interval(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of draws."""
    tail = (1.0 - level) / 2
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return float(low), float(high)


def falling(
    levels: Sequence[float], values: Sequence[float], n_draws: int = 10_000, seed: int = 0
) -> tuple[float, float] | None:
    """Spearman's correlation of levels and values, and the p of one as low or lower if they had nothing to do with
    each other: exact up to seven points, else by random permutations. None where either is constant."""
    if len(levels) < 3 or len(set(levels)) < 2 or len(set(values)) < 2:
        return None
    x, y = _ranks(levels), _ranks(values)
    scale = float(np.sqrt((x @ x) * (y @ y)))
    found = float(x @ y) / scale
    if len(x) <= _EXACT:
        orders = np.array(list(itertools.permutations(y)))
        return found, float((orders @ x / scale <= found + 1e-12).mean())
    rng = np.random.default_rng(seed)
    orders = rng.permuted(np.tile(y, (n_draws, 1)), axis=1)
    return found, float((1 + (orders @ x / scale <= found + 1e-12).sum()) / (1 + n_draws))


def _ranks(values: Sequence[float]) -> np.ndarray:
    """Mean ranks, centred."""
    from scipy.stats import rankdata

    ranks = rankdata(np.asarray(values, dtype=float))
    return ranks - ranks.mean()


def weights(n: int, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n is drawn in samples of n with replacement, (n_draws, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_draws) if n else np.zeros((n_draws, 0), dtype=int)


def over_groups(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws of the mean over groups (seeds), from draws of each group, (n_groups, n_draws).

    One group fewer is drawn than there are: samples of n out of n understate the variance of the mean by (n - 1) / n,
    which is a third of it for three seeds. With one group its own variation is unknown, and left out.
    """
    n, n_draws = values.shape
    picked = rng.integers(0, n, (max(1, n - 1), n_draws))
    return values[picked, np.arange(n_draws)].mean(axis=0)
