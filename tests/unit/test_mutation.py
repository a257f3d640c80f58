"""Which small changes are made of a function."""

import ast

import pytest

from autodata_dspy.mutation import mutants, with_body


def changes(body, limit=100):
    """The bodies that come out, as one-line texts."""
    found = mutants("def f(a, b, xs):\n" + "\n".join(f"    {line}" for line in body.split("\n")), limit)
    return {"; ".join(line.strip() for line in m.source.split("\n")[1:]): m.kind for m in found}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a < b", {"return a <= b": "comparison", "return a > b": "comparison"}),
        ("return a <= b", {"return a < b": "comparison", "return a >= b": "comparison"}),
        ("return a > b", {"return a >= b": "comparison", "return a < b": "comparison"}),
        ("return a >= b", {"return a > b": "comparison", "return a <= b": "comparison"}),
        ("return a == b", {"return a != b": "comparison"}),
        ("return a in xs", {"return a not in xs": "comparison"}),
        ("return a is b", {"return a is not b": "comparison"}),
        ("return a + b", {"return a - b": "arithmetic"}),
        ("return a * b", {"return a + b": "arithmetic"}),
        ("return a // b", {"return a * b": "arithmetic"}),
        ("return a % b", {"return a // b": "arithmetic"}),
        ("return a and b", {"return a or b": "connective", "return a": "operand", "return b": "operand"}),
        ("return not a", {"return a": "sign"}),
        ("return -a", {"return a": "sign"}),
        ("return 5", {"return 6": "constant", "return 4": "constant"}),
        ("return True", {"return False": "constant"}),
        ("return 'a'", {"return 'a?'": "constant"}),
        ("return f'{a:03d}'", {}),
        ("return range(a)", {"return range(a + 1)": "range", "return range(a - 1)": "range"}),
        ("return range(a, b)", {"return range(a, b + 1)": "range", "return range(a, b - 1)": "range"}),
        ("return max(a, b)", {"return min(a, b)": "built-in"}),
        ("return a if b else xs", {"return a if not b else xs": "condition"}),
        ("return a", {}),
    ],
)
def test_changes_of_an_expression(body, expected):
    assert changes(body) == expected | {"return None": "return"}


def test_changes_of_statements():
    found = changes("for x in xs:\n    if a:\n        continue\n    b += x\nreturn")
    assert set(found.values()) == {"removal", "condition", "arithmetic"}
    assert "pass; return" in found
    assert "for x in xs:; if a:; pass; b += x; return" in found
    assert "for x in xs:; if a:; continue; pass; return" in found
    assert "for x in xs:; if a:; continue; b -= x; return" in found


def test_a_returned_none_is_no_change():
    assert changes("return None") == changes("return") == {}


def test_docstrings_hints_defaults_and_decorators_stay():
    source = '@d(1)\ndef f(a: "int" = 1, *, k: X[2] = 3) -> Y[4]:\n    """Words."""\n    x: Z[5] = a\n    return x'
    found = mutants(source, 100)
    assert [m.kind for m in found] == ["return"]
    assert ast.get_docstring(ast.parse(found[0].source).body[0]) == "Words."


def test_helpers_are_changed_and_what_is_outside_of_functions_is_not():
    found = mutants("A = 1\ndef g(n):\n    return n < 1\n\ndef f(n):\n    return g(n)\nprint(2)", 100)
    assert len(found) == 6 and all("A = 1" in m.source and "print(2)" in m.source for m in found)
    assert sum("def f(n):\n    return None" in m.source for m in found) == 1


LONG = "def f(a):\n    if a < 3 and a != 2:\n        return a + 10\n    for i in range(a):\n        a *= 2\n    return a - 1"


def test_the_draw_is_bounded_deterministic_and_depends_on_the_seed():
    first = mutants(LONG, 6, seed=1)
    assert len(first) == 6 and first == mutants(LONG, 6, seed=1)
    assert len({tuple(m.source for m in mutants(LONG, 6, seed=s)) for s in range(5)}) == 5
    assert {m.source for m in first} <= {m.source for m in mutants(LONG, 100)}


def test_every_kind_comes_before_any_comes_twice():
    everything = {m.kind for m in mutants(LONG, 100)}
    assert len({m.kind for m in mutants(LONG, len(everything))}) == len(everything)


def test_mutants_are_different_from_each_other_and_from_the_source():
    found = [m.source for m in mutants(LONG, 100)]
    assert len(set(found)) == len(found) > 20 and ast.unparse(ast.parse(LONG)) not in found


def test_a_mutant_tells_where_it_differs():
    assert "line 2: `a < 3` → `a <= 3`" in {m.where for m in mutants(LONG, 100)}
    long = mutants("def f(a):\n    return a + " + " + ".join(f"name_{i}" for i in range(30)), 100)
    assert all(len(m.where) < 150 for m in long)


def test_with_body_replaces_one_function():
    source = "@memo\ndef f(n):\n    return n\n\ndef g(n):\n    return f(n)"
    assert with_body(source, "f", "return 0") == "def f(n):\n    return 0\n\ndef g(n):\n    return f(n)"


def test_what_is_not_python_is_a_syntax_error():
    with pytest.raises(SyntaxError):
        mutants("def f(:")
    with pytest.raises(SyntaxError):
        with_body("def f(:", "f", "pass")
