"""The verifier around the comparison: verdicts, evidence, poison, threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.math_objects import PLUGIN, MathObjects, extract_answer
from autodata_dspy.verifiers.worker import shared_pool

SCORE = {True: 1.0, False: 0.0, None: None}


@pytest.fixture(scope="module")
def verifier():
    shared_pool().warm_up()
    return MathObjects(timeout_s=1.0)


def test_it_is_a_verifier(verifier):
    assert isinstance(verifier, Verifier)
    assert PLUGIN is MathObjects
    assert (verifier.name, verifier.checks, verifier.cost) == ("math_objects", "answer", "cpu")


@pytest.mark.parametrize("example", MathObjects.EXAMPLES, ids=lambda e: e.why)
def test_examples(verifier, example):
    assert verifier.verify(example.subject, example.reference, example.context).score == SCORE[example.expected]


def test_a_pass_says_by_which_route(verifier):
    verdict = verifier.verify(r"\sin^2 x + \cos^2 x", "1")
    assert verdict.passed
    assert verdict.verifier == "math_objects"
    assert verdict.evidence == {"route": "trigonometry", "answer": r"\sin^2 x + \cos^2 x"}


def test_a_failure_tells_the_answer_and_the_reference(verifier):
    verdict = verifier.verify(r"So \boxed{3}", "4")
    assert verdict.score == 0.0
    assert "3" in verdict.feedback
    assert "4" in verdict.feedback


def test_undecided_says_why(verifier):
    assert "reference" in verifier.verify("1", "  ").feedback
    assert "longer than" in verifier.verify("9" * 10**6, "1").feedback
    assert "unreadable" in verifier.verify("(1,", "1").feedback


def test_the_context_reserves_its_letters(verifier):
    assert verifier.verify("x^2+2C", "x^2+C").score == 1.0
    assert verifier.verify("x^2+2C", "x^2+C", "Write it with $x$ and $C$.").score == 0.0


POISON = [
    "9**9**9**9",
    "9^{9^{9^9}}",
    "1000000000!",
    "(" * 2000 + "1" + ")" * 2000,
    "9" * 10**6,
    "1\x002",
    r"\sum_{k=1}^{1000000000} \sin(k^2)",
    "integrate(exp(sin(x**x))*log(tan(x)), x)",
]


@pytest.mark.parametrize("odd", [None, b"5", {"x": 5}, ["5"], True])
def test_what_is_no_text_or_number_is_undecided(verifier, odd):
    assert "must be texts or numbers" in verifier.verify(odd, "5").feedback
    assert verifier.verify("5", odd).score is None


def test_numbers_count_as_their_text(verifier):
    assert verifier.verify(5, "5").score == 1.0
    assert verifier.verify("0.5", 0.5).score == 1.0
    assert verifier.verify(5, 6.0).score == 0.0


@pytest.mark.parametrize("poison", POISON, ids=range(len(POISON)))
def test_poison_is_undecided_in_time_and_the_next_pair_answered(verifier, poison):
    brief = MathObjects(timeout_s=0.35)
    started = time.monotonic()
    assert brief.verify(poison, "1").score is None
    assert brief.verify("1", poison).score is None
    assert time.monotonic() - started < 6.0  # 2 x 0.35 CPU seconds, which a busy machine may stretch eight times
    assert verifier.verify(r"\frac{2}{4}", "0.5").score == 1.0


def test_verdicts_are_the_same_at_one_and_eight_threads(verifier):
    pairs = [(rf"\frac{{{k}}}{{6}}", f"{k}/6" if k % 3 else f"{k + 1}/6") for k in range(1, 30)]
    pairs += [("x^2-1", "(x-1)(x+1)"), (r"\pm 2", "{-2, 2}"), (r"5\text{ cm}", "5 m"), ("(1,", "1")] * 5
    one = [verifier.verify(a, b) for a, b in pairs]
    with ThreadPoolExecutor(8) as threads:
        eight = list(threads.map(lambda pair: verifier.verify(*pair), pairs))
    assert one == eight


def test_a_pool_of_its_own():
    class Broken:
        def call(self, *_):
            from autodata_dspy.verifiers.worker import WorkerCrashed

            raise WorkerCrashed("gone")

    assert "gone" in MathObjects(pool=Broken()).verify("1", "1").feedback


def test_extraction_is_public():
    assert extract_answer(r"\boxed{5}").answer == "5"
