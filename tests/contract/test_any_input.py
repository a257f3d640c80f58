"""Whatever a verifier is given, it answers with a Verdict, and soon."""

import re
import time

import judge_scripts
import pytest

from autodata_dspy import registry
from autodata_dspy.types import Verdict

NAMES = registry.names("verifiers")
# In mathematics a number is its own text.
READ_NUMBERS = ("math_objects", "exact_match")
TEXTS_ONLY = [n for n in NAMES if registry.load("verifiers", n).checks == "answer" and n not in READ_NUMBERS]


class Opaque:
    """Something that is no text, with a name that is the same in every process."""

    def __repr__(self):
        return "Opaque()"


NO_TEXTS = [None, 5, 2.5, True, b"x", {}, [], [None], {"question": 5}, {"criteria": [{}]}, Opaque()]
WORDS = "the tenant shall not sublet the garden "
HOSTILE = {
    "one word": "A" * 100_000,
    "a name without an end": "A" * 100_000 + " v",
    "one number": "1" * 100_000,
    "parentheses": "(" * 50_000,
    "square brackets": "[" * 50_000,
    "braces": r"\frac{" * 15_000,
    "quotes in quotes": "“" * 20_000 + "x" + "”" * 20_000,
    "quotes without an end": '"a ' * 20_000,
    "controls": "".join(map(chr, range(32))) * 2_000,
    "lone surrogates": "\ud800x" * 5_000,
    "white space": " \t\n" * 30_000,
    "section signs": "§ " * 30_000,
    "numbers and commas": "1, " * 30_000,
    "capitals": "Ab " * 30_000,
    "a case without an end": "In re " * 15_000,
    "enumerators": "(a) " * 20_000,
    "dots": "... " * 20_000,
    "dashes": "a-" * 40_000,
    "questions": "Why? " * 18_000,
    "and": "find x and " * 9_000,
    "Acts": "Act of the " * 9_000,
    "block quotes": "> a\n" * 20_000,
    "prose": WORDS * 2_500,
}


@pytest.fixture
def verifier(request, scripted):
    plugin = registry.load("verifiers", request.param)
    if plugin.cost == "lm":
        return plugin(scripted.roles(judge=judge_scripts.gullible, schema=True))
    return plugin()


def asked(verifier, subject, reference, context="", limit_s=4.0):
    started = time.process_time()
    verdict = verifier.verify(subject, reference, context)
    took = time.process_time() - started  # of this process: what else runs on the machine does not count
    assert isinstance(verdict, Verdict) and verdict.verifier == verifier.name
    assert verdict.passed or verdict.feedback
    assert took < limit_s, f"{took:.1f} s"
    return verdict


@pytest.mark.parametrize("reference", [None, ""])
@pytest.mark.parametrize("subject", NO_TEXTS, ids=repr)
@pytest.mark.parametrize("verifier", NAMES, indirect=True)
def test_what_is_no_text_gets_a_verdict(verifier, subject, reference):
    asked(verifier, subject, reference, None)
    asked(verifier, subject, reference)
    asked(verifier, subject, "some reference", "Some context.")


@pytest.mark.parametrize("wrong", [5, b"x", ["1"], {"a": 1}, Opaque()], ids=repr)
@pytest.mark.parametrize("verifier", NAMES, indirect=True)
def test_a_reference_that_is_no_text_gets_a_verdict(verifier, wrong):
    for example in verifier.EXAMPLES[:2]:
        asked(verifier, example.subject, wrong)


@pytest.mark.parametrize("verifier", TEXTS_ONLY, indirect=True)
def test_a_number_is_no_answer_and_the_verdict_says_so(verifier):
    verdict = asked(verifier, 5, "a reference", "a context")
    assert verdict.undecided and re.search(r"\bint\b", verdict.feedback)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("verifier", NAMES, indirect=True)
def test_a_hostile_text_gets_a_verdict_in_time(verifier, hostile):
    text = HOSTILE[hostile]
    rows = verifier.checks == "dataset"
    asked(verifier, [text, WORDS] if rows else text, "some reference", WORDS)
    example = verifier.EXAMPLES[0]
    asked(verifier, example.subject, text if not rows else [text], text)
    if verifier.checks == "challenge":
        asked(verifier, {"question": text, "answer": text, "program": text, "context": text}, "", "")
