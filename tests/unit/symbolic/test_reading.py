"""What texts are read as; the notation of the grammar, one line a rule."""

from __future__ import annotations

import pytest
import sympy

from autodata_dspy.symbolic.objects import (
    DEGREE,
    Alternatives,
    Cases,
    Definition,
    Equation,
    Family,
    Group,
    Membership,
    Quantity,
    SetBuilder,
    SetOperation,
    TooHardError,
    UnreadableError,
    Words,
    over_the_reals,
    substitute,
    symbols_in,
    variable,
)
from autodata_dspy.symbolic.reading import definition_of, read

x, y, n, k, t = (variable(c) for c in "xynkt")
R = sympy.Rational

EXPRESSIONS = [
    # numbers
    ("12", 12),
    ("-3.50", R(-7, 2)),
    (".5", R(1, 2)),
    ("1,234,567.5", R(2469135, 2)),
    (r"11,\! 111,\! 100", 11111100),
    (r"12{,}345", 12345),
    ("1 000 000", 1000000),
    (r"1\,000\,000", 1000000),
    ("1.5e3", 1500),
    ("2E-2", R(1, 50)),
    (r"1.5 \times 10^{-3}", R(3, 2000)),
    (r"3\frac{1}{2}", R(7, 2)),
    (r"1\frac45", R(9, 5)),
    ("137 1/2", R(275, 2)),
    (r"0.\overline{3}", R(1, 3)),
    (r"0.1\overline{6}", R(1, 6)),
    ("50%", R(1, 2)),
    (r"12.5\%", R(1, 8)),
    ("x² + ½", x**2 + R(1, 2)),
    ("1011_2", 11),
    ("(1101)_2", 13),
    ("(0.1)_2", R(1, 2)),
    ("FF_{16}", 255),
    ("2A_{16}", 42),
    ("0x10", 16),
    ("0b110", 6),
    ("0o17", 15),
    (r"12_{\text{three}}", 5),
    ("seven", 7),
    # arithmetic
    ("2x^2y", 2 * x**2 * y),
    ("1/2x", x / 2),
    ("x+-y", x - y),
    ("2*-3", -6),
    ("-3^2", -9),
    ("2^{3^2}", 512),
    ("2^3^2", 512),
    ("2^-1", R(1, 2)),
    ("x^10", x**10),
    (r"x\cdot y \div 2", x * y / 2),
    (r"\frac12", R(1, 2)),
    (r"\frac1{23}", R(1, 23)),
    (r"\dfrac{x}{2y}", x / (2 * y)),
    (r"\sqrt{8}", 2 * sympy.sqrt(2)),
    (r"\sqrt2 x", sympy.sqrt(2) * x),
    (r"\sqrt[3]{-8}", -2),
    (r"\sqrt[4]{16}", 2),
    ("√2", sympy.sqrt(2)),
    ("sqrt(3)/2", sympy.sqrt(3) / 2),
    ("5!", 120),
    ("7!!", 105),
    (r"\binom{6}{2}", 15),
    (r"\left\lfloor 3.7 \right\rfloor + \lceil 0.2 \rceil", 4),
    ("⌊2.5⌋", 2),
    ("|x||y|", sympy.Abs(x) * sympy.Abs(y)),
    ("||x|-1|", sympy.Abs(sympy.Abs(x) - 1)),
    (r"\lvert x \rvert", sympy.Abs(x)),
    (r"\|(3,4)\|", 5),
    (r"\lVert -2 \rVert", 2),
    ("2[x+1]", 2 * x + 2),
    # functions
    (r"\sin 2x", sympy.sin(2 * x)),
    (r"\sin x\cos x", sympy.sin(x) * sympy.cos(x)),
    (r"\sin^2 x", sympy.sin(x) ** 2),
    (r"\sin^{-1} x", sympy.asin(x)),
    (r"\sin(x)^2", sympy.sin(x) ** 2),
    (r"\sin x^2", sympy.sin(x**2)),
    (r"\cos x (1+x)", sympy.cos(x) * (1 + x)),
    (r"\sin x e^{x}", sympy.sin(x) * sympy.exp(x)),
    ("sinx", sympy.sin(x)),
    ("2pi", 2 * sympy.pi),
    (r"\ln|x|", sympy.log(sympy.Abs(x))),
    (r"\log_2 8", sympy.log(8) / sympy.log(2)),
    (r"\log_28", sympy.log(8) / sympy.log(2)),
    (r"\log_{10}100", sympy.log(100) / sympy.log(10)),
    (r"\lg x", sympy.log(x) / sympy.log(10)),
    ("log(x, 2)", sympy.log(x) / sympy.log(2)),
    (r"\ln^2 x", sympy.log(x) ** 2),
    (r"\operatorname{Re}(3+4i)", 3),
    (r"\overline{2+3i}", 2 - 3 * sympy.I),
    (r"\max(x, 0)", sympy.Max(x, 0)),
    (r"\max\{1, 2\}", 2),
    (r"\gcd(12, 18) + \operatorname{lcm}(4, 6)", 18),
    ("e^{2x}", sympy.exp(2 * x)),
    (r"\mathrm{e}^{x}", sympy.exp(x)),
    (r"\sin 30^\circ", sympy.sin(30 * DEGREE)),
    ("30^\\circ 30'", R(61, 2) * DEGREE),
    (r"15° 0' 36''", R(1501, 100) * DEGREE),
    # names
    ("x_1 + x_{1}", 2 * variable("x_1")),
    ("C1", variable("C_1")),
    (r"\alpha\beta", variable("alpha") * variable("beta")),
    ("θ", variable("theta")),
    (r"\vec{v} + \mathbf{v}", variable("v_vec") + variable("v")),
    (r"\hat{p}", variable("p_hat")),
    (r"\mathbf{i}", variable("ivec")),
    (r"\hat{i}", variable("ivec")),
    ("xy", x * y),
    (r"\angle ABC", variable("angle ABC")),
    ("f(2)", sympy.Function("f")(2)),
    # calculus, unevaluated
    (r"\int_0^1 x^2\,dx", sympy.Integral(x**2, (x, 0, 1))),
    (r"\int_1^2 dx", sympy.Integral(1, (x, 1, 2))),
    (r"\sum_{k=1}^{n} k", sympy.Sum(k, (k, 1, n))),
    (r"\sum_{i=1}^{3} i + 1", sympy.Sum(variable("i"), (variable("i"), 1, 3)) + 1),
    (r"\prod_{k=1}^n k", sympy.Product(k, (k, 1, n))),
    (r"\lim_{x \to 0^+} \frac{1}{x}", sympy.Limit(1 / x, x, 0, "+")),
    (r"\lim_{x \to 1^{-}} x", sympy.Limit(x, x, 1, "-")),
    (r"\lim_{x \to -2} x", sympy.Limit(x, x, -2, "+-")),
    (r"\lim_{x\to\infty} e^{-x}", sympy.Limit(sympy.exp(-x), x, sympy.oo)),
    (r"\frac{d}{dx} x^3", sympy.Derivative(x**3, x)),
    (r"\frac{d^2}{dx^2} x^3", sympy.Derivative(x**3, (x, 2))),
    (r"\frac{dy}{dx}", variable("dy/dx")),
    # presentation
    (r"$\boxed{x}$", x),
    (r"\[ x \]", x),
    (r"\displaystyle \left( x \right) .", x),
    (r"**x**", x),
    ("x.", x),
    ("x\\ ", x),
    (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", -2),
    (r"\det\begin{pmatrix}1&2\\3&4\end{pmatrix}", -2),
    (r"\left|\begin{array}{ll}1&2\\3&4\end{array}\right|", -2),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_expression(text, expected):
    assert read(text)[0] == sympy.sympify(expected)


CM = (("m", 1),)
OBJECTS = [
    ("(1, 2)", Group("(", ")", (1, 2))),
    ("[0, 1)", Group("[", ")", (0, 1))),
    (r"\{1, 2\}", Group("{", "}", (1, 2))),
    ("{1, 2}", Group("{", "}", (1, 2))),
    ("1, 2", Group("", "", (1, 2))),
    ("1 and 2", Group("", "", (1, 2))),
    (r"\langle 1, 2 \rangle", Group("<", ">", (1, 2))),
    ("2(1, 2)", Group("(", ")", (2, 4))),
    ("(1,2) + (3,4)", Group("(", ")", (4, 6))),
    ("(2,4)/2", Group("(", ")", (1, 2))),
    (r"\pm 2", Group("", "", (2, -2))),
    (r"1 \pm 2, 5", Group("", "", (3, -1, 5))),
    (r"x \pm y \mp 1", Group("", "", (x + y - 1, x - y + 1))),
    ("x = 5", Equation(x, 5)),
    ("x is 5", Equation(x, 5)),
    ("x := 5", Equation(x, 5)),
    ("1 = x = 2", Equation(1, (x, 2))),
    (r"\text{Area} = 5", Equation(Words("Area"), 5)),
    ("(x, y) = (1, 2)", Equation(Group("(", ")", (x, y)), Group("(", ")", (1, 2)))),
    ("f(x) = x^2", Definition("f", (x,), x**2)),
    ("g^{-1}(x) = 2x", Definition("g^-1", (x,), 2 * x)),
    ("f'(x) = 2x", Definition("f'", (x,), 2 * x)),
    (r"x \mapsto x^2", Definition("", (x,), x**2)),
    ("x > 2", sympy.Gt(x, 2)),
    (r"2 \le x", sympy.Le(2, x, evaluate=False)),
    ("x != 2", sympy.Ne(x, 2)),
    ("1 < x <= 3", sympy.And(sympy.Lt(1, x, evaluate=False), sympy.Le(x, 3))),
    ("x > 0 and x < 1", sympy.And(x > 0, x < 1)),
    ("x < 0 or x > 1", Alternatives((x < 0, x > 1))),
    (r"x = 1 \text{ or } x = 2", Alternatives((Equation(x, 1), Equation(x, 2)))),
    (r"x \in \mathbb{R}", Membership(x, sympy.S.Reals)),
    (r"\mathbb{R}^+", sympy.Interval.open(0, sympy.oo)),
    (r"\mathbb{R}^*", sympy.Union(sympy.Interval.open(-sympy.oo, 0), sympy.Interval.open(0, sympy.oo))),
    (r"\mathbb{Z}^{+}", sympy.S.Naturals),
    (r"\mathbb{N}_0", sympy.S.Naturals0),
    (r"\{x \mid x > 2\}", SetBuilder(x, x > 2)),
    (r"\{x : x \ne 0\}", SetBuilder(x, sympy.Ne(x, 0))),
    (r"[0,1] \cup [2,3]", SetOperation("union", Group("[", "]", (0, 1)), Group("[", "]", (2, 3)))),
    (r"\{1\} \times \{2\}", SetOperation("product", Group("{", "}", (1,)), Group("{", "}", (2,)))),
    (r"n\pi, n \in \mathbb{Z}", Family((n * sympy.pi,), n, sympy.S.Integers)),
    (r"\{2k \mid k \in \mathbb{Z}\}", Family((2 * k,), k, sympy.S.Integers)),
    (r"x^2 + C, C \in \mathbb{R}", x**2 + variable("C")),
    (r"5\text{ cm}", Quantity(5, R(1, 100), CM)),
    (r"-\$3", Quantity(-3, 1, (("USD", 1),))),
    (r"\$1.5 \text{ million}", Quantity(1500000, 1, (("USD", 1),))),
    ("20€", Quantity(20, 1, (("EUR", 1),))),
    (r"5 \text{ apples}", Quantity(5, 1, (("apples", 1),))),
    (r"20^\circ\text{C}", Quantity(20, 1, (("celsius", 1),))),
    (r"\begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}", Cases(((x, x > 0), (0, None)))),
    (r"\begin{cases} 1, & \text{if } x = 0 \\ 2 \end{cases}", Cases(((1, Equation(x, 0)), (2, None)))),
    (r"\begin{aligned} x &= 1 \\ y &= 2 \end{aligned}", Group("", "", (Equation(x, 1), Equation(y, 2)))),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}^T", sympy.ImmutableMatrix([[1, 3], [2, 4]])),
    (r"\left[\begin{array}{cc}1 & 2\end{array}\right]", sympy.ImmutableMatrix([[1, 2]])),
    (r"\text{(B)}", Words("B")),
    ("no solution", sympy.S.EmptySet),
    ("all real numbers", sympy.S.Reals),
    ("The solution is: 5", sympy.Integer(5)),
    ("yes", Words("yes")),
]


@pytest.mark.parametrize(("text", "expected"), OBJECTS, ids=range(len(OBJECTS)))
def test_object(text, expected):
    assert read(text)[0] == expected


SYMPY = [
    ("Eq(y, 3*x - 2)", Equation(y, 3 * x - 2)),
    ("Interval.open(1, 2)", sympy.Interval.open(1, 2)),
    ("FiniteSet(1, 2)", Group("{", "}", (1, 2))),
    ("Union(Interval(0, 1), FiniteSet(3))", SetOperation("union", sympy.Interval(0, 1), Group("{", "}", (3,)))),
    ("Matrix([[1, 2], [3, 4]])", sympy.ImmutableMatrix([[1, 2], [3, 4]])),
    ("Rational(1, 3)*sqrt(2)", sympy.sqrt(2) / 3),
    ("x**2 + 0.1", x**2 + R(1, 10)),
    ("0.333333333333333333333*x**2", R("0.333333333333333333333") * x**2),
    ("exp(I*pi)", sympy.S.NegativeOne),
    ("e**x", sympy.exp(x)),
    ("2**x^2", 2 ** (x**2)),
    ("Lambda(x, x**2)", Definition("", (x,), x**2)),
    ("Piecewise((x, x > 0), (-x, True))", Cases(((x, x > 0), (-x, None)))),
    ("{x: 1, y: 2}", Group("", "", (Equation(x, 1), Equation(y, 2)))),
    ("[(1, 2), (sqrt(4), 3)]", Group("[", "]", (Group("(", ")", (1, 2)), Group("(", ")", (2, 3))))),
    ("ImageSet(Lambda(n, 2*n*pi), Integers)", Family((2 * n * sympy.pi,), n, sympy.S.Integers)),
    ("Or(Eq(x, 1), Eq(x, 2))", Alternatives((Equation(x, 1), Equation(x, 2)))),
    ("And(x > 1, x < 2)", sympy.And(x > 1, x < 2)),
    ("And(Eq(x, 1), Eq(y, 2))", Group("", "", (Equation(x, 1), Equation(y, 2)))),
    ("Ne(x, 1)", sympy.Ne(x, 1)),
    ("gamma**2 + beta", variable("gamma") ** 2 + variable("beta")),
    ("Eq(f(x), C1*exp(x))", Equation(sympy.Function("f")(x), variable("C_1") * sympy.exp(x))),
    ("S.Reals", sympy.S.Reals),
    ("oo", sympy.oo),
    ("Tuple(1, 2)", Group("(", ")", (1, 2))),
    ("sqrt(4) > 1", Words("true")),
]


@pytest.mark.parametrize(("text", "expected"), SYMPY, ids=range(len(SYMPY)))
def test_sympy_syntax(text, expected):
    assert read(text)[0] == expected


UNREADABLE = [
    "",
    "   ",
    "$$",
    "x +",
    r"\frac{1}",
    r"\sqrt",
    "(1, 2",
    "(1,2]]",
    "1 2",
    "x,,y",
    "(,1)",
    r"\foo{3}",
    "5 @ 3",
    "a = b < c",
    r"\begin{pmatrix}1&2\\3\end{pmatrix}",
    r"\begin{pmatrix}1",
    r"\begin{foo}1\end{foo}",
    r"\begin{cases}\end{cases}",
    r"\begin{vmatrix}1&2\end{vmatrix}",
    r"\int x",
    r"\sum k",
    r"\sum_{k} k",
    r"\lim x",
    r"\lim_{x} x",
    r"\lim_{3 \to 0} x",
    "12_1",
    "19_8",
    "5_x",
    r"\mathbb{P}",
    r"\mathbb{Z}^3",
    r"0.\overline{x}",
    "1/0",
    "(0, 1, 2]",
    r"x \in",
    r"x \le \{1\}",
    "(1,2)(3,4)",
    "(1,2) + 3",
    r"\{1, 2\} + 1",
    r"\overline{(1,2)}",
    r"|(1,2)|",
    r"\max",
    r"\max(\{1\})",
    r"\{x \mid\}",
    r"\binom{1}",
    r"\lfloor 2",
    r"\lvert 2",
    r"\sin",
    r"\sin_2 x",
    "x^",
    "f()",
    r"(x+1) \mapsto 2",
    r"x = \text{ cm}^",
    r"\text{or}",
    "2^{1,2}",
    r"\begin{aligned}\end{aligned}",
    r"\begin{pmatrix}x=1\end{pmatrix}",
    r"5 \text{ cm } < 6",
    "Eq(x",
    "solve(x",
    "Interval(1)",
    "Rational(1, 0)",
    "Piecewise(5)",
    "x**",
    "__import__('os')",
    "x.__class__",
    "[i for i in x**2]",
    "S('1+1')",
    "Union()",
    r"\hat{x+1}",
    r"\Vert 2",
    r"x^{\circ",
    r"\frac{d}{dx}",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable(text):
    with pytest.raises(UnreadableError):
        read(text)


TOO_HARD = [
    "9^{9^{9^9}}",
    "9**9**9**9",
    "1000000000!",
    "factorial(10**9)",
    r"\binom{100000}{50}",
    "1e99999",
    "(" * 60 + "1" + ")" * 60,
    r"\sqrt{" * 60 + "1" + "}" * 60,
    "1" * 500,
    "x" * 2001,
    "1\x002",
    "\u202e5",
    "nan",
    "zoo",
    "oo - oo",
    r"\pm 1" * 5,
    "-" * 20 + "1",
    ",".join("1" * 300),
    r"\frac{d^{5000}}{dx^{5000}} x",
    r"\begin{pmatrix}" + "1&" * 150 + r"1\end{pmatrix}",
    "(" * 1500 + "1",
    "x**2 + 1e-999999999",
    "7!!!",
]


@pytest.mark.parametrize("text", TOO_HARD, ids=range(len(TOO_HARD)))
def test_too_hard(text):
    with pytest.raises((TooHardError, UnreadableError)):
        read(text)


def test_control_characters_do_not_join_numbers():
    with pytest.raises(UnreadableError):
        read("5\x1b6")
    assert read("5\u200b")[0] == 5


def test_ambiguous_texts_have_several_readings():
    assert len(read("5 m")) == 2
    assert read("2*I") == [2 * sympy.I, 2 * variable("I")]
    assert read("70 mm")[0] == Quantity(70, R(1, 1000), CM)


def test_sequence_is_a_function_of_its_index():
    assert definition_of(Equation(variable("a_n"), 2**n)) == Definition("a", (n,), 2**n)
    assert definition_of(Equation(variable("a_n"), sympy.Integer(2))) == Equation(variable("a_n"), 2)


def test_z_is_complex_until_nothing_asks_for_it():
    z = variable("z")
    assert over_the_reals((z**2,)) == (sympy.Symbol("z", real=True) ** 2,)
    assert over_the_reals((sympy.conjugate(z),)) == (sympy.conjugate(z),)


def test_substitution_reaches_every_kind():
    objects = (
        Group("(", ")", (x, Equation(x, y))),
        Quantity(x, 1, CM),
        Definition("f", (x,), x),
        Words("x"),
        sympy.ImmutableMatrix([[x]]),
    )
    replaced = substitute(objects, {x: t})
    assert x not in symbols_in(replaced)
    assert replaced[3] == Words("x")
