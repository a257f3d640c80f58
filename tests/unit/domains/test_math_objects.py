"""What becomes a problem of mathematics, and what the challenger is told where none does."""

import dspy
import pytest

from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.math_objects import build

PROGRAM = "answer = solve_univariate_inequality(x + 4/(x - 3) <= 0, x, relational=False)"


def test_the_programs_result_is_the_answer():
    asked = "Find the solution set of x + 4/(x - 3) <= 0."
    challenge = build(dspy.Prediction(question=asked, program=PROGRAM), "an angle")
    assert (challenge.question, challenge.answer, challenge.program) == (asked, "Interval.open(-oo, 3)", PROGRAM)


@pytest.mark.parametrize(
    ("question", "program", "told"),
    [
        ("", PROGRAM, "is empty"),
        ("Find x.", " ", "is empty"),
        ("The solution set of the inequality x + 4/(x - 3) <= 0 is [-4, 3].", PROGRAM, "asks nothing"),
        ("Find the inverse of x.", "answer = unheard(x)", "the program does not run"),
        ("Find 3 + 4.", "answer = 3 + 4", "a bare whole number"),
        ("Find the largest real number.", "answer = oo", "the answer is oo"),
        ("Expand (x + 1)^15.", "answer = expand((x + 1)**15)", "too long"),
    ],
)
def test_what_is_no_problem(question, program, told):
    with pytest.raises(Malformed, match=told):
        build(dspy.Prediction(question=question, program=program), "an angle")
