"""Which tests are good enough, what the verdict says, and what happens without a sandbox."""

import sys

import pytest

from autodata_dspy.errors import ConfigError
from autodata_dspy.sandbox import monty
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.test_adequacy import MAX_CODE, PLUGIN, TestAdequacy

needs_bubblewrap = pytest.mark.skipif(not isinstance(find_box(), Box), reason=str(find_box()))
needs_monty = pytest.mark.skipif(bool(monty.missing()), reason=monty.missing())
FEE = "def fee(minutes):\n    if minutes <= 30:\n        return 0\n    return min(2 * ((minutes + 59) // 60), 12)"
GOOD = "\n".join(
    f"assert fee({m}) == {c}" for m, c in [(0, 0), (30, 0), (31, 2), (60, 2), (61, 4), (300, 10), (301, 12), (900, 12)]
)
WEAK = "assert fee(5) == 0\nassert fee(100) == 4\nassert fee(110) == 4"


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


@needs_monty
def test_good_tests_notice_every_change():
    verdict = PLUGIN().verify(Challenge("Write fee.", FEE, GOOD), context="the document is not looked at")
    assert (verdict.score, verdict.feedback) == (1.0, "")
    assert verdict.evidence == {"n_mutants": 12, "n_killed": 12, "survived": [], "n_equal": 0}


@needs_bubblewrap
def test_without_monty_cpython_says_the_same(without_monty):
    assert PLUGIN(max_mutants=3).verify(FEE, GOOD).passed
    assert (
        PLUGIN(max_mutants=3).verify(FEE, WEAK.replace("100", "30").replace("110", "30").replace("4", "0")).score == 0.0
    )


@needs_monty
def test_weak_tests_are_told_which_errors_they_miss_and_what_would_show_them():
    verdict = PLUGIN().verify(FEE, WEAK)
    assert 0.0 < verdict.score < 0.8
    assert verdict.feedback.startswith("the tests notice ") and verdict.feedback.endswith("add calls that show them")
    assert "`minutes <= 30` → `minutes < 30` (as fee(30) would show)" in " ".join(verdict.evidence["survived"])
    assert verdict.score == verdict.evidence["n_killed"] / verdict.evidence["n_mutants"]


@needs_monty
@pytest.mark.parametrize(
    ("solution", "tests", "trivial"),
    [
        ("def f(n):\n    return n - n", "assert f(1) == 0\nassert f(2) == 0", "return 0"),
        ("def f(n):\n    n + 1", "assert f(1) is None\nassert not f(2)", "pass"),
        ("def f(n):\n    return n * 2", "assert f(2) == 4", "return 4"),
        ("def f(n):\n    return abs(n)", "assert f(1) == 1\nassert f(2) == 2", "return n"),
        ("def f(xs):\n    return min(xs)", "assert f([1, 2]) == 1\nassert f([3, 4]) == 3", "if not xs:\n    return None\nreturn xs[0]"),
        ("def f(s):\n    return s[-1]", "assert f('ab') == 'b'\nassert f('x') == 'x'", "if not s:\n    return None\nreturn s[-1]"),
        ("def f(s):\n    return len(s)", "assert f('ab') == 2\nassert f('') == 0", "return len(s)"),
        ("def f(n):\n    return n > 5", "assert f(6)\nassert f(7)", "return True"),
    ],
)  # fmt: skip
def test_tests_that_something_trivial_passes_are_rejected(solution, tests, trivial):
    verdict = PLUGIN().verify(solution, tests)
    assert (verdict.score, verdict.evidence) == (0.0, {"trivial": trivial})
    assert verdict.feedback.startswith("the tests also pass when f ")


@needs_bubblewrap
def test_a_reference_that_fails_its_tests_is_rejected():
    verdict = PLUGIN().verify(FEE, GOOD.replace("fee(61) == 4", "fee(61) == 5"))
    assert verdict.score == 0.0 and "got 4, expected 5" in verdict.feedback
    assert verdict.feedback.startswith("the reference solution: 1 of 8 tests fail")


@needs_monty
def test_a_change_without_an_effect_does_not_count():
    largest = (
        "def f(xs):\n    best = xs[0]\n    for x in xs:\n        if x > best:\n            best = x\n    return best"
    )
    tests = (
        "assert f([1, 3, 2]) == 3\nassert f([-2, -1, -4]) == -1\nassert f([5, 4, 4]) == 5\nassert f([6, 7, 9, 8]) == 9"
    )
    verdict = PLUGIN(max_mutants=50, min_killed=1.0).verify(largest, tests)
    assert verdict.passed and verdict.evidence["n_equal"] >= 1 and verdict.evidence["survived"] == []


@needs_monty
def test_changes_that_never_end_are_noticed():
    verdict = PLUGIN(max_mutants=30).verify(
        "def f(n):\n    i = 0\n    while i * i < n:\n        i += 1\n    return i",
        "assert f(0) == 0\nassert f(9) == 3\nassert f(10) == 4\nassert f(1) == 1\nassert f(26) == 6",
    )
    assert verdict.passed and verdict.evidence["n_killed"] >= 8


@needs_monty
def test_the_seed_draws_the_changes_and_the_verdict_is_repeatable():
    found = [PLUGIN(max_mutants=3, seed=seed).verify(FEE, WEAK).evidence for seed in (0, 0, 1, 2, 3)]
    assert found[0] == found[1]
    assert len({str(each) for each in found}) > 1


@needs_monty
def test_the_share_that_is_asked_for_decides():
    share = PLUGIN().verify(FEE, WEAK).score
    assert PLUGIN(min_killed=share).verify(FEE, WEAK).passed
    assert not PLUGIN(min_killed=share + 0.01).verify(FEE, WEAK).passed


@needs_monty
def test_what_monty_stumbles_over_is_unknown_without_cpython(without_bubblewrap):
    # Returning None where a number is added raises a TypeError, which might be Monty's own.
    twice = "def g(n):\n    return n + 1\n\ndef f(n):\n    return g(n) + g(n)"
    verdict = PLUGIN(min_killed=1.0).verify(twice, "assert f(1) == 4\nassert f(4) == 10\nassert f(0) == 2")
    assert verdict.undecided and verdict.feedback == "too few wrong solutions could be run"
    # Enough is known for a lower share, whatever the unknown ones would have done.
    assert PLUGIN(min_killed=0.5).verify(twice, "assert f(1) == 4\nassert f(4) == 10\nassert f(0) == 2").passed
    decimals = "assert abs(f(3) - 1.5) < 1e-6\nassert abs(f(4) - 2) < 1e-6"
    verdict = PLUGIN().verify("def f(n):\n    return n / 2", decimals)
    assert verdict.undecided and verdict.feedback == "whether the tests notice `pass` could not be found out"


@needs_bubblewrap
def test_where_nothing_can_be_changed_nothing_can_be_said():
    verdict = PLUGIN().verify("def f(xs):\n    xs.clear()", "x = [1]\nf(x)\nassert not x")
    assert verdict.undecided and verdict.feedback == "there is nothing in the solution to change"


@pytest.mark.parametrize(
    ("subject", "reference", "why"),
    [
        (5, "assert f(1)", "the solution is no text but int"),
        ("def f(n):\n    return n", 5, "the tests is no text but int"),
        ("def f(n):\n    return n", "", "there are no tests"),
        ("x = 1" * MAX_CODE, "assert f(1)", "longer than"),
        ("def f(n):\n    return n", "#" * (MAX_CODE + 1), "longer than"),
    ],
)
def test_what_cannot_be_looked_at_is_undecided(subject, reference, why):
    verdict = PLUGIN().verify(subject, reference)
    assert verdict.undecided and why in verdict.feedback and verdict.verifier == "test_adequacy"


@needs_bubblewrap
def test_tests_of_no_function_are_undecided():
    verdict = PLUGIN().verify("class A:\n    def size(self):\n        return 3", "assert A().size() == 3")
    assert verdict.undecided and "the tests use no function of the solution" in verdict.feedback


@needs_monty
def test_check_is_given_the_last_function():
    solution = "def enc(n):\n    return n + 5\n\ndef dec(n):\n    return n - 5"
    tests = "def check(candidate):\n    for n in (0, 4, 9):\n        assert candidate(enc(n)) == n\n    assert candidate(3) == -2"
    assert PLUGIN().verify(solution, tests).passed


@pytest.mark.parametrize("options", [{"min_killed": 0.0}, {"min_killed": 1.1}, {"max_mutants": 0}])
def test_options_that_make_no_sense(options):
    with pytest.raises(ConfigError):
        TestAdequacy(**options)
