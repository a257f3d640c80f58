"""A run told in plain words."""

import typing

import pytest

from autodata_dspy.feedback import grouped_feedback
from autodata_dspy.report.narrative import MEANING, causes, money, outcome, printable, reasons, story, usage_lines
from autodata_dspy.types import Challenge, Decision, Document, Reason, Rollout, Round, Trajectory, Verdict

REASONS = typing.get_args(Reason)
REJECTIONS = [r for r in REASONS if r != "accepted"]


def round_(index, reason, feedback="", **parts):
    return Round(index, Decision(reason == "accepted", reason, feedback), **parts)


def told(*rounds, document=None, **fields):
    """The story of a document with these rounds, as lines."""
    return list(story(Trajectory("doc", 3, rounds, seconds=61.6, **fields), document))


def rollout(solver="weak_solver", **fields):
    return Rollout(solver, 0, **fields)


def attempt(rollout_):
    """How one attempt is told."""
    [line] = [line for line in told(round_(0, "too_easy", rollouts=(rollout_,))) if line.startswith("    ")]
    return line.strip()


def test_every_reason_has_its_meaning_in_words():
    assert set(MEANING) == set(REASONS)


def test_rounds_are_counted_by_reason_over_all_documents():
    one = Trajectory("a", rounds=(round_(0, "too_easy"), round_(1, "accepted")))
    two = Trajectory("b", rounds=(round_(0, "too_easy"),))
    assert reasons([one, two]) == {"too_easy": 2, "accepted": 1}


@pytest.mark.parametrize(
    ("trajectory", "line"),
    [
        (Trajectory("a"), "0 accepted in 0 rounds, 0 s"),
        (Trajectory("a", rounds=(round_(0, "accepted"),), seconds=7.6), "1 accepted in 1 round, 8 s"),
        (
            Trajectory("a", rounds=(round_(0, "failed_check"), round_(1, "too_easy"), round_(2, "too_easy"))),
            "0 accepted in 3 rounds, 0 s; rejected: too easy 2, failed check 1",
        ),
        (
            Trajectory("a", status="failed", note="KeyError: 'x'"),
            "0 accepted in 0 rounds, 0 s [failed: KeyError: 'x']",
        ),
    ],
)
def test_the_outcome_of_a_document_is_one_line(trajectory, line):
    assert outcome(trajectory) == line


def test_a_story_begins_with_the_document_and_its_title():
    head = "seed 3: 0 accepted in 0 rounds, 62 s"
    assert told() == [f"Document doc, {head}"]
    assert told(document=Document("doc", "text")) == [f"Document doc, {head}"]
    assert told(document=Document("doc", "text", title="On squares")) == [f"Document doc (On squares), {head}"]


def test_a_round_tells_the_problem_its_checks_and_both_solvers():
    challenge = Challenge("What is\n(x+1)^2?", "x**2 + 2*x + 1", "x = symbols('x')\nanswer = expand((x+1)**2)")
    right, wrong = Verdict.of(True), Verdict.of(False, "another object")
    lines = told(
        round_(
            0,
            "failed_on_strong",
            "make it\nclearer",
            challenge=challenge,
            verdicts=(Verdict.of(True, verifier="one"), Verdict.undecidable("too hard", "two"), Verdict.of(False)),
            rollouts=(
                rollout(answer="x", verdict=wrong),
                rollout("strong_solver", answer="x**2", verdict=wrong),
                rollout("strong_solver", answer="(x+1)^2", verdict=right),
            ),
        )
    )
    assert lines[1:] == [
        "",
        "Round 1: rejected: failed on strong: the strong solver does not reach the reference answer often enough",
        "  question: What is",
        "    (x+1)^2?",
        "  answer: x**2 + 2*x + 1",
        "  program: x = symbols('x')",
        "    answer = expand((x+1)**2)",
        "  one: passed",
        "  two: undecided: too hard",
        "  check: failed",
        "  Weak solver: right 0 of 1",
        "    wrong: x  [another object]",
        "  Strong solver: right 1 of 2",
        "    wrong: x**2  [another object]",
        "    right: (x+1)^2",
        "  told to the challenger: make it",
        "    clearer",
    ]


def test_a_challenge_without_a_program_has_no_line_for_it():
    lines = told(round_(0, "accepted", "fine", challenge=Challenge("Why?", "Because.")))
    assert lines[2:] == ["Round 1: ACCEPTED", "  question: Why?", "  answer: Because."]


@pytest.mark.parametrize("reason", REJECTIONS)
def test_what_is_said_to_be_told_to_the_challenger_is_what_it_is_told(reason):
    rejected = round_(0, reason, "the very words")
    assert ("  told to the challenger: the very words" in told(rejected)) == (
        "the very words" in grouped_feedback([rejected])
    )
    assert told(rejected)[-1].endswith(": the very words")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"answer": "5", "verdict": Verdict.of(True, "not said")}, "right: 5"),
        ({"answer": "5", "verdict": Verdict.of(False, "it is 6")}, "wrong: 5  [it is 6]"),
        ({"answer": "5", "verdict": Verdict(0.5, "half")}, "0.50: 5  [half]"),
        ({"answer": "5", "verdict": Verdict.undecidable("cannot say")}, "?: 5  [cannot say]"),
        ({"answer": "5"}, "?: 5"),
        ({"error": "no power", "verdict": Verdict.undecidable("no answer")}, "?: (no answer)  [no power; no answer]"),
        ({"answer": "a\n b", "verdict": Verdict.of(True), "finish_reason": "length"}, "right: a b  [cut off]"),
        ({"answer": "a" * 200, "verdict": Verdict.of(False, "b" * 300)}, f"wrong: {'a' * 150}  [{'b' * 200}]"),
    ],
)
def test_an_attempt_is_one_line_with_its_reasons(fields, line):
    assert attempt(rollout(**fields)) == line


def test_a_stopped_document_says_that_it_will_be_taken_up_again():
    lines = told(round_(0, "accepted"), status="stopped", note="interrupted")
    assert lines[-1] == "Stopped here: interrupted. Resuming the run takes this document up again."


def test_letters_stay_and_control_characters_are_written_out():
    assert printable("a\tb\nÄ∀🙂 ") == "a\tb\nÄ∀🙂 "
    assert printable("\x1b[2J\x07\r\x00\x85\ud835") == "\\x1b[2J\\x07\\r\\x00\\x85\\ud835"


def test_money_says_which_calls_it_leaves_out():
    assert money(1.23456, 0) == "1.2346 USD"
    assert money(0.0, 7) == "0.0000 USD (without 7 calls of unknown price)"


def usage(**fields):
    zero = dict.fromkeys(("calls", "replayed", "failed", "truncated", "input_tokens", "cached_tokens"), 0)
    return {**zero, "output_tokens": 0, "usd": 0.0, "unpriced": 0, "seconds": 0.0, **fields}


def test_usage_is_told_by_role_and_in_all():
    by_role = {
        "challenger": usage(calls=3, replayed=1, failed=1, truncated=1, input_tokens=200, cached_tokens=50, usd=0.5),
        "judge": usage(calls=2, output_tokens=90),
    }
    assert list(usage_lines(by_role, 30.0)) == [
        "challenger: 3 calls (1 replayed, 1 failed, 1 cut off), 200 tokens in, 25% of the input from cache, 0 out, "
        "0.5000 USD",
        "judge: 2 calls (0 replayed, 0 failed, 0 cut off), 0 tokens in, 90 out, 0.0000 USD",
        "in all: 5 calls, 90 tokens out (3/s), 0.5 min",
    ]


def test_usage_of_a_run_that_never_called_a_model_is_nothing():
    assert list(usage_lines({}, 0.0)) == ["in all: 0 calls, 0 tokens out"]


def test_rounds_of_one_reason_are_counted_by_cause_whatever_the_values():
    rounds = [
        round_(0, "malformed", "the program does not run: line 3: 'Graph' is not defined"),
        round_(1, "malformed", "the program does not run: line 1: not Python syntax"),
        round_(2, "malformed", "the answer 540 is a bare whole number, a truth value or nothing; replace it"),
        round_(3, "malformed", "the answer -3 is a bare whole number, a truth value or nothing; replace it"),
        round_(4, "too_easy", "the weak solver answered it 2 of 2 times"),
        round_(5, "malformed", ""),
    ]
    assert causes([Trajectory("d", 0, tuple(rounds))], "malformed") == {
        "the program does not run": 2,
        "the answer … is a bare whole number, a truth value or nothing": 2,
    }
