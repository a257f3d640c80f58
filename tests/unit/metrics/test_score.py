"""What a metric returns."""

import copy
import pickle

import dspy
import pytest

from autodata_dspy.metrics import Score


def test_a_score_is_a_prediction_with_the_fields_that_optimizers_read():
    score = Score(0.5, "half", exact=1, short=0.0)
    assert isinstance(score, dspy.Prediction)
    assert (score.score, score.feedback, score.objective_scores) == (0.5, "half", {"exact": 1.0, "short": 0.0})
    assert score["score"] == float(score) == 0.5 and score.undecided is False


@pytest.mark.parametrize(
    "value, pass_mark, true",
    [(0.0, 0.0, False), (0.01, 0.0, True), (1, 0.0, True), (0.4, 0.5, False), (0.5, 0.5, True), (0.0, 0.5, False)],
)
def test_a_failing_score_is_false(value, pass_mark, true):
    assert bool(Score(value, pass_mark=pass_mark)) is true


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_numbers_that_are_no_scores_are_refused(value):
    with pytest.raises(ValueError, match="lies in"):
        Score(value)
    with pytest.raises(ValueError, match="exact lies in"):
        Score(1.0, exact=value)


def test_scores_add_up_and_compare_as_evaluate_needs_it():
    assert sum([Score(0.5), Score(1.0)]) == 1.5
    assert Score(0.5) < Score(0.75) and Score(0.5) >= 0.5


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])  # noqa: S301 — our own
def test_a_copy_is_the_same_score(copied):
    score = copied(Score(0.5, "half", pass_mark=0.8, exact=1.0))
    assert (score.score, score.feedback, score.objective_scores, bool(score)) == (0.5, "half", {"exact": 1.0}, False)
