"""Every golden case of the text and data-set verifiers; a file holds {subject, reference, context, expected, why}."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autodata_dspy import registry

NAMES = [
    "quote_grounding", "citation", "leakage", "atomicity", "rubric_form", "length", "language", "case_recap",
    "near_duplicates", "contamination", "balance", "diversity", "exact_match",
]  # fmt: skip


def cases(name):
    lines = Path(__file__).with_name(f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


CASES = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name in NAMES
    for number, case in enumerate(cases(name), start=1)
]


@pytest.fixture(scope="module")
def verifiers():
    return {name: registry.load("verifiers", name)() for name in NAMES}


def outcome(verdict):
    return None if verdict.undecided else verdict.passed


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_golden_case_has_its_outcome_and_says_why_it_fails(verifiers, name, case):
    verdict = verifiers[name].verify(case["subject"], case["reference"], case["context"])
    assert outcome(verdict) == case["expected"], case["why"]
    assert verdict.verifier == name
    assert verdict.passed or verdict.feedback
    json.dumps(verdict.evidence)


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_holds_40_different_cases_of_both_kinds_with_why(name):
    found = cases(name)
    assert len({json.dumps([c["subject"], c["reference"], c["context"]]) for c in found}) == len(found) >= 40
    expected = [c["expected"] for c in found]
    assert min(expected.count(True), expected.count(False)) >= 10
    assert all(c["why"] for c in found)


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_verifier_have_their_outcomes(verifiers, name):
    for example in verifiers[name].EXAMPLES:
        verdict = verifiers[name].verify(example.subject, example.reference, example.context)
        assert outcome(verdict) == example.expected, example.why


@pytest.mark.parametrize("name", NAMES[:8])
def test_eight_threads_say_what_one_says(verifiers, name):
    def verdict(case):
        return verifiers[name].verify(case["subject"], case["reference"], case["context"])

    found = cases(name)
    alone = [verdict(case) for case in found]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(verdict, found)) == alone
