"""Rubrics as text."""

import pytest

from autodata_dspy.rubrics import read_rubric, read_written_rubric
from autodata_dspy.types import Criterion, Rubric


@pytest.mark.parametrize(
    "line, criterion",
    [
        ("names the rule", Criterion("names the rule", 1)),
        ("- [+3] names the rule", Criterion("names the rule", 3)),
        ("* (-2) invents a case", Criterion("invents a case", -2)),
        ("2. (−2): invents a case", Criterion("invents a case", -2)),
        ("+4: is right", Criterion("is right", 4)),
        ("-1| is long", Criterion("is long", -1)),
        ("[7] is right", Criterion("is right", 7)),
        ("3 reasons are given", Criterion("3 reasons are given", 1)),
        ("(see above) is cited", Criterion("(see above) is cited", 1)),
        ("10) gives x = 3", Criterion("gives x = 3", 1)),
    ],
)
def test_a_line_is_a_criterion_with_an_optional_weight(line, criterion):
    assert read_rubric(line).criteria == (criterion,)


def test_lines_are_criteria_and_blank_ones_are_not():
    assert [c.weight for c in read_rubric("[+1] a\n\n  \n[+2] b\r\n[-3] c").criteria] == [1, 2, -3]


@pytest.mark.parametrize(
    "text",
    [
        '[{"text": "a", "weight": 2}, {"criterion": "b", "points": -1}, "c"]',
        '{"criteria": [{"description": "a", "score": 2.0}, {"text": "b", "weight": -1}, {"text": "c"}]}',
    ],
)
def test_json_rubrics_are_read(text):
    assert read_rubric(text).criteria == (Criterion("a", 2), Criterion("b", -1), Criterion("c", 1))


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "no criteria"),
        ("[]", "no criteria"),
        ("- [+3]", "without text"),
        ('[{"weight": 2}]', "without text"),
        ('[{"text": "a", "weight": "2"}]', "whole number, not '2'"),
        ('[{"text": "a", "weight": 1.5}]', "whole number, not 1.5"),
        ('[{"text": "a", "weight": true}]', "whole number, not True"),
        ("[1, 2]", "not 1"),
        ('{"criteria": "a"}', "a list of criteria"),
        ('{"text": "a"', "begins like JSON"),
    ],
)
def test_what_is_no_rubric_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError, match=why):
        read_rubric(text)


@pytest.mark.parametrize(
    "text",
    [
        "[+8] States it\n[-3] Denies it",
        "- [+8] States it; - [-3] Denies it;",
        r"[+8] States it\n[-3] Denies it",
        "Rubric:\n1. [+8] States it\n\n2. [-3] Denies it",
        '["[+8] States it", "[-3] Denies it"]',
        '[{"text": "States it", "weight": 8}, {"text": "Denies it", "weight": -3}]',
    ],
)
def test_what_a_small_model_writes_is_read_as_it_is_meant(text):
    assert read_written_rubric(text) == Rubric((Criterion("States it", 8), Criterion("Denies it", -3)))


@pytest.mark.parametrize("text", ["", "[+8]", "Rubric:", "- \n- ", "{no json"])
def test_what_holds_no_criterion_is_refused_however_it_is_written(text):
    with pytest.raises(ValueError, match=r"no criteria|without text|is not"):
        read_written_rubric(text)
