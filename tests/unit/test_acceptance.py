"""Exact counts: when is the outcome certain, and what is it?"""

from dataclasses import replace

import pytest

from autodata_dspy.acceptance import PRESETS, ExactCounts, FullSample, Thresholds, adjusted
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
    ("scores", "n", "settled"),
    [
        ([1.0], 1, True),
        ([1.0, 0.0], 2, False),
        ([1.0, 0.0, 1.0], 3, True),
        ([1.0, None, None], 3, None),  # unknown attempts may have been failures
        ([1.0, 1.0, None], 3, True),
        ([0.5], 1, False),
        ([], 4, None),
        ([1.0, 1.0], 4, None),  # two more failures would make it a tie
        ([1.0, 1.0, 1.0], 4, True),
        ([0.0, 0.0], 4, False),  # a tie at best
        ([1.0, 0.0], 3, None),
        ([1.0, None], 2, None),
        ([None, None], 2, None),
        ([1.0, 1.0, 0.0, None], 4, None),
        ([], 0, True),  # nobody was to be asked
    ],
)
def test_agreement_is_known_as_soon_as_no_missing_attempt_can_change_it(scores, n, settled):
    assert ExactCounts(n_strong=n, min_strong=0).agreed(scores) is settled


DEPLOYED, PROSE = PRESETS["paper-deployed"], PRESETS["paper-prose"]


@pytest.mark.parametrize(
    ("rule", "weak", "strong", "outcome"),
    [
        (PROSE, [0.4, 0.5, 0.59], [0.7, 0.7, 0.7], "accepted"),
        (PROSE, [0.5, 0.5, 0.5], [], "too_easy"),  # below 0.50, strictly
        (PROSE, [0.0, 0.0, 0.0], [0.65, 0.65, 0.65], "accepted"),  # at least 0.65
        (PROSE, [0.0, 0.0, 0.0], [0.64, 0.65, 0.65], "failed_on_strong"),
        (PROSE, [0.48, 0.48, 0.48], [0.67, 0.67, 0.67], "failed_on_strong"),  # the gap is 0.19
        (PROSE, [0.1, 0.1, 0.1], [1.0, 1.0, 1.0], "accepted"),
        (DEPLOYED, [0.65, 0.65, 0.65], [0.9, 0.9, 0.9], "accepted"),
        (DEPLOYED, [0.66, 0.66, 0.66], [], "too_easy"),
        (DEPLOYED, [0.2, 0.2, 0.8], [], "too_easy"),  # one attempt above 0.75
        (DEPLOYED, [0.0, 0.5, 0.5], [], "too_hard"),  # one zero
        (DEPLOYED, [0.5, 0.5, 0.5], [0.95, 0.95, 0.95], "too_easy"),
        (DEPLOYED, [0.1, 0.1, 0.1], [0.6, 0.6, 0.6], "accepted"),
        (DEPLOYED, [0.1, 0.1, 0.1], [0.59, 0.6, 0.6], "failed_on_strong"),
        (replace(DEPLOYED, no_zero="all"), [0.0, 0.5, 0.5], [0.9, 0.9, 0.9], "accepted"),
        (replace(DEPLOYED, no_zero="all"), [0.0, 0.0, 0.0], [], "too_hard"),
        (replace(DEPLOYED, no_zero="off"), [0.0, 0.0, 0.0], [0.9, 0.9, 0.9], "accepted"),
        (replace(DEPLOYED, strong_below=2.0), [0.5, 0.5, 0.5], [1.0, 1.0, 1.0], "accepted"),
    ],
)
def test_the_papers_thresholds(rule, weak, strong, outcome):
    if rule.weak(weak) is False:
        assert rule.why(weak, [])[0] == outcome and not strong
    elif rule.strong(weak, strong) is False:
        assert rule.why(weak, strong)[0] == outcome
    else:
        assert (rule.weak(weak), rule.strong(weak, strong), outcome) == (True, True, "accepted")


def test_thresholds_tell_the_challenger_both_means():
    reason, told = PROSE.why([0.4, 0.4, 0.4], [0.5, 0.5, 0.5])
    assert reason == "failed_on_strong" and "0.40 on average" in told and "0.50 on average" in told
    assert ", a gap of +0.10;" in told


@pytest.mark.parametrize("wrong", [{"gap": -0.1}, {"strong_min": 3.0}, {"no_zero": "some"}, {"n_weak": -1}])
def test_thresholds_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Thresholds(**wrong)


def test_a_full_sample_decides_nothing_but_wants_most_attempts_scored():
    rule = FullSample(3, 2)
    assert [rule.weak(s) for s in ([1.0, 1.0], [0.0, 1.0, 0.5], [0.0, None, None])] == [None, True, None]
    assert [rule.strong([], s) for s in ([1.0], [0.0, 0.0], [0.0, None])] == [None, True, None]


def test_a_preset_is_named_and_then_adjusted():
    assert adjusted(ExactCounts(), {"preset": "paper-deployed", "no_zero": "all"}) == replace(DEPLOYED, no_zero="all")
    with pytest.raises(ConfigError, match="paper-prose"):
        adjusted(ExactCounts(), {"preset": "paper-pose"})
    with pytest.raises(ConfigError, match="has no max_weak"):
        adjusted(DEPLOYED, {"max_weak": 1})
