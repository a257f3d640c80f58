"""Exact counts: when is the outcome certain, and what is it?"""

import pytest

from autodata_dspy.acceptance import ExactCounts, adjusted, agreement, majority
from autodata_dspy.errors import ConfigError

RULE = ExactCounts(n_weak=4, max_weak=1, n_strong=4, min_strong=3)


@pytest.mark.parametrize(
    ("scores", "settled"),
    [
        ([], None),
        ([0.0], None),
        ([0.0, 0.0], None),
        ([0.0, 0.0, 0.0], True),  # even a success would be only one of four
        ([1.0, 0.0, 0.0], None),
        ([1.0, 0.0, 0.0, 0.0], True),
        ([1.0, 1.0], False),
        ([1.0, 0.0, 1.0], False),
        ([None, 0.0, 0.0, 0.0], True),  # at most one of four, whatever the unknown one was
        ([None, None, 0.0, 0.0], None),  # unknown attempts are no failures
        ([None, 1.0, 0.0, 0.0], None),
        ([None, 1.0, 1.0], False),
        ([0.99, 0.99, 0.5], True),  # right means 1, nothing less
    ],
)
def test_the_weak_solver_struggles_enough(scores, settled):
    assert RULE.weak(scores) is settled


@pytest.mark.parametrize(
    ("scores", "settled"),
    [
        ([], None),
        ([1.0, 1.0], None),
        ([1.0, 1.0, 1.0], True),
        ([0.0, 0.0], False),
        ([0.0, 1.0, 0.99], False),
        ([0.0, 1.0, 1.0], None),
        ([0.0, 1.0, 1.0, 1.0], True),
        ([None, 1.0, 1.0, 1.0], True),
        ([None, 0.0, 1.0, 1.0], None),
        ([None, 0.0, 0.0], False),
    ],
)
def test_the_strong_solver_succeeds_enough(scores, settled):
    assert RULE.strong([], scores) is settled


def test_a_rule_that_asks_nothing_is_satisfied_at_once():
    rule = ExactCounts(n_weak=0, max_weak=0, n_strong=0, min_strong=0)
    assert rule.weak([]) is True and rule.strong([], []) is True


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_weak": -1}, "n_weak=-1"),
        ({"n_strong": -2}, "n_strong=-2"),
        ({"max_weak": 5}, "max_weak=5 must lie between 0 and n_weak=4"),
        ({"max_weak": -1}, "max_weak=-1"),
        ({"min_strong": 5}, "min_strong=5 must lie between 0 and n_strong=4"),
    ],
)
def test_contradicting_numbers_are_refused(numbers, message):
    with pytest.raises(ConfigError, match=message):
        ExactCounts(**numbers)


def test_numbers_can_be_adjusted_and_none_keeps_one():
    assert adjusted(RULE, {"n_weak": 8, "max_weak": None}) == ExactCounts(n_weak=8)
    assert adjusted(RULE, {"n_weak": None}) is RULE
    with pytest.raises(ConfigError, match="max_weak=1 must lie between 0 and n_weak=0"):
        adjusted(RULE, {"n_weak": 0})


def test_adjusting_a_number_that_a_rule_lacks_names_it():
    with pytest.raises(ConfigError, match="the rule ExactCounts has no patience"):
        adjusted(RULE, {"patience": 3})


@pytest.mark.parametrize(
    ("scores", "agrees"),
    [
        ([], False),
        ([1.0], True),
        ([1.0, 0.0], False),
        ([1.0, 0.0, 1.0], True),
        ([1.0, None, None], True),
        ([0.5], False),
    ],
)
def test_a_majority_of_the_decided_attempts(scores, agrees):
    assert majority(scores) is agrees


@pytest.mark.parametrize(
    ("scores", "n", "settled"),
    [
        ([], 4, None),
        ([1.0, 1.0], 4, None),  # two more failures would make it a tie
        ([1.0, 1.0, 1.0], 4, True),
        ([0.0, 0.0], 4, False),  # a tie at best
        ([1.0, 0.0], 3, None),
        ([1.0, None], 2, True),
        ([None, None], 2, False),
        ([], 0, False),
    ],
)
def test_agreement_is_known_as_soon_as_no_missing_attempt_can_change_it(scores, n, settled):
    assert agreement(scores, n) is settled
