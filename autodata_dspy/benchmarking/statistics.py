"""Differences between arms: paired bootstrap over items and seeds, corrected for how many are looked at.

Of two arms without a difference (120 items, 300 simulated suites each) the intervals held 0 in 94 % with three seeds
that differ a lot, and in all where nothing but chance by item and seed differs: drawing both at once counts that chance
more than once. So a suite may overlook a small difference; it does not make one up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from autodata_dspy.resampling import interval, over_groups, weights

DRAWS = 5000
DRAWS_PER_LOOK = 200  # for each difference that is corrected for: the smallest p a draw can show is 2 / (1 + draws)
ALPHA = 0.05
POWER = 0.8
SIGNED_ZERO = 1e-9

# Items of one seed, and how often each is drawn, (draws, items) → the number they make, (draws,).
Total = Callable[[Sequence[Any], np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """A figure of one arm with its 95 % interval; None: nothing could be measured."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Difference:
    """One arm minus another.

    Attributes:
        value, low, high: the difference with its 95 % interval; None: it cannot be measured.
        p: two-sided, of the bootstrap.
        adjusted: the same after Holm's correction over all differences of the suite.
        detectable: the smallest true difference that would be found in 4 of 5 suites like this one.
        sd: of the draws.
    """

    value: float | None
    low: float = 0.0
    high: float = 0.0
    p: float = 1.0
    adjusted: float = 1.0
    detectable: float = math.inf
    sd: float = 0.0

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "cannot be compared: an arm has nothing to measure"
        if self.adjusted <= ALPHA and not self.low <= 0.0 <= self.high:
            return "better" if self.value > 0 else "worse"
        unseen = f"; one below {self.detectable:.3f} would go unnoticed" if self.sd else ""
        return f"no evidence of a difference{unseen}"


def mean(items: Sequence[float | None], drawn: np.ndarray) -> np.ndarray:
    """Mean of what is decided."""
    decided = np.array([i is not None for i in items], dtype=float)
    values = np.array([0.0 if i is None else i for i in items], dtype=float)
    return (drawn @ values) / np.maximum(drawn @ decided, 1)


def macro_f1(items: Sequence[Sequence[str]], drawn: np.ndarray) -> np.ndarray:
    """Macro-F1 of [label, guess] over the labels that occur in the draw, as `ClassifierStudent.total` has it."""
    truths, guesses = (np.array([item[k] for item in items]) for k in (0, 1))
    totals, n_labels = np.zeros(len(drawn)), np.zeros(len(drawn))
    for label in sorted(set(truths)):
        truth, guess = truths == label, guesses == label
        n = drawn @ truth.astype(float)
        found = 2 * (drawn @ (truth & guess)) / np.maximum(n + drawn @ guess.astype(float), 1)
        totals, n_labels = totals + np.where(n > 0, found, 0.0), n_labels + (n > 0)
    return totals / np.maximum(n_labels, 1)


def estimate(by_seed: Sequence[Sequence[Any]], total: Total, same_items: bool, seed: int = 0) -> Estimate:
    """A figure of one arm, from the items of each seed; see `difference`."""
    by_seed = [items for items in by_seed if _says(items)]
    if not by_seed:
        return Estimate(None)
    rng = np.random.default_rng(seed)
    values = _values([by_seed], total, same_items, rng)[0]
    low, high = interval(over_groups(values, rng))
    return Estimate(_point(by_seed, total), low, high)


def difference(
    better: Sequence[Sequence[Any]],
    than: Sequence[Sequence[Any]],
    total: Total,
    same_items: bool,
    seed: int = 0,
    n_looks: int = 1,
) -> Difference:
    """The mean over seeds of one arm's figure minus the other's, drawn anew in pairs.

    Args:
        better, than: the items of each seed, in the same order; seeds of which one arm has none are left out.
        total: makes a figure of items.
        same_items: all seeds of both arms have the same items (of a test), which are drawn together; else each has its
            own (examples), and only the seeds are paired; a list that stands for several seeds is drawn once. What one
            of them leaves undecided is left out of both.
        n_looks: differences that this one is to be corrected with; many need more draws.
    """
    pairs = [(a, b) for a, b in zip(better, than, strict=True) if _says(a) and _says(b)]
    if not pairs:
        return Difference(None)
    arms = [[pair[side] for pair in pairs] for side in (0, 1)]
    if same_items:
        seeds = [items for arm in arms for items in arm]
        decided = [i for i in range(len(seeds[0])) if all(items[i] is not None for items in seeds)]
        arms = [[[items[i] for i in decided] for items in arm] for arm in arms]
        if not decided:
            return Difference(None)
    rng = np.random.default_rng(seed)
    n_draws = max(DRAWS, DRAWS_PER_LOOK * n_looks)
    first, second = _values(arms, total, same_items, rng, n_draws)
    drawn = over_groups(first - second, rng)
    low, high = interval(drawn)
    below, above = ((drawn <= SIGNED_ZERO).sum(), (drawn >= -SIGNED_ZERO).sum())
    p = min(1.0, 2 * (1 + min(below, above)) / (1 + n_draws))
    return Difference(_point(arms[0], total) - _point(arms[1], total), low, high, float(p), float(p), sd=drawn.std())


def corrected(found: Sequence[Difference]) -> list[Difference]:
    """With Holm's correction over all that can be measured, and what a suite of so many could detect."""
    measured = sorted((d.p, place) for place, d in enumerate(found) if d.value is not None)
    m, worst, adjusted = len(measured), 0.0, {}
    for rank, (p, place) in enumerate(measured):
        worst = max(worst, min(1.0, (m - rank) * p))
        adjusted[place] = worst
    normal = NormalDist()
    factor = normal.inv_cdf(1 - ALPHA / (2 * max(m, 1))) + normal.inv_cdf(POWER)
    return [
        replace(d, adjusted=adjusted[place], detectable=factor * d.sd) if place in adjusted else d
        for place, d in enumerate(found)
    ]


def _says(items: Sequence[Any]) -> bool:
    return any(item is not None for item in items)


def _point(by_seed: Sequence[Sequence[Any]], total: Total) -> float:
    return float(np.mean([total(items, np.ones((1, len(items))))[0] for items in by_seed]))


def _values(
    arms: Sequence[Sequence[Sequence[Any]]],
    total: Total,
    same_items: bool,
    rng: np.random.Generator,
    n_draws: int = DRAWS,
) -> list[np.ndarray]:
    """Draws of each arm's figure, (seeds, draws) each. Seeds that have the very same items share their draws, too."""
    shared = weights(len(arms[0][0]), n_draws, rng) if same_items else None
    drawn = {} if shared is None else {id(items): shared for arm in arms for items in arm}
    for items in (items for arm in arms for items in arm if id(items) not in drawn):
        drawn[id(items)] = weights(len(items), n_draws, rng)
    return [np.array([total(items, drawn[id(items)]) for items in arm]) for arm in arms]
