"""What a run will take, from what a pilot took: yield, rounds, calls, tokens, time and money, with 95 % intervals.

Yield per round: k accepted (a sum of chances, see `proposals`) of m rounds, interval of Jeffreys' posterior
Beta(k + ½, m − k + ½). Rounds of one document resemble each other, so k and m are divided by a design effect, the
variance between documents over that of independent rounds (at least 1). Rounds for n examples are drawn from the
negative binomial; what a round takes is drawn by a bootstrap over documents. Of 0 accepted there is an upper bound
only: 3 / m (the "rule of three").
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodata_dspy.proposals import CallPrice, PilotRound, Prospect

MEASURES = ("calls", "tokens", "seconds", "usd")
DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval; None: the pilot cannot say (`high`: there is no upper bound)."""

    mid: float | None
    low: float
    high: float | None

    def times(self, factor: float) -> Interval:
        mid, high = (None if figure is None else figure * factor for figure in (self.mid, self.high))
        return Interval(mid, self.low * factor, high)


@dataclass(frozen=True)
class Bill:
    """What a pilot's roles took, spread over what causes it: role → cause → measure → amount.

    Causes are "round" (the challenger and whoever looks before the solvers), "weak" and "strong" (one attempt; the
    judge's share is the same for both).
    """

    by_role: dict[str, dict[str, dict[str, float]]]
    unpriced: int = 0

    @classmethod
    def of(cls, usage: Mapping[str, Mapping[str, Any]], rounds: Sequence[PilotRound], wall: float) -> Bill:
        """From a run's `usage`, its rounds (at least one) and its wall time in seconds."""
        n = {
            "round": len(rounds),
            "weak": sum(len(r.weak) for r in rounds),
            "strong": sum(len(r.strong) for r in rounds),
        }
        busy = sum(used["seconds"] for used in usage.values())
        by_role = {}
        for role, used in usage.items():
            taken = {
                "calls": used["calls"],
                "tokens": used["input_tokens"] + used["output_tokens"],
                "seconds": used["seconds"] * (wall / busy if busy else 0.0),  # as people wait, with what ran at once
                "usd": used["usd"],
            }
            causes = [c for c in _CAUSES.get(role, ("round",)) if n[c]] or ["round"]
            times = sum(n[cause] for cause in causes)
            by_role[role] = {c: {m: taken[m] / times for m in MEASURES} for c in causes}
        return cls(by_role, sum(used["unpriced"] for used in usage.values()))

    def per(self, cause: str, measure: str) -> float:
        """Of all roles."""
        return sum(causes[cause][measure] for causes in self.by_role.values() if cause in causes)

    def price(self) -> CallPrice:
        return CallPrice(*(self.per(cause, "calls") for cause in ("round", "weak", "strong")))


_CAUSES = {"weak_solver": ("weak",), "strong_solver": ("strong",), "judge": ("weak", "strong")}


@dataclass(frozen=True)
class Forecast:
    """What `n` accepted examples will take.

    Attributes:
        n: examples wanted.
        n_rounds: of the pilot.
        accepted: of the pilot's rounds, as a sum of chances.
        screened: share of rounds that pass the checks.
        yield_per_round: accepted examples per round.
        rounds, calls, tokens, minutes, usd: for all `n`; minutes of wall time, at the pilot's concurrency.
        per_accepted: role → measure (calls, tokens, seconds of wall time, usd) per accepted example; empty where none
            is accepted.
        unpriced: calls of the pilot whose price is unknown; `usd` leaves them out.
    """

    n: int
    n_rounds: int
    accepted: float
    screened: Interval
    yield_per_round: Interval
    rounds: Interval
    calls: Interval
    tokens: Interval
    minutes: Interval
    usd: Interval
    per_accepted: dict[str, dict[str, float]] = field(default_factory=dict)
    unpriced: int = 0


def forecast(rounds: Sequence[PilotRound], found: Sequence[Prospect], bill: Bill, n: int, *, seed: int = 0) -> Forecast:
    """Forecast for `n` examples. `found`: what the rule in question makes of each of the rounds (at least one)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    ids = [r.document_id for r in rounds]
    chances = [p.accepted for p in found]
    k, yielded, draws = _share(ids, chances, rng)
    _, screened, _ = _share(ids, [float(r.screened) for r in rounds], rng)
    taken = np.array([[_taken(bill, p, measure) for measure in MEASURES] for p in found])
    per_round = taken.mean(axis=0)
    n_rounds = _rounds_for(n, yielded, draws, rng)
    if draws is None:
        amounts = [Interval(None, n_rounds.low * each, None) for each in per_round]
    else:
        needed = n + rng.negative_binomial(n, draws)
        totals = needed[:, None] * _resampled(ids, taken, rng)
        edges = np.quantile(totals, [0.025, 0.975], axis=0)
        amounts = [
            Interval(float(n * len(rounds) / k * per_round[i]), float(edges[0, i]), float(edges[1, i]))
            for i in range(len(MEASURES))
        ]
    calls, tokens, seconds, usd = amounts
    return Forecast(
        n=n,
        n_rounds=len(rounds),
        accepted=k,
        screened=screened,
        yield_per_round=yielded,
        rounds=n_rounds,
        calls=calls,
        tokens=tokens,
        minutes=seconds.times(1 / 60),
        usd=usd,
        per_accepted=_per_accepted(bill, found, k) if k > 0 else {},
        unpriced=bill.unpriced,
    )


def _taken(bill: Bill, found: Prospect, measure: str) -> float:
    weak, strong = found.n_weak * bill.per("weak", measure), found.n_strong * bill.per("strong", measure)
    return bill.per("round", measure) + weak + strong


def _per_accepted(bill: Bill, found: Sequence[Prospect], k: float) -> dict[str, dict[str, float]]:
    times = {"round": len(found), "weak": sum(p.n_weak for p in found), "strong": sum(p.n_strong for p in found)}
    return {
        role: {m: sum(causes[c][m] * times[c] for c in causes) / k for m in MEASURES}
        for role, causes in bill.by_role.items()
    }


def _share(ids: Sequence[str], chances: Sequence[float], rng: Any) -> tuple[float, Interval, Any]:
    """(sum, mean with its interval, draws of the mean); no draws where the sum is 0."""
    import numpy as np

    k, m = math.fsum(chances), len(chances)
    effect = design_effect(ids, chances)
    if k <= 0.0:
        return 0.0, Interval(0.0, 0.0, min(1.0, 3 * effect / m)), None
    draws = np.maximum(rng.beta(k / effect + 0.5, (m - k) / effect + 0.5, DRAWS), 1e-6)
    low, high = np.quantile(draws, [0.025, 0.975])
    return k, Interval(k / m, float(low), float(high)), draws


def _rounds_for(n: int, yielded: Interval, draws: Any, rng: Any) -> Interval:
    import numpy as np

    if draws is None or not yielded.mid:
        return Interval(None, n / (yielded.high or 1.0), None)
    low, high = np.quantile(n + rng.negative_binomial(n, draws), [0.025, 0.975])
    return Interval(n / yielded.mid, float(low), float(high))


def design_effect(ids: Sequence[str], chances: Sequence[float]) -> float:
    """How many rounds tell as much as one independent round would: variance of the mean with documents as units, over
    that of independent rounds; between 1 and the rounds of a document."""
    groups: dict[str, list[float]] = defaultdict(list)
    for name, chance in zip(ids, chances, strict=True):
        groups[name].append(chance)
    m, d = len(chances), len(groups)
    p = sum(chances) / m
    if d < 2 or not 0.0 < p < 1.0:
        return 1.0
    between = sum((sum(g) - p * len(g)) ** 2 for g in groups.values()) * d / (d - 1) / m**2
    return min(max(1.0, between / (p * (1 - p) / m)), m / d)


def _resampled(ids: Sequence[str], taken: Any, rng: Any) -> Any:
    """Draws of what a round takes, (DRAWS, measures): documents drawn with replacement."""
    import numpy as np

    names = sorted(set(ids))
    place = np.array([names.index(name) for name in ids])
    sums = np.array([taken[place == i].sum(axis=0) for i in range(len(names))])
    sizes = np.array([(place == i).sum() for i in range(len(names))])
    picked = rng.integers(0, len(names), (DRAWS, len(names)))
    return sums[picked].sum(axis=1) / sizes[picked].sum(axis=1)[:, None]
