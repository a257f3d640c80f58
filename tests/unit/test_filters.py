"""The two filters, rollout by rollout; stopping early decides as the full sample does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodata_dspy.errors import ConfigError
from autodata_dspy.filters import AnswerConsistency, Filtering, LowestReward
from autodata_dspy.types import Rollout, Verdict

SCORES = {"1": 1.0, "?": None, "x": None}


def rollouts(letters):
    """1: the stated answer; ?: undecided; x: an outage; -: no answer; any other letter: that answer, which is wrong."""
    return [
        Rollout("strong_solver", i, "" if c in "-x" else c, verdict=Verdict(SCORES.get(c, 0.0)))
        for i, c in enumerate(letters)
    ]


def rewarded(rewards):
    return [Rollout("strong_solver", i, "a", verdict=Verdict(reward)) for i, reward in enumerate(rewards)]


def same(one, other):
    """Letters are equal as they are; of ~ nobody can say what it equals."""
    return None if "~" in (one, other) else one == other


def first_settled(rule, sample):
    for n in range(1, len(sample) + 1):
        if (settled := rule.settled(sample[:n])) is not None:
            return settled
    return None


@pytest.mark.parametrize(
    ("letters", "stays"),
    [
        ("1111", True),
        ("11ab", True),
        ("11aa", True),  # a tie stays
        ("1abc", True),  # no other answer is given more often
        ("1aab", False),
        ("aaaa", False),
        ("abcd", False),  # nobody gives the stated answer
        ("----", False),
        ("1---", True),  # no answer is no vote for another one
        ("11?a", True),  # whatever it was, it cannot outvote
        ("1?aa", None),
        ("1xab", None),  # the lost one could have been a second vote for another answer
        ("??aa", None),
        ("????", None),
        ("xxxx", None),  # an outage is no disagreement
        ("xaaa", False),
        ("1a~b", None),  # ~ may be a second a
        ("11a~", True),
        ("1aa~", False),
    ],
)
def test_consistency_of_a_full_sample(letters, stays):
    rule = AnswerConsistency(4, same)
    assert rule.settled(rollouts(letters)) is stays
    verdict = rule.verdict(rollouts(letters))
    assert (verdict.score, verdict.verifier) == ({True: 1.0, False: 0.0, None: None}[stays], "answer_consistency")


@pytest.mark.parametrize(("letters", "stays"), [("1", None), ("11", True), ("1a", None), ("aa", None), ("aaa", False)])
def test_consistency_is_certain_before_the_sample_is_full(letters, stays):
    assert AnswerConsistency(4, same).settled(rollouts(letters)) is stays


def test_the_verdict_of_consistency_counts_and_tells_what_was_given():
    verdict = AnswerConsistency(6, same).verdict(rollouts("1baa-?"))
    assert verdict.evidence == {"agree": 1, "others": [2, 1], "adrift": 0, "silent": 1, "unknown": 1, "rollouts": 6}
    assert verdict.feedback.endswith("1 of 6 solutions give the stated answer, 2 the same other one")


@pytest.mark.parametrize(
    ("rewards", "stays"),
    [
        ([1.0, 0.5], True),  # the bound itself is enough
        ([1.0, 0.5 - 1e-12], True),
        ([1.0, 0.4], False),
        ([0.4], False),  # certain after one
        ([1.0], None),
        ([1.0, None], None),
        ([None, 0.4], False),
    ],
)
def test_the_lowest_reward_decides(rewards, stays):
    assert LowestReward(2, 0.5).settled(rewarded(rewards)) is stays


def test_the_verdict_of_the_lowest_reward_shows_all_of_them():
    verdict = LowestReward(3, 0.5).verdict(rewarded([0.9, None, 0.25]))
    assert (verdict.score, verdict.verifier) == (0.0, "lowest_reward")
    assert verdict.evidence == {"rewards": [0.9, None, 0.25], "lowest": 0.25}
    assert verdict.feedback == "the lowest reward of 3 solutions is 0.25; 0.50 is demanded"
    assert LowestReward(1, 0.5).verdict(rewarded([None])).undecided


@given(st.text("1?x-ab~", min_size=1, max_size=7))
def test_curtailed_consistency_decides_as_the_full_sample(letters):
    rule = AnswerConsistency(len(letters), same)
    assert first_settled(rule, rollouts(letters)) is rule.settled(rollouts(letters))


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, None]), min_size=1, max_size=6), st.sampled_from([0.0, 0.5, 1.0]))
def test_the_curtailed_lowest_reward_decides_as_the_full_sample(rewards, bound):
    rule = LowestReward(len(rewards), bound)
    assert first_settled(rule, rewarded(rewards)) is rule.settled(rewarded(rewards))


@given(st.text("1?x-ab", min_size=1, max_size=6).flatmap(lambda text: st.tuples(st.just(text), st.permutations(text))))
def test_the_order_of_rollouts_does_not_matter(drawn):
    letters, shuffled = drawn
    rule = AnswerConsistency(len(letters), same)
    assert rule.settled(rollouts(letters)) is rule.settled(rollouts(shuffled))


@pytest.mark.parametrize("wrong", [{"n_samples": 0}, {"min_reward": 1.5}, {"min_reward": -0.1}])
def test_numbers_out_of_range_are_refused(wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(ConfigError, match=f"{name}={value}"):
        Filtering(**wrong)
