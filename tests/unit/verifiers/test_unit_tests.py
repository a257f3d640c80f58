"""Which code is taken for the solution, where it runs, and what the verdict says."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.sandbox import bubblewrap, monty
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.unit_tests import MAX_CODE, PLUGIN, UnitTests, find_code

needs_bubblewrap = pytest.mark.skipif(not isinstance(find_box(), Box), reason=str(find_box()))
needs_monty = pytest.mark.skipif(bool(monty.missing()), reason=monty.missing())
DOUBLE = "def double(n):\n    return 2 * n"
CLASS = "class Double:\n    def of(self, n):\n        return 2 * n"  # the tests use a class: too much for Monty


@pytest.fixture
def without_bubblewrap(monkeypatch, tmp_path):
    find_box.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    find_box()
    yield
    find_box.cache_clear()


@pytest.fixture
def without_monty(monkeypatch):
    monkeypatch.setattr(monty, "_pool", None)
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)


def test_it_is_a_verifier_that_needs_no_arguments():
    assert isinstance(PLUGIN(), Verifier)


@needs_bubblewrap
@pytest.mark.parametrize("example", UnitTests.EXAMPLES, ids=lambda e: e.why)
def test_its_examples_hold(example):
    verdict = PLUGIN().verify(example.subject, example.reference, example.context)
    assert (None if verdict.score is None else verdict.passed) is example.expected, verdict


@needs_monty
def test_small_code_is_decided_by_monty():
    verdict = UnitTests().verify(DOUBLE, "assert double(4) == 8")
    assert (verdict.score, verdict.feedback) == (1.0, "")
    assert verdict.evidence == {"runner": "monty", "n_tests": 1, "n_failed": 0}


@needs_bubblewrap
def test_a_failure_that_monty_sees_is_confirmed_by_cpython():
    verdict = UnitTests().verify(DOUBLE, "assert double(4) == 9\nassert double(1) == 2")
    assert (verdict.score, verdict.evidence["runner"]) == (0.0, "bubblewrap")
    assert verdict.feedback == "1 of 2 tests fail: line 1: assert double(4) == 9 → got 8, expected 9; AssertionError"
    assert verdict.evidence["failed"] == [["line 1: assert double(4) == 9", "got 8, expected 9; AssertionError"]]


@needs_bubblewrap
def test_what_monty_cannot_do_is_done_by_cpython():
    assert UnitTests().verify(CLASS, "assert Double().of(4) == 8").evidence["runner"] == "bubblewrap"
    assert UnitTests("monty").verify(CLASS, "assert Double().of(4) == 8").undecided


@needs_bubblewrap
def test_partial_credit_is_the_share_of_tests_that_pass():
    tests = "assert double(1) == 2\nassert double(2) == 4\nassert double(3) == 5\nassert double(0) == 1"
    assert UnitTests(partial=True).verify(DOUBLE, tests).score == 0.5
    assert UnitTests().verify(DOUBLE, tests).score == 0.0


@needs_monty
def test_without_bubblewrap_small_code_is_still_decided(without_bubblewrap):
    assert UnitTests().verify(DOUBLE, "assert double(4) == 8").score == 1.0
    wrong = UnitTests().verify(DOUBLE, "assert double(4) == 9")
    assert (wrong.score, wrong.evidence["runner"]) == (0.0, "monty")


def test_without_bubblewrap_the_rest_is_refused_with_the_remedy(without_bubblewrap):
    verdict = UnitTests("bubblewrap").verify(CLASS, "assert Double().of(4) == 8")
    assert verdict.score is None
    assert verdict.feedback == (
        f"the tests decide nothing: CPython: bubblewrap is not there; {bubblewrap.INSTALL}; or run code you trust "
        "without a sandbox: UnitTests(unsandboxed=True)"
    )


def test_without_any_sandbox_nothing_is_run_unless_it_is_asked_for(without_bubblewrap, without_monty, tmp_path):
    canary = tmp_path / "canary"
    solution = f"open({str(canary)!r}, 'w').close()\ndef f(): return 1"
    refused = UnitTests().verify(solution, "assert f() == 1")
    assert refused.undecided
    assert "pydantic-monty is not installed" in refused.feedback and "bubblewrap is not there" in refused.feedback
    assert not canary.exists()
    allowed = UnitTests(unsandboxed=True).verify(solution, "assert f() == 1")
    assert (allowed.score, allowed.evidence["runner"]) == (1.0, "unsandboxed")
    assert canary.exists()


@needs_bubblewrap
def test_unsandboxed_changes_nothing_where_there_is_a_sandbox(tmp_path):
    canary = tmp_path / "canary"
    solution = f"class C:\n    def f(self):\n        open({str(canary)!r}, 'w').close()\n        return 1"
    verdict = UnitTests(unsandboxed=True).verify(solution, "assert C().f() == 1")
    assert (verdict.score, verdict.evidence["runner"]) == (0.0, "bubblewrap")
    assert not canary.exists()


def test_a_sandbox_that_does_not_start_any_more_is_undecided(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # one that the sandbox's user may read
        os.chmod(folder, 0o777)
        fake = Path(folder, "bwrap")
        fake.write_text(f"#!/bin/sh\nif [ -e {folder}/used ]; then echo 'bwrap: no more' >&2; exit 1; fi\n")
        with fake.open("a") as script:
            script.write(f"touch {folder}/used\necho hello\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        find_box.cache_clear()
        try:
            verdict = UnitTests("bubblewrap").verify(DOUBLE, "assert double(4) == 8")
        finally:
            find_box.cache_clear()
    assert (verdict.score, verdict.feedback) == (None, "the sandbox did not start (exit code 1): bwrap: no more")


@needs_monty
def test_a_challenge_brings_its_solution_and_its_tests():
    assert PLUGIN().verify(Challenge("Double a number.", DOUBLE, "assert double(4) == 8")).passed


@needs_monty
@pytest.mark.parametrize(
    "stub, answer",
    [
        ('def double(n):\n    """Twice n."""\n', "    return 2 * n"),
        ('def double(n):\n    """Twice n."""\n', "```python\n    return 2 * n\n```"),
        ('from math import floor\n\ndef double(n):\n    """Twice n."""', "def double(n):\n    return floor(2 * n)"),
        ("def helper(n):\n    return n + n\n\ndef double(n):\n    '''Twice n.'''\n", "    return helper(n)"),
        ("def double(n):\n", "    return 2 * n"),
        ("from math import floor\ndef double(n: int) -> int:", "def double(n):\n    return floor(2 * n)"),
        ("Write a function double(n).", "def double(n):\n    return 2 * n"),
        ("double", "def double(n):\n    return 2 * n"),
        (
            "def double(n):\n    '''Twice n.'''\n",
            "def helper(n):\n    return n\n\ndef double(n):\n    return helper(n) * 2",
        ),
    ],
)
def test_a_stub_in_the_context_stands_before_the_answer_and_prose_does_not(stub, answer):
    verdict = PLUGIN().verify(answer, "def check(candidate):\n    assert candidate(4) == 8", stub)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    "text, code",
    [
        ("x = 1", "x = 1"),
        ("Look:\n```python\nx = 1\n```\ndone", "x = 1\n"),
        ("Look:\n```\nx = 1\n```\ndone", "x = 1\n"),
        ("~~~py\nx = 1\n~~~", "x = 1\n"),
        ("````\n```\n````", "```\n"),
        ("```bash\nls\n```\n```python\nx = 1\n```", "x = 1\n"),
        ("```python\ndef f(): pass\n```\n```python\nf()\n```", "def f(): pass\n"),
        ("```python\nx = 1", "x = 1"),
    ],
)
def test_the_code_of_a_response_is_found(text, code):
    assert find_code(text) == code


def test_between_two_solutions_none_is_chosen():
    with pytest.raises(VerifierError, match="2 blocks of code"):
        find_code("```python\ndef f(): pass\n```\n```python\ndef f(): return 1\n```")


@pytest.mark.parametrize(
    "answer, why",
    [("return 2", "outside function"), ("def f(:", "invalid syntax"), ("x = '\x00'", "null"), ("(" * 5000, "")],
)
def test_an_answer_that_is_not_python_fails(answer, why):
    verdict = PLUGIN().verify(answer, "assert f() == 1")
    assert verdict.score == 0.0 and why in verdict.feedback


@pytest.mark.parametrize(
    "tests, why",
    [
        ("", "there are no tests"),
        ("assert f( == 1", "the tests are not Python"),
        ("#" * (MAX_CODE + 1), f"longer than {MAX_CODE} characters"),
    ],
)
def test_tests_that_cannot_be_read_decide_nothing(tests, why):
    verdict = PLUGIN().verify("def f(): return 1", tests)
    assert verdict.undecided and why in verdict.feedback


def test_an_unknown_place_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="unknown place to run code 'bubble'; did you mean 'bubblewrap'"):
        UnitTests("bubble")
