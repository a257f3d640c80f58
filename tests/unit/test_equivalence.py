"""Inputs near those of tests, and two functions beside each other."""

import ast

import pytest

from autodata_dspy.equivalence import COMPARE, MAX_CHARS, MAX_INPUTS, comparison, inputs, side_by_side
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.sandbox.job import Job
from autodata_dspy.verifiers.test_adequacy import TestAdequacy

needs_bubblewrap = pytest.mark.skipif(not isinstance(find_box(), Box), reason=str(find_box()))
SOLUTION = ast.parse("def f(n):\n    return n > 30")


def near(tests, solution=SOLUTION):
    return inputs(ast.parse(tests), solution, "f")


def test_numbers_go_one_up_and_down_and_to_those_of_the_solution():
    assert near("assert f(7) == 1") == [([n], {}) for n in (6, 8, 0, 29, 30, 31)]


@pytest.mark.parametrize(
    ("call", "others"),
    [
        ("f(True)", [False]),
        ("f('ab')", ["b", "a", "aab", "abb", "ba", ""]),
        ("f(x=1.0)", [0.0, 2.0, 1.5, 0.0, 29.0, 30.0, 31.0]),
        ("f([True])", [[], [], [True, True], [True, True], [True], [], [False]]),
        ("f((True,))", [(), (), (True, True), (True, True), (True,), (), (False,)]),
        ("f(None)", []),
        ("f({'a': 1})", []),
        (f"f('{'a' * 70}')", []),
    ],
)
def test_other_values(call, others):
    assert [args[0] if args else kwargs["x"] for args, kwargs in near(call)] == others


def test_one_argument_changes_at_a_time():
    assert near("f(True, k=False)") == [([False], {"k": False}), ([True], {"k": True})]


def test_calls_of_check_count_and_calls_with_names_do_not():
    assert near("def check(candidate):\n    assert candidate(True)") == [([False], {})]
    assert near("f(x)\nf(1 + y)\ng(1)\na.f(1)") == []


def test_inputs_are_bounded_and_every_call_has_its_share():
    many = near("\n".join(f"f([{i}, 2, 3, 4], {i})" for i in range(50)))
    assert len(many) <= MAX_INPUTS and {args[1] // 10 for args, _ in many} >= {0, 1, 2, 3, 4}
    assert near(f"f('{'a' * MAX_CHARS}', 1)") == []


def difference(original, changed, given, name="f"):
    """What the comparison of two functions says of inputs: all the same (True), or not."""
    job = Job(side_by_side(original, changed, name), comparison(given), COMPARE, (COMPARE,))
    return TestAdequacy()._run(job).passed


@needs_bubblewrap
@pytest.mark.parametrize(
    ("original", "changed", "given", "same"),
    [
        ("def f(n):\n    return n", "def f(n):\n    return -n", [([0], {})], True),
        ("def f(n):\n    return n", "def f(n):\n    return -n", [([0], {}), ([1], {})], False),
        ("def f(n):\n    return 1 // n", "def f(n):\n    return 1", [([0], {}), ([1], {})], True),  # nobody knows f(0)
        ("def f(n):\n    return n", "def f(n):\n    return n + 0 // n", [([0], {})], False),  # raises where it did not
        ("def f(xs):\n    xs.append(1)\n    return len(xs)", "def f(xs):\n    return len(xs) + 1", [([[]], {})], True),
        ("def f(n, k=1):\n    return n * k", "def f(n, k=1):\n    return n * 2", [([1], {"k": 2})], True),
        # The original's recursion and helpers are its own.
        ("def f(n):\n    return n if n < 1 else f(n - 1)", "def f(n):\n    return 9", [([3], {})], False),
        ("def g(n):\n    return n\ndef f(n):\n    return g(n)", "def g(n):\n    return 5\ndef f(n):\n    return g(n)", [([3], {})], False),
        ("def f(n):\n    return 1", "def f(n):\n    return True", [([3], {})], False),
    ],
)  # fmt: skip
def test_two_functions_beside_each_other(original, changed, given, same):
    assert difference(original, changed, given) is same


@needs_bubblewrap
@pytest.mark.parametrize("name", ["expected", "args", "number", "calls"])
def test_a_function_may_have_any_name(name):
    one, other = f"def {name}(n):\n    return n", f"def {name}(n):\n    return -n"
    assert difference(one, other, [([0], {})], name) and not difference(one, other, [([1], {})], name)
