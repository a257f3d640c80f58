"""Intervals, corrections and verdicts, on data whose truth is known."""

import random

import numpy as np
import pytest
from benching import files

from autodata_dspy.benchmarking.statistics import Difference, corrected, difference, estimate, macro_f1, mean
from autodata_dspy.metrics.classifier_student import ClassifierStudent
from autodata_dspy.probes import Probe
from autodata_dspy.resampling import over_groups


def scores(share, n_seeds=3, n=80, seed=0):
    """Items that are right with a chance, for each seed."""
    draw = random.Random(seed)
    return [[float(draw.random() < share) for _ in range(n)] for _ in range(n_seeds)]


def test_macro_f1_is_that_of_the_classifier(tmp_path):
    files(tmp_path)
    metric = ClassifierStudent(Probe.read(tmp_path / "clauses.test.jsonl", allow_test=True))
    draw = random.Random(0)
    for n_labels in (1, 2, 4):
        items = [(draw.choice("abcd"[:n_labels]), draw.choice("abcde")) for _ in range(40)]
        drawn = np.array([[1] * 40, [1] * 20 + [0] * 20, [0] * 30 + [3] * 10])
        whole, half, tail = macro_f1(items, drawn)
        assert whole == pytest.approx(metric.total(items)) and half == pytest.approx(metric.total(items[:20]))
        assert tail == pytest.approx(metric.total(items[30:] * 3))


@pytest.mark.parametrize("same_items", [True, False])
def test_a_large_difference_is_found_and_its_interval_holds_it(same_items):
    [found] = corrected([difference(scores(0.8), scores(0.5, seed=1), mean, same_items)])
    assert found.verdict == "better" and found.low < 0.3 < found.high and found.adjusted < 0.05
    [other] = corrected([difference(scores(0.5), scores(0.8, seed=1), mean, same_items)])
    assert other.verdict == "worse" and 0.1 < other.detectable < 0.4


def test_no_difference_is_no_evidence_and_says_what_would_go_unnoticed():
    [found] = corrected([difference(scores(0.6, n=30), scores(0.6, n=30, seed=5), mean, True)])
    assert found.verdict.startswith("no evidence of a difference; one below 0.") and found.low < 0 < found.high
    same = difference(scores(0.6), scores(0.6), mean, True)
    assert (same.value, same.p, same.verdict) == (0.0, 1.0, "no evidence of a difference")


def test_one_lucky_seed_is_no_evidence():
    lucky = [[1.0] * 100, [0.5] * 100, [0.5] * 100]
    assert corrected([difference(lucky, [[0.5] * 100] * 3, mean, True)])[0].verdict.startswith("no evidence")


def test_pairs_count_what_arms_share():
    draw = random.Random(3)
    hard = [draw.random() for _ in range(60)]
    first, second = ([[min(1.0, h + gain) for h in hard]] * 3 for gain in (0.02, 0.0))
    paired, apart = (difference(first, second, mean, same) for same in (True, False))
    assert paired.low > 0 and apart.low < 0 < apart.high


def test_holms_correction_by_hand():
    found = corrected([Difference(0.1, p=p) for p in (0.04, 0.01, 0.03)] + [Difference(None)])
    assert [round(d.adjusted, 4) for d in found] == [0.06, 0.03, 0.06, 1.0]
    assert found[3].verdict == "cannot be compared: an arm has nothing to measure"


def test_the_more_is_compared_the_larger_a_difference_must_be():
    one = difference(scores(0.6), scores(0.5, seed=1), mean, True)
    assert corrected([one] * 10)[0].detectable > corrected([one])[0].detectable > 2.5 * one.sd


def test_however_many_are_compared_a_large_difference_can_be_found():
    pairs = [(scores(0.9), scores(0.1, seed=1))] * 150
    found = [difference(*pair, mean, True, n_looks=len(pairs)) for pair in pairs[:1]] * 150
    assert corrected(found)[0].verdict == "better"
    assert corrected([difference(*pairs[0], mean, True)] * 150)[0].verdict != "better"  # what the draws are for


def test_what_is_undecided_is_left_out_of_both_arms():
    better, than = [[1.0, None, 1.0, 1.0]], [[0.0, 1.0, None, 0.0]]
    assert difference(better, than, mean, True).value == 1.0
    assert difference([[None]], [[1.0]], mean, True).value is None
    assert difference([[1.0, None]], [[None, 1.0]], mean, True).value is None
    assert estimate([[], [1.0, 0.0]], mean, False).value == 0.5 and estimate([[]], mean, False).value is None


def test_few_seeds_do_not_make_the_variance_of_their_mean_small():
    values = np.array([[0.0], [1.0], [2.0]]) * np.ones((1, 40_000))
    drawn = over_groups(values, np.random.default_rng(0))
    assert drawn.var() == pytest.approx(np.var([0, 1, 2], ddof=1) / 3, rel=0.05)
    assert over_groups(values[:1], np.random.default_rng(0)).var() == 0


def test_examples_that_are_the_same_for_every_seed_are_no_more_than_they_are():
    items = [float(n % 3 == 0) for n in range(30)]

    def width(by_seed):
        found = estimate(by_seed, mean, False)
        return found.high - found.low

    assert width([items] * 4) == pytest.approx(width([items]), abs=0.02)
    assert width([list(items) for _ in range(4)]) < 0.75 * width([items])
    alike = difference([items] * 4, [[0.0] * 30] * 4, mean, False)
    assert alike.sd == pytest.approx(difference([items], [[0.0] * 30], mean, False).sd, rel=0.1)
