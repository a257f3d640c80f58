"""What comes through the door for values."""

import sys

import pytest

from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.sandbox import monty
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.sandbox.job import SandboxLimits
from autodata_dspy.sandbox.values import MAX_CHARS, values

needs_monty = pytest.mark.skipif(bool(monty.missing()), reason=monty.missing())
RETURNS = "def f(n):\n    return {}"


@pytest.fixture
def without_bubblewrap(monkeypatch, tmp_path):
    find_box.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    find_box()
    yield
    find_box.cache_clear()


@pytest.fixture(params=["bubblewrap", "monty"])
def place(request):
    """Each place in turn."""
    if request.param == "monty":
        request.getfixturevalue("without_bubblewrap")
        if monty.missing():
            pytest.skip(monty.missing())
    elif not isinstance(find_box(), Box):
        pytest.skip(str(find_box()))
    return request.param


def one(code, call="f(3)"):
    (value,) = values(code, [call], "f")
    return value


@pytest.mark.parametrize(
    "text",
    ["5", "-1", "2.5", "1e-07", "'a\\n\"'", "None", "True", "[1, (2,), {'a': {3}}]", "set()", "b'x'", "''", "[]"],
)
def test_plain_values_come_out_as_they_are(place, text):
    value = one(RETURNS.format(text))
    assert (value.error, value.text, repr(value.value)) == ("", text, text)


@pytest.mark.parametrize("text", ["float('inf')", "frozenset([1])", "float('nan')"])
def test_what_is_no_literal_is_an_error(place, text):
    assert "no plain data" in one(RETURNS.format(text)).error


@pytest.mark.skipif(not isinstance(find_box(), Box), reason=str(find_box()))
@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def __repr__(self):\n        return '5'\n\ndef f(n):\n    return A()",
        "class A(int):\n    def __repr__(self):\n        return '7'\n\ndef f(n):\n    return [A(5)]",
        "def f(n):\n    return lambda: 0",
        "def f(n):\n    return range(3)",
    ],
)
def test_an_object_of_the_solution_does_not_pass_for_plain_data(code):
    assert one(code).error


def test_a_long_value_is_an_error_and_not_a_shorter_one(place):
    assert one(RETURNS.format(f"'a' * {MAX_CHARS - 2}")).value == "a" * (MAX_CHARS - 2)
    assert "longer than" in one(RETURNS.format(f"'a' * {MAX_CHARS - 1}")).error
    assert "longer than" in one(RETURNS.format("list(range(5000))")).error


def test_every_call_has_its_own_fate(place):
    found = values("def f(n):\n    return [1, 2][n]", ["f(0)", "f(5)", "f(1)"], "f")
    assert [(v.call, v.value) for v in found] == [("f(0)", 1), ("f(5)", None), ("f(1)", 2)]
    assert found[1].error.startswith("IndexError") and not found[0].error and not found[2].error


@pytest.mark.skipif(not isinstance(find_box(), Box), reason=str(find_box()))
def test_what_stops_the_process_explains_the_calls_that_come_after():
    code = "import os\ndef f(n):\n    if n == 2:\n        os._exit(0)\n    return n"
    first, second, third = values(code, ["f(1)", "f(2)", "f(3)"], "f")
    assert first.value == 1 and "called exit" in second.error and "called exit" in third.error
    assert (
        "CPU time" in values("def f(n):\n    while True:\n        pass", ["f(1)"], "f", SandboxLimits(cpu_s=1))[0].error
    )
    assert "NameError" in values("x = y\ndef f(n):\n    return n", ["f(1)"], "f")[0].error


@needs_monty
def test_what_monty_cannot_run_is_no_value(without_bubblewrap):
    with pytest.raises(VerifierError, match="TypeError"):
        values("def f(n):\n    return n + 'a'", ["f(1)"], "f")


def test_without_a_place_to_run_the_user_is_told(without_bubblewrap, monkeypatch):
    monkeypatch.setattr(monty, "_pool", None)
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    with pytest.raises(ConfigError, match=r"bubblewrap is not there.*pydantic-monty is not installed"):
        values("def f(n):\n    return n", ["f(1)"], "f")


@pytest.mark.parametrize("n", [0, 21])
def test_no_call_and_too_many_calls_are_the_callers_mistake(n):
    with pytest.raises(ValueError, match="between 1 and 20 calls"):
        values("def f(n):\n    return n", ["f(1)"] * n, "f")


def test_a_function_may_have_any_name(place):
    for name in ("shown", "value", "kind", "each"):
        (value,) = values(f"def {name}(n):\n    return n", [f"{name}(4)"], name)
        assert value.value == 4
