"""Forecasts against hand-computed cases, and on simulated pilots whose true yield is known."""

import random
from math import comb

import pytest

from autodata_dspy.acceptance import ExactCounts
from autodata_dspy.forecasts import Bill, design_effect, forecast
from autodata_dspy.proposals import PilotRound, Prospect, candidates, propose, prospect

NOTHING = Bill({})


def used(calls, tokens=0, seconds=0.0, usd=0.0, unpriced=0):
    return {
        "calls": calls,
        "input_tokens": tokens,
        "output_tokens": 0,
        "seconds": seconds,
        "usd": usd,
        "unpriced": unpriced,
    }


def rounds_of(n, screened=None, n_documents=None, weak=4, strong=4):
    n_documents = n_documents or n
    return [
        PilotRound(
            f"d{i % n_documents}",
            "accepted",
            screened=screened is None or i < screened,
            weak=(0.0,) * weak,
            strong=(1.0,) * strong,
        )
        for i in range(n)
    ]


def certain(n, k, n_weak=3.0, n_strong=3.0):
    """k accepted of n."""
    return [Prospect(float(i < k), n_weak, n_strong) for i in range(n)]


def test_a_bill_is_spread_over_what_causes_it():
    usage = {
        "challenger": used(20, 2000, 10.0, 1.0),
        "weak_solver": used(50, 500, 20.0),
        "strong_solver": used(40, 800, 50.0, 2.0),
        "judge": used(80, 160, 20.0, 0.8, unpriced=3),
    }
    bill = Bill.of(usage, rounds_of(10, weak=4, strong=4), wall=50.0)
    assert bill.per("round", "calls") == 2.0
    assert bill.per("weak", "calls") == 50 / 40 + 1
    assert bill.per("strong", "calls") == 40 / 40 + 1
    assert bill.per("strong", "tokens") == 800 / 40 + 160 / 80
    assert bill.per("weak", "usd") == pytest.approx(0.01)
    assert bill.per("round", "seconds") == pytest.approx(10 * 0.5 / 10)  # two at a time: half of the sum over calls
    assert bill.unpriced == 3
    assert (bill.price().per_round, bill.price().per_weak) == (2.0, 2.25)


def test_roles_without_a_cause_in_the_pilot_are_charged_to_the_rounds():
    bill = Bill.of({"judge": used(7)}, rounds_of(7, weak=0, strong=0), 1.0)
    assert bill.by_role["judge"].keys() == {"round"}
    assert bill.per("round", "calls") == 1.0


def test_the_middle_of_the_forecast_is_arithmetic():
    usage = {"challenger": used(20, 200), "weak_solver": used(80, 80), "strong_solver": used(80, 160, 60.0, 8.0)}
    found = forecast(rounds_of(20, screened=10), certain(20, 5), Bill.of(usage, rounds_of(20), 120.0), 50)
    assert found.accepted == 5
    assert found.yield_per_round.mid == 0.25
    assert found.screened.mid == 0.5
    assert found.rounds.mid == 200
    assert found.calls.mid == pytest.approx(200 * (1 + 3 + 3))
    assert found.tokens.mid == pytest.approx(200 * (10 + 3 + 6))
    assert found.usd.mid == pytest.approx(200 * 3 * 0.1)
    assert found.minutes.mid == pytest.approx(200 * 3 * 1.5 / 60)
    assert found.per_accepted["weak_solver"]["calls"] == pytest.approx(20 * 3 / 5)
    assert found.per_accepted["challenger"]["calls"] == pytest.approx(4)
    for figure in (found.yield_per_round, found.screened, found.rounds, found.calls, found.usd):
        assert figure.low < figure.mid < figure.high


def test_the_yields_interval_is_that_of_jeffreys():
    # scipy.stats.beta.ppf([.025, .975], 5.5, 15.5)
    found = forecast(rounds_of(20), certain(20, 5), NOTHING, 50).yield_per_round
    assert (found.low, found.high) == (pytest.approx(0.1023, abs=0.01), pytest.approx(0.4644, abs=0.015))


def test_nothing_accepted_gives_an_upper_bound_by_the_rule_of_three_and_lower_bounds_of_cost():
    bill = Bill({"challenger": {"round": dict.fromkeys(("calls", "tokens", "seconds", "usd"), 2.0)}})
    found = forecast(rounds_of(24), certain(24, 0, 0.0, 0.0), bill, 50)
    assert (found.yield_per_round.mid, found.yield_per_round.low, found.yield_per_round.high) == (0.0, 0.0, 3 / 24)
    assert (found.rounds.mid, found.rounds.low, found.rounds.high) == (None, 400, None)
    assert (found.calls.mid, found.calls.low, found.calls.high) == (None, 800, None)
    assert found.minutes.low == pytest.approx(800 / 60)
    assert found.per_accepted == {}


def test_everything_accepted_needs_about_one_round_an_example():
    found = forecast(rounds_of(30), certain(30, 30), NOTHING, 50)
    assert found.rounds.mid == 50
    assert 50 <= found.rounds.low <= found.rounds.high < 70


def test_one_round_is_enough_to_say_something():
    found = forecast(rounds_of(1), certain(1, 1), NOTHING, 3)
    assert found.rounds.mid == 3
    assert found.rounds.high > 10


def test_the_same_seed_gives_the_same_forecast():
    made = [forecast(rounds_of(20), certain(20, 5), NOTHING, 50, seed=seed) for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("ids", "chances", "effect"),
    [
        ("abcd", [1, 0, 1, 0], 4 / 3),  # each its own document: d / (d − 1) times the variance, cut to m / d = 1
        ("aabb", [1, 1, 0, 0], 2.0),  # a document's rounds say the same thing twice
        ("aabb", [1, 0, 1, 0], 1.0),  # documents are alike: never below 1
        ("aaaa", [1, 1, 0, 0], 1.0),  # one document shows no variance between documents
        ("aabb", [0, 0, 0, 0], 1.0),
    ],
)
def test_rounds_of_one_document_count_for_less(ids, chances, effect):
    assert design_effect(ids, chances) == pytest.approx(min(effect, len(ids) / len(set(ids))))


def binomial(n, p, wanted):
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in wanted)


def true_yield(rule, kinds, p_screened):
    """Of a population of challenges: (weight, success rate of the weak solver, of the strong one)."""
    return p_screened * sum(
        weight
        * binomial(rule.n_weak, weak, range(rule.max_weak + 1))
        * binomial(rule.n_strong, strong, range(rule.min_strong, rule.n_strong + 1))
        for weight, weak, strong in kinds
    )


POPULATIONS = [
    [(0.5, 0.1, 0.8), (0.5, 0.8, 0.9)],
    [(0.3, 0.3, 0.7), (0.4, 0.6, 0.7), (0.3, 0.05, 0.2)],
    [(0.1, 0.1, 0.9), (0.9, 0.9, 0.95)],
]


def simulated(rng, kinds, p_screened, n_documents=8, n_rounds=3, n=4):
    rounds = []
    for d in range(n_documents):
        for _ in range(n_rounds):
            _, weak, strong = rng.choices(kinds, [k[0] for k in kinds])[0]
            if rng.random() < p_screened:
                scores = [tuple(float(rng.random() < p) for _ in range(n)) for p in (weak, strong)]
                rounds.append(PilotRound(f"d{d}", "accepted", False, True, *scores))
            else:
                rounds.append(PilotRound(f"d{d}", "failed_check"))
    return rounds


@pytest.mark.parametrize("kinds", POPULATIONS)
def test_the_interval_holds_the_true_yield_of_the_rule_in_force_and_of_the_proposed_one(kinds):
    rng, n_pilots, covered, covered_before, n_proposed = random.Random(11), 300, 0, 0, 0
    for seed in range(n_pilots):
        rounds = simulated(rng, kinds, 0.7)
        rule = propose(rounds, candidates(ExactCounts(), 4, 4))
        for each in (ExactCounts(), rule):
            if each is None:
                continue
            found = forecast(rounds, [prospect(each, r) for r in rounds], NOTHING, 50, seed=seed).yield_per_round
            held = found.low <= true_yield(each, kinds, 0.7) <= found.high
            if each is rule:
                covered, n_proposed = covered + held, n_proposed + 1
            else:
                covered_before += held
    assert covered_before >= 0.9 * n_pilots
    assert n_proposed > 0.8 * n_pilots
    assert covered >= 0.9 * n_proposed


def test_the_interval_of_rounds_holds_what_a_run_then_needs():
    kinds, rng, held, n_pilots = POPULATIONS[0], random.Random(7), 0, 150
    rule = ExactCounts()
    chance = true_yield(rule, kinds, 0.7)
    for seed in range(n_pilots):
        rounds = simulated(rng, kinds, 0.7)
        found = forecast(rounds, [prospect(rule, r) for r in rounds], NOTHING, 30, seed=seed).rounds
        needed = accepted = 0
        while accepted < 30:
            needed, accepted = needed + 1, accepted + (rng.random() < chance)
        held += found.low <= needed <= (found.high or 10**9)
    assert held >= 0.9 * n_pilots
