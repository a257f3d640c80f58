"""Small code in pydantic-monty: what it decides, and what it leaves to CPython."""

import os
import sys

import pytest

from autodata_dspy.sandbox import monty
from autodata_dspy.sandbox.job import Job, SandboxLimits
from autodata_dspy.sandbox.monty import in_monty, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
LIMITS = SandboxLimits(cpu_s=1, memory_mb=64)


def run(solution, tests, **job):
    return in_monty(Job(solution, tests, **job), LIMITS)


@pytest.mark.parametrize(
    "solution, tests",
    [
        ("def f(x): return x + 1", "assert f(1) == 2"),
        ("import math\ndef f(x): return math.sqrt(x)", "assert math.isclose(f(4), 2)"),
        ("def f(x): raise ValueError('bad')", "try:\n    f(1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'bad'"),
        ("def f(x): return {'a': [x, (1, 2.5)], 'b': None}", "assert f(b'x') == {'a': [b'x', (1, 2.5)], 'b': None}"),
        ("def f(x): return x is None", "assert f(None) is True"),
        ("def f(x):\n    print('loud')\n    return x", "def test_it():\n    assert f(x=2) == 2"),
    ],
)  # fmt: skip
def test_small_code_is_decided(solution, tests):
    outcome = run(solution, tests)
    assert (outcome.passed, outcome.n_tests, outcome.runner) == (True, 1, "monty"), outcome.why


def test_check_gets_the_entry():
    tests = "def check(candidate):\n    assert candidate(2) == 4"
    assert run("def f(x): return x * 2", tests, entry="f").passed
    assert run("def f(x): return x * 3", tests, entry="f").passed is False


def test_failures_tell_where_and_how():
    outcome = run("def f(x): return x", "assert f(1) == 1\nassert f(2) == 4\ndef test_b():\n    assert f(3) == 9")
    assert (outcome.passed, outcome.n_tests, outcome.n_failed) == (False, 3, 2)
    assert outcome.failed == (
        ("line 2: assert f(2) == 4", "AssertionError: assert 2 == 4"),
        ("test_b: test_b()", "AssertionError: assert 3 == 9"),
    )


def test_a_setup_that_fails_ends_the_tests():
    outcome = run("def f(x): return [1][x]", "x = f(5)\nassert f(0) == 1")
    assert (outcome.passed, outcome.n_tests, outcome.n_failed) == (False, 1, 1)


@pytest.mark.parametrize(
    "solution, tests, why",
    [
        ("def f(x): return x", "assert g(1) == 1", "NameError"),
        ("def f(x):\n    while True: pass", "assert f(1) == 1", "TimeoutError"),
        ("def f(x): return 'x' * 10**9", "assert f(1) == 1", "MemoryError"),
        ("def f(n): return f(n + 1)", "assert f(1) == 1", "RecursionError"),
        ("class E:\n    def __eq__(self, o): return True\ndef f(x): return E()", "assert f(1) == 3", "f returns a E"),
        ("class E:\n    def __eq__(self, o): return True\ndef f(x): return [E()]", "assert f(1) == [3]", "f returns a list"),
        ("class f:\n    pass", "assert f() == 3", "the tests use f, which is no plain function"),
        ("N = 3\ndef f(): return N", "assert f() == N", "the tests use N"),
        ("def f(xs): xs.sort()", "a = [2, 1]\nf(a)\nassert a == [1, 2]", "f changes its arguments"),
        ("def f(x): return range(3)", "assert f(1) == range(3)", "f returns a range"),
        ("def f(g): return 1", "assert f(lambda x: x) == 1", "hand over what is not plain data"),
        ("def f(x): raise SystemExit(0)", "assert f(1) == 1", "Internal error"),
        ("import os\ndef f(x): return os.system('id')", "assert f(1) == 0", "AttributeError"),
        ("import os\ndef f(x): return os.system('id')", "try:\n    f(1)\nexcept Exception:\n    pass\nassert f", "AttributeError"),
        ("import socket\ndef f(x): return 1", "assert f(1) == 1", "ModuleNotFoundError"),
        ("def f(x): return open('/etc/passwd').read()", "assert f(1) == 1", "PermissionError"),
        ("def f(x):\n    yield x", "assert list(f(1)) == [1]", "NotImplementedError"),
        ("def f(x): return 1", "class T:\n    pass\nassert f(1) == 1", "classes or coroutines"),
        ("def f(x): return [x]", "a = []\nassert f(a)[0] is a", "compare identities"),
        ("def abs(x): return 0\ndef f(x): return 9", "assert abs(f(1) - 1.5) < 1e-6", "replaces abs"),
        ("from math import isnan as abs\ndef f(x): return 0.0", "assert abs(f(1) - 1.5) < 1e-6", "replaces abs"),
        ("from math import isnan as random\ndef f(x): return 1", "assert random(f(1))", "replaces random"),
        ("from math import *\ndef f(x): return 1", "assert f(1) == 1", "imports whatever a module has"),
        ("def f(x): return 1", "def test_it(client):\n    assert f(client)", "needs fixtures"),
        ("def f(x): return 1", "assert True", "never use the solution"),
        ("def f(x): return 1", "x = f(1)", "there are no tests"),
        ("def f(x: return 1", "assert f(1) == 1", "not readable"),
        ("async def f(x): return 1", "assert f(1) == 1", "which is no plain function"),
    ],
)  # fmt: skip
def test_what_it_cannot_know_is_left_undecided(solution, tests, why):
    outcome = run(solution, tests)
    assert outcome.passed is None and why in outcome.why


def test_a_builtin_that_was_asked_for_is_left_to_cpython():
    outcome = run("def abs(x): return 'mine'", "assert abs(-1) == 'mine'", expected=("abs",))
    assert (outcome.passed, outcome.why) == (None, "the solution replaces abs")


def test_a_forked_child_does_without():
    assert run("def f(x): return x", "assert f(1) == 1").passed
    child = os.fork()
    if child == 0:
        os._exit(0 if missing() == "pydantic-monty does not outlive a fork" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert missing() == ""


def test_without_the_package_the_reason_says_what_to_install(monkeypatch):
    monkeypatch.setattr(monty, "_pool", None)
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    assert missing() == "pydantic-monty is not installed (pip install 'autodata-dspy[code]')"


def test_a_package_whose_program_is_missing_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(monty, "_pool", None)
    monkeypatch.setenv("MONTY_BIN", str(tmp_path / "gone"))
    assert missing().startswith("pydantic-monty does not start: ")
