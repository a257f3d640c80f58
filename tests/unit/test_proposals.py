"""Rules compared on a pilot's rounds: against hand-computed chances, and on solvers whose strength is known."""

import dataclasses
import random
from fractions import Fraction
from math import comb

import pytest

from autodata_dspy.acceptance import ExactCounts, FullSample, Thresholds
from autodata_dspy.proposals import (
    CallPrice,
    PilotRound,
    PilotRule,
    Prospect,
    attempts,
    candidates,
    propose,
    prospect,
    strictness,
)


def seen(weak: str, strong: str, document: str = "d") -> PilotRound:
    """A screened round; 1 right, 0 wrong, ? undecided."""
    scores = [tuple({"1": 1.0, "0": 0.0, "?": None}[letter] for letter in text) for text in (weak, strong)]
    return PilotRound(document, "accepted", screened=True, weak=scores[0], strong=scores[1])


def drawn(rng: random.Random, p_weak: float, p_strong: float, n: int = 4) -> PilotRound:
    letters = ["".join("01"[rng.random() < p] for _ in range(n)) for p in (p_weak, p_strong)]
    return seen(*letters)


def hypergeometric(k: int, big: int, n: int, wanted: range) -> Fraction:
    return sum((Fraction(comb(k, i) * comb(big - k, n - i), comb(big, n)) for i in wanted if i <= n), Fraction(0))


@pytest.mark.parametrize("weak_right", range(6))
@pytest.mark.parametrize("strong_right", range(6))
def test_the_chance_under_exact_counts_is_hypergeometric(weak_right, strong_right):
    rule = ExactCounts(n_weak=3, max_weak=1, n_strong=3, min_strong=2)
    round_ = seen("1" * weak_right + "0" * (5 - weak_right), "1" * strong_right + "0" * (5 - strong_right))
    struggles = hypergeometric(weak_right, 5, 3, range(2))
    succeeds = hypergeometric(strong_right, 5, 3, range(2, 4))
    assert prospect(rule, round_).accepted == pytest.approx(float(struggles * succeeds))


def test_attempts_are_counted_as_a_curtailed_run_makes_them():
    rule = ExactCounts(n_weak=4, max_weak=1, n_strong=4, min_strong=3)
    # three wrong settle the weak solver; three right ones settle the strong one
    assert prospect(rule, seen("0000", "1111")) == Prospect(1.0, 3.0, 3.0)
    # two right ones settle that it is too easy, and nobody asks the strong solver
    assert prospect(rule, seen("1111", "1111")) == Prospect(0.0, 2.0, 0.0)
    assert prospect(rule, seen("1111", "1111"), whole=True) == Prospect(0.0, 4.0, 0.0)
    assert prospect(rule, seen("0000", "1111"), whole=True) == Prospect(1.0, 4.0, 4.0)
    # one right of four, at a random place: sampling ends after three wrong ones, that is after 3 or (3 of 4 times) 4
    assert prospect(rule, seen("0001", "1111")).n_weak == pytest.approx(3 * 1 / 4 + 4 * 3 / 4)


def test_unknown_attempts_are_never_counted_as_failures_of_the_weak_solver():
    rule = ExactCounts(n_weak=4, max_weak=1, n_strong=4, min_strong=3)
    assert prospect(rule, seen("??00", "1111")).accepted == 0.0
    assert prospect(rule, seen("?000", "1111")).accepted == 1.0


def test_a_round_that_did_not_pass_the_checks_or_was_sampled_too_little_is_not_accepted():
    rule = ExactCounts()
    assert prospect(rule, PilotRound("d", "malformed")) == Prospect(0.0, 0.0, 0.0)
    assert prospect(rule, seen("0000", "")).accepted == 0.0


def test_the_chance_under_thresholds_is_the_share_of_samples_that_pass():
    rule = Thresholds(n_weak=2, n_strong=1, weak_at_most=0.3, strong_min=0.6, gap=0.2)
    round_ = PilotRound("d", "accepted", screened=True, weak=(0.1, 0.3, 0.7), strong=(0.5, 0.6, 1.0))
    # pairs of weak scores: .1 .3 (mean .2) passes; .1 .7 (.4) and .3 .7 (.5) do not; strong: .6 and 1.0 of three
    assert prospect(rule, round_).accepted == pytest.approx(1 / 3 * 2 / 3)


@pytest.mark.parametrize(("n_weak", "n_strong"), [(3, 3), (4, 3), (4, 4)])
def test_chances_are_unbiased(n_weak, n_strong):
    # Of challenges with known success rates, the mean chance is the true one, though the pilot made more attempts.
    least = n_strong // 2 + 1
    rule = ExactCounts(n_weak=n_weak, max_weak=1, n_strong=n_strong, min_strong=least)
    rng, p_weak, p_strong, n = random.Random(5), 0.4, 0.7, 4000
    true = sum(comb(n_weak, i) * p_weak**i * (1 - p_weak) ** (n_weak - i) for i in range(2))
    true *= sum(comb(n_strong, i) * p_strong**i * (1 - p_strong) ** (n_strong - i) for i in range(least, n_strong + 1))
    mean = sum(prospect(rule, drawn(rng, p_weak, p_strong, 5)).accepted for _ in range(n)) / n
    assert mean == pytest.approx(true, abs=0.03)


def test_candidates_of_exact_counts_keep_the_answer_confirmed_and_the_weak_solver_struggling():
    found = candidates(ExactCounts(), 5, 5)
    assert len(found) == len(set(found)) == (2 + 3 + 3) * (2 + 2 + 3)
    for rule in found:
        assert 2 * rule.min_strong > rule.n_strong >= 3
        assert 2 * rule.max_weak <= rule.n_weak >= 3


def test_candidates_of_thresholds_keep_the_solvers_apart():
    found = candidates(Thresholds(n_weak=3, n_strong=2, weak_below=0.5, weak_max=0.75), 4, 4)
    assert found
    for rule in found:
        assert (rule.n_weak, rule.n_strong, rule.weak_max, rule.weak_below) == (3, 2, 0.75, 2.0)
        assert rule.weak_at_most <= 0.65
        assert rule.strong_min >= max(0.5, rule.weak_at_most)
        assert rule.gap >= 0.1


def test_a_learners_bound_and_attempts_stay():
    rule = Thresholds(n_weak=1, weak_at_most=0.9, n_strong=3, strong_min=0.6)
    assert attempts(rule, 4, learner=True) == (1, 4)
    found = candidates(rule, 1, 4, learner=True)
    assert {(c.n_weak, c.weak_at_most, c.gap) for c in found} == {(1, 0.9, 0.0)}
    assert min(c.strong_min for c in found) > 0.5


def test_other_kinds_of_rules_have_no_candidates():
    assert candidates(FullSample(), 5, 5) == []
    assert candidates(ExactCounts(), 2, 4) == []


@pytest.mark.parametrize(
    ("rule", "wanted", "made"),
    [(ExactCounts(), 2, (4, 4)), (ExactCounts(), 6, (6, 6)), (ExactCounts(n_weak=0, max_weak=0), 5, (0, 5))],
)
def test_a_pilot_makes_at_least_what_the_rule_makes(rule, wanted, made):
    assert attempts(rule, wanted) == made


def test_strictness_follows_the_evidence():
    strict = ExactCounts(4, 0, 4, 4)
    assert strictness(strict) == pytest.approx(5 / 6 - 1 / 6)
    assert strictness(strict) > strictness(ExactCounts(3, 0, 3, 3)) > strictness(ExactCounts(3, 1, 3, 2))
    assert strictness(Thresholds(weak_below=0.5, strong_min=0.65, gap=0.2)) == pytest.approx(0.35)
    assert strictness(FullSample()) == 0.0


def test_a_pair_far_apart_gets_the_strictest_rule():
    rounds = [seen("0000", "1111") for _ in range(10)]
    assert propose(rounds, candidates(ExactCounts(), 4, 4)) == ExactCounts(4, 0, 4, 4)


def test_a_pair_close_together_gets_a_looser_rule_that_accepts_something():
    rng = random.Random(1)
    rounds = [drawn(rng, 0.55, 0.6) for _ in range(40)]
    rule = propose(rounds, candidates(ExactCounts(), 4, 4))
    assert strictness(rule) < strictness(ExactCounts())
    assert sum(prospect(rule, r).accepted for r in rounds) > sum(prospect(ExactCounts(), r).accepted for r in rounds)


def test_the_proposed_rule_costs_at_most_twice_the_calls_of_the_loosest():
    rng = random.Random(2)
    rounds = [drawn(rng, 0.3, 0.8) for _ in range(60)]
    valid, price = candidates(ExactCounts(), 4, 4), CallPrice(3.0, 1.0, 2.0)

    def per_call(rule):
        found = [prospect(rule, r) for r in rounds]
        return sum(p.accepted for p in found) / sum(3 + p.n_weak + 2 * p.n_strong for p in found)

    rates = {rule: per_call(rule) for rule in valid}
    chosen = propose(rounds, valid, price)
    assert rates[chosen] >= max(rates.values()) / 2 - 1e-12
    assert all(strictness(r) <= strictness(chosen) + 1e-6 for r in valid if rates[r] >= max(rates.values()) / 2)


def test_nothing_is_proposed_where_nothing_is_accepted():
    assert propose([seen("1111", "1111")] * 5, candidates(ExactCounts(), 4, 4)) is None
    assert propose([seen("0000", "0000")] * 5, candidates(ExactCounts(), 4, 4)) is None
    assert propose([], candidates(ExactCounts(), 4, 4)) is None


def test_thresholds_follow_the_scale_of_the_scores():
    low = [PilotRound("d", "accepted", False, True, (0.1, 0.15, 0.2), (0.6, 0.65, 0.7)) for _ in range(8)]
    high = [PilotRound("d", "accepted", False, True, (0.5, 0.55, 0.6), (0.9, 0.95, 1.0)) for _ in range(8)]
    rules = [propose(rounds, candidates(Thresholds(), 3, 3)) for rounds in (low, high)]
    assert (rules[0].weak_at_most, rules[0].strong_min, rules[0].gap) == (0.15, 0.65, 0.5)
    assert (rules[1].weak_at_most, rules[1].strong_min, rules[1].gap) == (0.55, 0.95, 0.4)


@pytest.mark.parametrize("weak", ["0000", "0100", "1100", "1111", "??00", "?000"])
@pytest.mark.parametrize("strong", ["0000", "1100", "1110", "1111", "1?11", "??11"])
def test_a_pilot_decides_as_its_rule_and_samples_the_strong_solver_whatever_the_weak_one_does(weak, strong):
    rule = ExactCounts()
    pilot, round_ = PilotRule(rule, 6, 5), seen(weak + "11", strong + "0")
    asked = rule.weak(round_.weak[:4])
    assert pilot.weak(round_.weak) == (None if asked is None else True)
    decided = rule.strong(round_.weak[:4], round_.strong[:4]) if asked else False
    assert pilot.strong(round_.weak, round_.strong) == decided
    assert pilot.agreed(round_.strong) == rule.agreed(round_.strong[:4])
    if decided is False:
        told = rule.why(round_.weak[:4], round_.strong[:4] if asked else [])
        assert pilot.why(round_.weak, round_.strong) == told


def test_the_fingerprint_of_a_pilot_names_its_rule():
    assert repr(PilotRule(ExactCounts(), 4, 4)) != repr(PilotRule(dataclasses.replace(ExactCounts(), max_weak=0), 4, 4))
