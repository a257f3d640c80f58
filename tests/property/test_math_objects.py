"""Laws that equality keeps on random objects."""

from __future__ import annotations

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodata_dspy.symbolic.equality import equal_texts
from autodata_dspy.verifiers.math_objects import MathObjects

QUICK = settings(max_examples=30, deadline=None, derandomize=True)

GOLDEN = Path(__file__).parents[1] / "golden" / "math_objects.jsonl"
CASES = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
ONE_OF_EACH = list({(c["kind"], c["expected"]): c for c in CASES}.values())
# Scalars in LaTeX, which may stand between brackets with a factor in front.
SCALED = [
    (f"{c['kind']}: {c['note']}", c)
    for c in CASES
    if c["kind"] in ("number", "expression", "logarithm") and not any(re.search(r"[=,]|\*\*|C\b", c[s]) for s in "ab")
]

numbers = st.one_of(
    st.integers(-50, 50).map(str),
    st.tuples(st.integers(-20, 20), st.integers(1, 9)).map(lambda t: rf"\frac{{{t[0]}}}{{{t[1]}}}"),
    st.integers(0, 999).map(lambda k: f"{k / 100}"),
    st.integers(2, 30).map(lambda k: rf"\sqrt{{{k}}}"),
)


def polynomials(variable: str) -> st.SearchStrategy[str]:
    return st.lists(st.integers(-5, 5), min_size=1, max_size=3).map(
        lambda cs: "+".join(f"({c}){variable}^{k}" for k, c in enumerate(cs))
    )


expressions = st.recursive(
    st.one_of(numbers, st.sampled_from(["x", "y", r"\pi", "e"])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda t: f"({t[0]})+({t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})({t[1]})"),
        inner.map(lambda u: rf"\sin({u})"),
        inner.map(lambda u: f"({u})^2"),
    ),
    max_leaves=5,
)
sets = st.lists(st.integers(-9, 9).map(str), min_size=1, max_size=5)


@QUICK
@given(expressions)
def test_reflexive(text):
    assert equal_texts(text, text)["equal"] is True


@QUICK
@given(expressions, expressions)
def test_symmetric(a, b):
    assert equal_texts(a, b)["equal"] is equal_texts(b, a)["equal"]


@QUICK
@given(expressions, expressions, st.sampled_from([40, -40]))
def test_the_size_of_numbers_does_not_matter(a, b, power):
    scale = rf"10^{{{power}}}"
    assert equal_texts(f"{scale}({a})", f"{scale}({b})")["equal"] is equal_texts(a, b)["equal"]


@pytest.mark.parametrize("power", [40, -40])
@pytest.mark.parametrize(("kind", "case"), SCALED, ids=[kind for kind, _ in SCALED])
def test_golden_cases_keep_their_outcome_at_another_size(kind, case, power):
    a, b = (rf"10^{{{power}}}({case[side]})" for side in "ab")
    assert (equal_texts(a, b)["equal"] is True) is case["expected"]


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=lambda c: f"{c['kind']} {c['expected']}")
def test_golden_cases_are_symmetric(case):
    assert equal_texts(case["a"], case["b"])["equal"] is equal_texts(case["b"], case["a"])["equal"]


@QUICK
@given(expressions)
def test_changed_objects_are_never_equal(text):
    assert equal_texts(text, f"({text})+1")["equal"] is not True


@QUICK
@given(polynomials("x"))
def test_bound_names_do_not_matter(body):
    assert equal_texts(f"f(x)={body}", f"f(t)={body.replace('x', 't')}")["equal"] is True


@QUICK
@given(polynomials("x"), polynomials("x"), st.integers(-7, 7).filter(bool))
def test_equations_may_be_scaled(left, right, factor):
    equation, scaled = f"y+{left}={right}", f"({factor})(y+{left})=({factor})({right})"
    assert equal_texts(equation, scaled)["equal"] is True
    assert equal_texts(equation, f"({factor})(y+{left})=({factor})({right})+1")["equal"] is not True


@QUICK
@given(sets, st.randoms(use_true_random=False))
def test_sets_have_no_order(items, source: random.Random):
    shuffled = list(items)
    source.shuffle(shuffled)
    assert equal_texts(r"\{" + ",".join(items) + r"\}", "{" + ", ".join(shuffled) + "}")["equal"] is True


@QUICK
@given(sets, st.integers(10, 20))
def test_sets_differ_by_an_element(items, extra):
    assert (
        equal_texts(r"\{" + ",".join(items) + r"\}", r"\{" + ",".join([*items, str(extra)]) + r"\}")["equal"] is False
    )


@QUICK
@given(st.integers(-9, 9), st.integers(1, 9), st.integers(1, 6), st.integers(-4, 4))
def test_progressions_may_start_anywhere(start, step, many, shift):
    a = rf"{start}+{step}n, n\in\mathbb{{Z}}"
    assert equal_texts(a, rf"{start + shift * step}+{step}k, k\in\mathbb{{Z}}")["equal"] is True
    assert equal_texts(a, rf"{start}+{step * (many + 1)}k, k\in\mathbb{{Z}}")["equal"] is False


@QUICK
@given(st.integers(-9, 9), st.integers(1, 9))
def test_an_interval_in_three_notations(low, width):
    high = low + width
    notations = [f"({low},{high})", f"{low}<x<{high}", f"Interval.open({low}, {high})"]
    assert all(equal_texts(a, b)["equal"] is True for a in notations for b in notations)
    assert equal_texts(f"[{low},{high})", notations[1])["equal"] is False


@QUICK
@given(st.integers(1, 999), st.integers(1, 9))
def test_a_rounded_decimal_is_not_the_fraction(p, q):
    text = f"{p / (7 * q):.6f}"
    exact = p * 10**6 % (7 * q) == 0
    assert equal_texts(text, rf"\frac{{{p}}}{{{7 * q}}}")["equal"] is exact


@QUICK
@given(st.text(alphabet=r"0123456789xyCn+-*/^_=<>()[]{}|,;.%!' \abcdefgi$&", max_size=40))
def test_any_text_gets_one_of_three_verdicts(text):
    reply = equal_texts(text, "17", budget_s=1.0)
    assert reply["equal"] in (True, False, None)
    assert reply["route"]


def test_verdicts_do_not_depend_on_the_number_of_threads():
    source = random.Random(3)
    texts = [rf"\frac{{{source.randint(1, 9)}}}{{{source.randint(1, 9)}}}" for _ in range(12)] + [
        "x^2-1",
        "(x-1)(x+1)",
        "(1,",
    ]
    pairs = [(source.choice(texts), source.choice(texts)) for _ in range(60)]
    verifier = MathObjects()
    one = [verifier.verify(*pair) for pair in pairs]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda pair: verifier.verify(*pair), pairs)) == one
