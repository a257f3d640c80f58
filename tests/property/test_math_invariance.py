"""A verdict of equality does not change with names, factors, order or notation that mean nothing."""

from __future__ import annotations

import random
import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autodata_dspy.symbolic.equality import equal_texts
from autodata_dspy.symbolic.notation.number_words import number_in_words

QUICK = settings(max_examples=25, deadline=None, derandomize=True)

integers = st.integers(-9, 9)
nonzero = integers.filter(bool)
coefficients = st.lists(integers, min_size=2, max_size=4).filter(lambda cs: any(cs[1:]))
NAMES = "abpqrstuxy"  # variables by any name: none is e, i, a constant or an index


def polynomial(cs: list[int], x: str = "x") -> str:
    return "+".join(f"({c}){x}^{{{k}}}" for k, c in enumerate(cs))


def verdict(a: str, b: str) -> bool | None:
    found = equal_texts(a, b)["equal"]
    assert equal_texts(b, a)["equal"] is found
    return found


def shuffled(items: list, source: random.Random) -> list:
    return source.sample(items, len(items))


@st.composite
def pairs(draw):
    """Two expressions in x and y, equal in half of the cases: factored and expanded, one of them perhaps changed."""
    a, b, c, d = (draw(nonzero) for _ in range(4))
    function = draw(st.sampled_from(["", r"\sin", r"\cos", r"\exp"]))
    factored = rf"({a}x+{b})({c}y+{d})+{function}(x)"
    expanded = rf"{a * c}xy+{a * d}x+({b * c})y+({b * d})+{function}(x)"
    return factored, expanded + draw(st.sampled_from(["", "", "+1", "+x", "-y^2"]))


def renamed(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\\[a-z]+|[xy]", lambda m: names.get(m[0], m[0]), text)


@QUICK
@given(pairs(), st.permutations(NAMES))
def test_variables_have_any_name(pair, names):
    mapping = dict(zip("xy", names, strict=False))
    a, b = (renamed(text, mapping) for text in pair)
    assert verdict(a, b) is verdict(*pair) is not None


@QUICK
@given(pairs(), st.permutations(NAMES))
def test_one_variable_renamed_is_another_object(pair, names):
    assume(names[0] != "x" and names[0] != "y")
    assert verdict(pair[0], renamed(pair[0], {"x": names[0]})) is False


@QUICK
@given(coefficients, st.sampled_from(["C", "K", "D", "C_1", "c_1"]), st.sampled_from(["C", "C_2", "K"]))
def test_constants_of_integration_have_any_name(cs, one, other):
    assume("C" in one.upper() or "C" in other)
    assert verdict(f"{polynomial(cs)}+{one}", f"{polynomial(cs)}+{other}") is True
    assert verdict(f"{polynomial(cs)}+{one}", f"{polynomial(cs)}+x+{other}") is False


@QUICK
@given(coefficients, integers)
def test_an_integral_is_its_antiderivative_up_to_a_constant(cs, constant):
    slope = [k * c for k, c in enumerate(cs)][1:]
    integral = rf"\int ({polynomial(slope)}) dx"
    assert verdict(integral, polynomial([0, *cs[1:]])) is True and verdict(integral, f"{polynomial(cs)}+C") is True
    # With a constant of its own it may be the one of a condition, which all of them are not.
    for particular, own in ((polynomial(cs), cs[0]), (f"{polynomial([0, *cs[1:]])}+({constant})", constant)):
        assert verdict(integral, particular) is (None if own else True)
    assert verdict(integral, f"{polynomial(cs)}+x") is False


@settings(QUICK, max_examples=10)
@given(nonzero, nonzero, st.permutations(["C_1", "C_2"]), st.permutations(["A", "B"]))
def test_constants_of_a_solution_may_be_exchanged(rate, factor, these, those):
    family = r"{}e^{{{r}x}}+{}x"
    a = family.format(*these, r=rate)
    assert verdict(a, family.format(*those, r=rate)) is True
    assert verdict(a, family.format(f"({factor}){those[0]}", those[1], r=rate)) is True
    assert verdict(a, family.format(*those, r=rate + 1)) is False


@settings(QUICK, max_examples=6)
@given(coefficients, st.permutations("jkmr"), st.permutations("stuv"))
def test_bound_variables_have_any_name(cs, index, dummy):
    for template, names in (
        (r"\sum_{{{0}=1}}^{{5}} ({1})", index),
        (r"\int_0^2 ({1}) d{0}", dummy),
        (r"\{{{0} : ({1}) > 0\}}", dummy),
        (r"f({0}) = {1}", dummy),
    ):
        a, b = (template.format(n, polynomial(cs, n)) for n in names[:2])
        if verdict(a, a) is True:
            assert verdict(a, b) is True, (a, b)


@QUICK
@given(integers, st.integers(1, 9), st.permutations("nkm"))
def test_the_integer_of_a_family_has_any_name(start, step, names):
    a, b = (rf"\frac{{{start}\pi}}{{7}}+\frac{{{step}{n}\pi}}{{7}}, {n}\in\mathbb{{Z}}" for n in names[:2])
    assert verdict(a, b) is True
    assert verdict(a, b.replace(rf"{{{start}", rf"{{{start}+\frac12", 1)) is False


@QUICK
@given(st.integers(1, 11), st.integers(2, 3), st.integers(0, 5))
def test_angles_of_all_integers_may_be_split(start, parts, extra):
    """a + n pi is the list of a + k pi + parts n pi, k below parts, and nothing less."""
    whole = rf"\frac{{{start}\pi}}{{12}}+n\pi"
    split = [rf"\frac{{{start + 12 * (k + extra)}\pi}}{{12}}+{parts}n\pi" for k in range(parts)]
    assert verdict(whole, ", ".join(split)) is True
    assert verdict(whole, ", ".join([*split[:-1], split[0]])) is not True
    assert verdict(whole, split[0]) is not True


@QUICK
@given(coefficients, coefficients, nonzero, st.booleans())
def test_equations_keep_their_solutions(left, right, factor, turned):
    f, g = (polynomial(cs) for cs in (left, right))
    equation = f"y+{f}={g}"
    sides = [f"({factor})(y+{f})", f"({factor})({g})"]
    assert verdict(equation, "=".join(sides[::-1] if turned else sides)) is True
    assert verdict(equation, f"y+{f}-({g})=0") is True
    assert verdict(equation, f"y+{f}={g}+x") is False


@QUICK
@given(nonzero, nonzero, integers, nonzero)
def test_inequalities_keep_their_solutions(a, b, c, factor):
    inequality, direction = f"({a})x+({b})y<{c}", "<" if factor > 0 else ">"
    scaled = f"({factor * a})x+({factor * b})y{direction}{factor * c}"
    assert verdict(inequality, scaled) is True
    assert verdict(inequality, scaled.replace(direction, "<>"[direction == "<"])) is False
    assert verdict(inequality, scaled.replace(direction, {"<": "<=", ">": ">="}[direction])) is False


@QUICK
@given(st.sets(integers, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_solutions_in_any_order_and_notation(values, source):
    def notations() -> list[str]:
        vs = shuffled(sorted(values), source)
        return [
            r"\{" + ", ".join(map(str, vs)) + r"\}",
            r"\{" + ", ".join(map(str, [*vs, vs[0]])) + r"\}",
            " or ".join(f"x = {v}" for v in vs),
            " and ".join(f"$x={v}$" for v in vs),
            ", ".join(f"x={v}" for v in vs),
        ]

    fewer = " or ".join(f"x = {v}" for v in sorted(values)[1:])
    for a, b in zip(notations(), shuffled(notations(), source), strict=True):
        assert verdict(a, b) is True, (a, b)
        assert verdict(a, fewer) is False, (a, fewer)


@QUICK
@given(st.lists(st.tuples(integers, integers), min_size=1, max_size=3, unique=True), st.randoms(use_true_random=False))
def test_points_keep_their_order_and_sets_of_points_do_not(points, source):
    a, b = (r"\{" + ", ".join(map(str, ps)) + r"\}" for ps in (points, shuffled(points, source)))
    assert verdict(a, b) is True
    exchanged = [(y, x) for x, y in points]
    same = set(exchanged) == set(points)
    assert verdict(a, r"\{" + ", ".join(map(str, exchanged)) + r"\}") is same


@QUICK
@given(st.lists(integers, min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_a_named_point_is_its_coordinates_in_any_order(values, source):
    names = "xyz"[: len(values)]
    named = f"({','.join(names)})=({','.join(map(str, values))})"
    listed = shuffled([f"{n}={v}" for n, v in zip(names, values, strict=True)], source)
    assert verdict(named, ", ".join(listed)) is True
    assert verdict(named, " and ".join(f"${v}$" for v in listed)) is True
    moved = [*values[1:], values[0]]
    listed = [f"{n}={v}" for n, v in zip(names, moved, strict=True)]
    assert verdict(named, ", ".join(listed)) is (moved == values)


@QUICK
@given(st.integers(1, 999), st.integers(-3, 6), st.sampled_from(["m", "g", "s", "W", "J"]))
def test_a_power_of_ten_is_its_prefix(value, power, unit):
    prefixes = {"k": 3, "m": -3, "M": 6}
    for prefix, size in prefixes.items():
        text = rf"{value}\times10^{{{power}}} {unit}"
        same = rf"{value}\cdot 10^{{{power - size}}}\text{{ {prefix}{unit}}}"
        assert verdict(text, same) is True, (text, same)
        assert verdict(text, same.replace(rf"{{{power - size}}}", rf"{{{power - size + 1}}}")) is False


@QUICK
@given(nonzero, nonzero, nonzero, nonzero)
def test_j_is_i_beside_a_real_part_only(a, b, c, d):
    same = (a, b) == (c, d)
    assert verdict(f"{a}+({b})j", f"{c}+({d})i") is same
    assert verdict(f"({b})j", f"({d})i") is not True
    assert equal_texts(f"{a}+({b})j", f"{a}+({b})i", "Write q = a + bi + cj + dk.")["equal"] is not True


ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def spelled(n: int, hyphen: str = "-", join: str = " ") -> str:
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (hyphen + ONES[n % 10] if n % 10 else "")
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if n >= size:
            head, rest = f"{spelled(n // size, hyphen, join)} {name}", n % size
            between = join if rest < 100 else " "
            return head + (between + spelled(rest, hyphen, join) if rest else "")
    raise ValueError(n)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 999_999), st.sampled_from("- "), st.sampled_from([" ", " and "]))
def test_words_are_the_number_they_spell(n, hyphen, join):
    assert number_in_words(spelled(n, hyphen, join)) == n
    assert number_in_words(f"minus {spelled(n, hyphen, join)}") == -n


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*ONES, *TENS, "hundred", "thousand", "and"]), min_size=1, max_size=6))
def test_words_in_another_order_are_no_number(words):
    """What is read as a number is spelled that way, so that no list of numbers is mistaken for one."""
    found = number_in_words(" ".join(words))
    if found is not None:
        assert re.sub(r" and ", " ", " ".join(words)) == spelled(int(found), " ")
