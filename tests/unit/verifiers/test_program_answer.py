"""Programs as references: verdicts, feedback, what stays undecided."""

from __future__ import annotations

import dataclasses

import pytest

from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.program_answer import PLUGIN, ProgramAnswer, ProgramResult, run

SCORE = {True: 1.0, False: 0.0, None: None}
ENDLESS = "answer = groebner([x**9*y-z**8+1, y**9*z-x**8, z**9*x-y**8+2], x, y, z)"


def challenge(program: str, answer: str = "", question: str = "What is it?") -> Challenge:
    return Challenge(question, answer, program)


def test_it_is_a_verifier():
    assert isinstance(ProgramAnswer(), Verifier)
    assert PLUGIN is ProgramAnswer


@pytest.mark.parametrize("example", ProgramAnswer.EXAMPLES, ids=lambda e: e.why)
def test_examples(example):
    assert ProgramAnswer().verify(example.subject, example.reference, example.context).score == SCORE[example.expected]


def test_run_gives_the_reference_answer():
    result = run("answer = integrate(x**2, x)")
    assert result == ProgramResult("ok", "x**3/3", r"\frac{x^{3}}{3}", "expression")
    assert result.ok
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.text = "other"


def test_run_reports_a_bad_program():
    result = run("answer = slove(x)")
    assert (result.status, result.ok) == ("failed", False)
    assert "did you mean 'solve'" in result.error
    assert run("  ").status == "failed"


def test_run_does_not_judge_what_it_could_not_finish():
    result = ProgramAnswer(timeout_s=0.5).run(ENDLESS)
    assert result.status == "undecided"
    assert "0.5 s" in result.error


def test_an_empty_answer_passes_when_the_program_runs():
    verdict = ProgramAnswer().verify(challenge("answer = Rational(1, 3)"))
    assert verdict.passed
    assert verdict.evidence["text"] == "1/3"
    assert verdict.evidence["kind"] == "number"


def test_the_program_against_the_challenges_answer():
    assert ProgramAnswer().verify(challenge("answer = Rational(1, 3)", r"\frac{2}{6}")).passed
    verdict = ProgramAnswer().verify(challenge("answer = Rational(1, 3)", "0.333"))
    assert verdict.score == 0.0
    assert "the program gives 1/3" in verdict.feedback


def test_an_explicit_reference_comes_first():
    assert ProgramAnswer().verify(challenge("answer = 2", "3"), reference="2").passed


def test_an_unreadable_answer_is_undecided():
    verdict = ProgramAnswer().verify(challenge("answer = 2", "(1,"))
    assert verdict.undecided
    assert verdict.evidence["text"] == "2"


def test_a_failing_program_scores_zero_a_slow_one_nothing():
    assert ProgramAnswer().verify(challenge("answer = 1/0", "1")).score == 0.0
    assert ProgramAnswer(timeout_s=0.5).verify(challenge(ENDLESS, "1")).undecided


def test_letters_of_the_question_are_no_constants():
    program = "x, C = symbols('x C')\nanswer = x**2 + C"
    assert ProgramAnswer().verify(challenge(program, "x^2 + 2C")).passed
    assert ProgramAnswer().verify(challenge(program, "x^2 + 2C", "Find it in terms of $C$.")).score == 0.0
