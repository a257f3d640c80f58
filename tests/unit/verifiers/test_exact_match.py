"""Exact matches of what no golden file can hold."""

import pytest

from autodata_dspy.verifiers.exact_match import ExactMatch


@pytest.mark.parametrize(("answer", "reference"), [(5, "5"), ("5", 5), (0.5, "0.5"), (1e-7, "0.0000001")])
def test_a_number_counts_as_its_text(answer, reference):
    assert ExactMatch().verify(answer, reference).passed


@pytest.mark.parametrize(("answer", "reference"), [(5.0, "5"), (5, "50"), (-5, "5")])
def test_another_number_is_another_text(answer, reference):
    assert ExactMatch().verify(answer, reference).score == 0.0


@pytest.mark.parametrize(("answer", "reference"), [(None, "a"), (True, "true"), (["a"], "a"), (b"a", "a"), ("a", None)])
def test_what_is_no_text_is_undecided(answer, reference):
    verdict = ExactMatch().verify(answer, reference)
    assert verdict.undecided and "is no text but" in verdict.feedback


def test_a_long_answer_is_quoted_in_part():
    verdict = ExactMatch().verify("x" * 100_000, "a")
    assert verdict.score == 0.0 and len(verdict.feedback) < 500


@pytest.mark.parametrize("text", ["(" * 50_000, "(" * 20_000 + ")" * 20_000, "- " * 50_000, "'" * 50_000, "?" * 50_000])
def test_hostile_texts_are_compared_in_no_time(text):
    assert ExactMatch().verify(text, "a").score == 0.0
