"""Which acceptance rule fits a pair of solvers: rules compared on the rounds of a pilot, without asking a model again.

A pilot samples both solvers fully. What another rule would have made of a challenge then follows exactly: of `n`
attempts drawn from the `N` that were made, each is as likely as any other, so the share of draws that the rule accepts
is an unbiased estimate of its chance, for every rule that asks for at most `N` attempts. No model of the solvers is
assumed.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from autodata_dspy.acceptance import SLACK, AcceptanceRule, ExactCounts, Thresholds
from autodata_dspy.types import Reason

# What a proposed rule has to say whatever the pilot shows; the numbers are this project's choice.
MIN_ATTEMPTS = 3  # of two, half agree by chance too often
WEAK_STRUGGLES = 0.5  # right at most half of the time
WEAK_MEAN = 0.65  # loosest bound on a weak mean: that of the preset "paper-deployed"
STRONG_MEAN = 0.5  # a strong solver that earns less does not show that the question can be answered
MIN_GAP = 0.1
AFFORDABLE = 2.0  # an example may cost this many times the calls that it costs under the loosest rule

_Scores = tuple[float | None, ...]
_Settle = Callable[[_Scores], tuple[bool | None, bool]]  # scores so far → (settled, whether sampling goes on)


@dataclass(frozen=True, slots=True)
class PilotRound:
    """One round of a pilot. `screened`: it passed the checks, so that solvers were asked.

    `weak` and `strong` are the scores of all attempts, each in [0, 1] or None where nothing is known.
    `accepted`, `reason`: what the rule in force (and the module with the last word) decided.
    """

    document_id: str
    reason: Reason
    accepted: bool = False
    screened: bool = False
    weak: _Scores = ()
    strong: _Scores = ()


@dataclass(frozen=True, slots=True)
class PilotRule:
    """Decides as `rule` does on its first attempts, but makes `n_weak` and `n_strong`, the strong ones also where the
    weak solver is too good. So challengers hear what they would hear in the run to come, and nothing goes unseen."""

    rule: AcceptanceRule
    n_weak: int
    n_strong: int

    def weak(self, scores: Sequence[float | None]) -> bool | None:
        return None if self.rule.weak(scores[: self.rule.n_weak]) is None else True

    def strong(self, weak: Sequence[float | None], scores: Sequence[float | None]) -> bool | None:
        weak, scores = weak[: self.rule.n_weak], scores[: self.rule.n_strong]
        return self.rule.strong(weak, scores) if self.rule.weak(weak) else False

    def agreed(self, scores: Sequence[float | None]) -> bool | None:
        return self.rule.agreed(scores[: self.rule.n_strong])

    def why(self, weak: Sequence[float | None], strong: Sequence[float | None]) -> tuple[Reason, str]:
        weak, strong = weak[: self.rule.n_weak], strong[: self.rule.n_strong]
        return self.rule.why(weak, strong if self.rule.weak(weak) else [])


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is to be expected of one challenge under a rule: the chance that it is accepted, and attempts made."""

    accepted: float
    n_weak: float
    n_strong: float


@dataclass(frozen=True, slots=True)
class CallPrice:
    """Model calls of a round: those before the solvers, those of a weak attempt, those of a strong one."""

    per_round: float = 2.0
    per_weak: float = 1.0
    per_strong: float = 1.0


def prospect(rule: AcceptanceRule, round_: PilotRound, *, whole: bool = False) -> Prospect:
    """What `rule` would make of a round. `whole`: all attempts are made, because a module with the last word hears
    them; else sampling stops once the outcome is certain."""
    if not round_.screened:
        return Prospect(0.0, 0.0, 0.0)
    return _prospect(rule, _in_order(round_.weak), _in_order(round_.strong), whole)


@functools.lru_cache(maxsize=20_000)
def _prospect(rule: AcceptanceRule, weak: _Scores, strong: _Scores, whole: bool) -> Prospect:
    accepted = n_weak = n_strong = 0.0

    def struggles(made: _Scores) -> tuple[bool | None, bool]:
        settled = rule.weak(made)
        return settled, whole or settled is None

    for made, chance, settled in _endings(struggles, weak, rule.n_weak):
        n_weak += chance * len(made)
        if not settled:
            continue

        def succeeds(tried: _Scores, known: _Scores = made) -> tuple[bool | None, bool]:
            settled, agreed = rule.strong(known, tried), rule.agreed(tried)
            return bool(settled and agreed), whole or settled is None or (settled and agreed is None)

        for tried, share, good in _endings(succeeds, strong, rule.n_strong):
            n_strong += chance * share * len(tried)
            accepted += chance * share * bool(good)
    return Prospect(accepted, n_weak, n_strong)


def _endings(settle: _Settle, scores: _Scores, n: int) -> list[tuple[_Scores, float, bool | None]]:
    """Each way in which sampling `n` of `scores` can end: (attempts made, its probability, settled as).

    Rules do not care about the order of attempts, so that samples with the same scores are one.
    """
    ends: list[tuple[_Scores, float, bool | None]] = []
    waiting: dict[_Scores, float] = {(): 1.0}
    for size in range(min(n, len(scores)) + 1):
        ahead: dict[_Scores, float] = defaultdict(float)
        for made, chance in waiting.items():
            settled, goes_on = settle(made)
            if size == min(n, len(scores)) or not goes_on:
                ends.append((made, chance, settled))
                continue
            left = Counter(scores) - Counter(made)
            for score, count in left.items():
                ahead[_in_order((*made, score))] += chance * count / left.total()
        waiting = ahead
    return ends


def _in_order(scores: Iterable[float | None]) -> _Scores:
    return tuple(sorted(scores, key=lambda score: -1.0 if score is None else score))


def attempts(rule: AcceptanceRule, wanted: int, *, learner: bool = False) -> tuple[int, int]:
    """(weak, strong) attempts of a pilot: `wanted`, but never fewer than the rule makes. A solver that the rule does
    not ask is not asked, and a learner gives the same answer every time."""
    n_weak, n_strong = (max(n, wanted) if n else 0 for n in (rule.n_weak, rule.n_strong))
    return (rule.n_weak if learner else n_weak), n_strong


def candidates(rule: AcceptanceRule, n_weak: int, n_strong: int, *, learner: bool = False) -> list[AcceptanceRule]:
    """Valid rules of the kind of `rule` that a pilot with so many attempts can judge; none for other kinds.

    Exact counts: at least `MIN_ATTEMPTS` attempts of each solver; the weak one right at most half of the time, the
    strong one more often than not, so that its answers confirm the reference. Means: weak bound at most `WEAK_MEAN`,
    strong minimum at least `STRONG_MEAN` and not below the weak bound, gap at least `MIN_GAP`; attempts stay. A
    learner's bound stays too: in a pilot it has seen too little to be sure of anything.
    """
    if isinstance(rule, ExactCounts):
        return [
            dataclasses.replace(rule, n_weak=n, max_weak=most, n_strong=m, min_strong=least)
            for n in range(MIN_ATTEMPTS, n_weak + 1)
            for most in range(math.floor(n * WEAK_STRUGGLES) + 1)
            for m in range(MIN_ATTEMPTS, n_strong + 1)
            for least in range(m // 2 + 1, m + 1)
        ]
    if not isinstance(rule, Thresholds):
        return []
    if learner:
        return [dataclasses.replace(rule, strong_min=s, strong_below=2.0) for s in _steps(STRONG_MEAN + 0.05, 1.0)]
    return [
        dataclasses.replace(rule, weak_at_most=w, weak_below=2.0, strong_min=s, gap=gap)
        for w in _steps(0.05, WEAK_MEAN)
        for s in _steps(max(STRONG_MEAN, w), 0.95)
        for gap in (MIN_GAP, 0.2, 0.3, 0.4, 0.5)
    ]


def _steps(low: float, high: float, step: float = 0.05) -> list[float]:
    return [round(low + i * step, 2) for i in range(round((high - low) / step) + 1)]


def strictness(rule: AcceptanceRule) -> float:
    """How far apart a rule demands the solvers to be.

    Exact counts: the distance of the success rates that the least acceptable counts suggest, by Laplace's rule of
    succession, (k + 1) / (n + 2): so 0 of 4 says more than 0 of 3. Means: gap + strong minimum − weak bound.
    """
    if isinstance(rule, ExactCounts):
        return (rule.min_strong + 1) / (rule.n_strong + 2) - (rule.max_weak + 1) / (rule.n_weak + 2)
    if isinstance(rule, Thresholds):
        return rule.gap + rule.strong_min - min(rule.weak_at_most, rule.weak_below)
    return 0.0


def propose(
    rounds: Sequence[PilotRound], valid: Sequence[AcceptanceRule], price: CallPrice | None = None
) -> AcceptanceRule | None:
    """The strictest affordable rule of `valid`; None where none of them accepts anything of the pilot.

    Affordable: its accepted examples per call are at least 1/`AFFORDABLE` of those of the best rule. Going for the
    most examples per call alone would always end at the loosest valid rule, whatever the solvers: every challenge more
    that passes counts. Of equally strict rules the one with more examples per call wins.
    """
    price = price or CallPrice()
    rated = [(_per_call(rule, rounds, price), rule) for rule in valid]
    best = max((rate for rate, _ in rated), default=0.0)
    if best <= 0.0:
        return None
    affordable = [(round(strictness(rule), 6), rate, rule) for rate, rule in rated if rate >= best / AFFORDABLE - SLACK]
    return max(affordable, key=lambda found: found[:2])[2]


def _per_call(rule: AcceptanceRule, rounds: Sequence[PilotRound], price: CallPrice) -> float:
    found = [prospect(rule, round_) for round_ in rounds]
    calls = sum(price.per_round + p.n_weak * price.per_weak + p.n_strong * price.per_strong for p in found)
    return sum(p.accepted for p in found) / calls if calls else 0.0
