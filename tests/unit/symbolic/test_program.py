"""Programs: what runs, what is refused, and what the author is told."""

from __future__ import annotations

import pytest
import sympy

from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.program import compare_program, program_value, run_program

ANSWERS = [
    # imports of habit, aliases, attribute access through them
    ("from sympy import *\nx, y = symbols('x y')\nanswer = solve(x**2 - 4, x)", "{-2, 2}", "list"),
    (
        "import sympy as sp\nx = sp.Symbol('x')\nprint(sp.integrate(sp.exp(-x**2), (x, -sp.oo, sp.oo)))",
        "sqrt(pi)",
        "number",
    ),
    ("import sympy\nanswer = sympy.S.Half + sympy.sqrt(2)", "1/2 + sqrt(2)", "number"),
    ("from sympy.abc import x, k\nanswer = summation(k, (k, 1, x))", "x**2/2 + x/2", "expression"),
    ("from math import sqrt, pi\nanswer = sqrt(8)*pi", "2*sqrt(2)*pi", "number"),
    ("import math\nanswer = math.comb(5, 2) + math.isqrt(17) + math.factorial(3)", "20", "number"),
    ("from fractions import Fraction\nanswer = Fraction(1, 3) + Fraction('1/6')", "1/2", "number"),
    ("from itertools import combinations\nanswer = len(list(combinations(range(5), 2)))", "10", "number"),
    ("from itertools import product\nanswer = len([p for p in product([1, 2], repeat=3)])", "8", "number"),
    ("import itertools\nanswer = itertools.accumulate([1, 2, 3])", "[1, 3, 6]", "list"),
    ("from functools import reduce\nanswer = reduce(lambda a, b: a*b, [1, 2, 3, 4])/5", "24/5", "number"),
    # paper notation, read only where the source is not Python
    ("x = symbols('x')\nanswer = solve(3x**2 - 12x, x)", "{0, 4}", "list"),
    ("x = symbols('x', real=True)\nanswer = diff(|x - 2| + 3x, x).subs(x, 5)", "4", "number"),
    # sums and products over a range with a letter
    ("n = symbols('n')\nanswer = factor(sum(k**2 for k in range(1, n + 1)))", "n*(n + 1)*(2*n + 1)/6", "expression"),
    ("n = symbols('n')\nanswer = sum([2*k for k in range(n)])", "n**2 - n", "expression"),
    ("n = symbols('n')\nanswer = prod(2 for k in range(3, n))", "2**(n - 3)", "expression"),
    # exact numbers
    ("answer = 1/3", "1/3", "number"),
    ("answer = 7//2 + 7 % 4 + 2**-1", "13/2", "number"),
    ("answer = (1 + 2j)**2", "(1 + 2*I)**2", "number"),
    ("answer = nsimplify(0.25)", "1/4", "number"),
    ("answer = S(1)/3 + Rational('0.5') + Integer('2') + sympify(1)", "23/6", "number"),
    ("answer = 5 << 2 >> 1", "10", "number"),
    ("answer = round(Rational(7, 3)) + abs(-2) + int(Rational(7, 2)) + pow(2, 5) + pow(2, 5, 7)", "43", "number"),
    ("answer = max(1, 3, 2)*10 + min([4, 5])", "34", "number"),
    ("answer = divmod(17, 5)", "(3, 2)", "tuple"),
    ("answer = len({1, 2, 2}) + sum([1, 2], 10) + sum(k**2 for k in range(4))", "29", "number"),
    # statements
    ("a = b = 3\na += 4\nb *= a\nanswer = b - a", "14", "number"),
    (
        "n: int = 27\nc = 0\nwhile n != 1:\n    n = n//2 if n % 2 == 0 else 3*n + 1\n    c += 1\nanswer = c",
        "111",
        "number",
    ),
    (
        "t = 0\nfor i in [0, 1, 2, 3, 4, 5]:\n    if i == 2: continue\n    if i == 5: break\n    t += i\nanswer = t",
        "8",
        "number",
    ),
    ("for i in [1]:\n    pass\nelse:\n    answer = 4", "4", "number"),
    ("k = 0\nwhile k < 2:\n    k += 1\nelse:\n    answer = 9", "9", "number"),
    ("k = 0\nwhile True:\n    k += 1\n    if k > 3:\n        break\n    continue\nanswer = k", "4", "number"),
    ("def f(n):\n    if n < 2:\n        return n\n    return f(n-1) + f(n-2)\nanswer = f(10)", "55", "number"),
    ("def f(a, b=2, c=3):\n    return a + 10*b + 100*c\nanswer = f(1, c=5)", "521", "number"),
    ("first, *rest = [1, 2, 3]\nanswer = (first, rest)", "(1, [2, 3])", "tuple"),
    (
        "M = zeros(2, 2)\nM[0, 1] = 5\nd = {}\nd['k' if False else 1] = 2\nanswer = M",
        "Matrix([[0, 5], [0, 0]])",
        "matrix",
    ),
    ("assert 2 + 2 == 4\nanswer = (y := 3) + y", "6", "number"),
    ('"""what it does"""\nanswer = 1', "1", "number"),
    # answers: variable, result, last expression, print
    ("result = 5", "5", "number"),
    ("ans = 6\n7", "6", "number"),
    ("x**2 - 1", "x**2 - 1", "expression"),
    ("print('the answer is', 5/2, end='')", "5/2", "number"),
    ("print(f'it is {1/3}')", "1/3", "number"),
    ("x = 1/2\ny = x + 1", "3/2", "number"),
    ("answer = e**2", "exp(2)", "number"),
    # comprehensions, lambdas, comparisons
    ("answer = [i for i in range(20) if isprime(i) if i > 5]", "[7, 11, 13, 17, 19]", "list"),
    ("answer = {k: k**2 for k in (1, 2)}", "{1: 1, 2: 4}", "dict"),
    ("answer = {i % 3 for i in range(9)}", "{0, 1, 2}", "set"),
    ("answer = [i*j for i in range(1, 3) for j in range(1, 3)]", "[1, 2, 2, 4]", "list"),
    ("answer = sorted([3, 1, 2], key=lambda v: -v)", "[3, 2, 1]", "list"),
    ("answer = list(map(lambda v: v/2, [1, 2]))[0]", "1/2", "number"),
    ("answer = list(filter(lambda v: v > 1, [1, 2, 3]))[-1]", "3", "number"),
    ("answer = [v for i, v in enumerate([5, 6], start=1) if i == 2][0]", "6", "number"),
    ("answer = list(zip([1, 2], (3, 4)))[1]", "(2, 4)", "tuple"),
    ("answer = max([3, -4], key=lambda v: v**2)", "-4", "number"),
    ("answer = 1 if 2 in [1, 2] and not 3 in (1, 2) else 0", "1", "number"),
    ("answer = any([0, 1]) and all([1, 1]) and 1 < 2 <= 2 and None is None", "True", "boolean"),
    ("answer = [1, 2, 3, 4][1:3] + [0]*2", "[2, 3, 0, 0]", "list"),
    ("answer = reversed([1, 2, 3])", "[3, 2, 1]", "list"),
    ("answer = x > 1 and x < 3", "(x > 1) & (x < 3)", "inequality"),
    ("answer = (x > 3) | (x < 1)", "(x > 3) | (x < 1)", "inequality"),
    ("answer = 0 < x < 1", "(0 < x) & (x < 1)", "inequality"),
    ("answer = ~(x > 1)", "x <= 1", "inequality"),
    # sympy objects of every kind
    ("answer = Eq(x**2, 4)", "Eq(x**2, 4)", "equation"),
    ("answer = Interval.open(1, 2)", "Interval.open(1, 2)", "interval"),
    ("answer = solveset(x**2 - 2, x, S.Reals)", "{-sqrt(2), sqrt(2)}", "set"),
    ("answer = Matrix([[1, 2], [3, 4]]).inv()", "Matrix([[-2, 1], [3/2, -1/2]])", "matrix"),
    ("answer = Matrix(2, 2, lambda i, j: i + j).det()", "-1", "number"),
    ("answer = eye(2)*Matrix([1, 2])", "Matrix([[1], [2]])", "matrix"),
    ("answer = Matrix([[2, 0], [0, 3]]).eigenvals()", "{2: 1, 3: 1}", "dict"),
    ("answer = Piecewise((x, x > 0), (-x, True))", "Piecewise((x, x > 0), (-x, True))", "expression"),
    ("answer = Lambda(x, x**2)", "Lambda(x, x**2)", "function"),
    ("def f(x):\n    return x**2 + 1\nanswer = f", "Lambda(x, x**2 + 1)", "function"),
    ("f = Function('f')\nanswer = dsolve(f(x).diff(x) - f(x), f(x))", "Eq(f(x), C1*exp(x))", "equation"),
    ("f = symbols('f', cls=Function)\nanswer = f(x)", "f(x)", "expression"),
    ("a0, a1 = symbols('a0:2', positive=True)\nanswer = sqrt(a0**2)*a1", "a0*a1", "expression"),
    ("x, y = symbols(['x', 'y'])\nanswer = x - y", "x - y", "expression"),
    ("answer = Integral(x**2, (x, 0, 1))", "1/3", "number"),
    ("answer = limit(1/x, x, 0, '+') if False else limit(sin(x)/x, x, 0, dir='-')", "1", "number"),
    ("answer = exp(x).series(x, 0, 3).removeO()", "x**2/2 + x + 1", "expression"),
    ("answer = ((x + 1)**2).expand().coeff(x, 1)", "2", "number"),
    ("answer = sin(x).rewrite(exp).has(exp)", "True", "boolean"),
    ("answer = Poly(x**2 - 1, x).all_coeffs()", "[1, 0, -1]", "list"),
    ("answer = Poly(x**2 - 1, x)", "x**2 - 1", "expression"),
    ("answer = (x**2).subs({x: 3}) + Eq(x, 2).rhs + Interval(1, 5).measure", "15", "number"),
    ("answer = list(primerange(10)) + divisors(6) + primefactors(12)", "[2, 3, 5, 7, 1, 2, 3, 6, 2, 3]", "list"),
    ("answer = crt([3, 5], [2, 3])", "(8, 15)", "tuple"),
    ("answer = perm(5, 2) + binomial(5, 2) + fibonacci(10)", "85", "number"),
    ("answer = pi.evalf(5) > 3", "True", "boolean"),
    ("answer = range(3)", "[0, 1, 2]", "list"),
    ("answer = Abs(-3) + Float(2.0)/2 > 3", "True", "boolean"),
    ("answer = [i for i in FiniteSet(2, 1)] + [j for j in Matrix([1, 2])]", "[1, 2, 1, 2]", "list"),
    ("answer = 2 in Interval(1, 3)", "True", "boolean"),
    ("answer = Point(0, 0).distance(Point(3, 4))", "5", "number"),
]


@pytest.mark.parametrize(("source", "text", "kind"), ANSWERS, ids=range(len(ANSWERS)))
def test_answer_of_a_program(source, text, kind):
    reply = run_program(source)
    assert reply.get("error") is None
    assert (reply["text"], reply["kind"]) == (text, kind)
    assert reply["latex"]


REFUSALS = [
    # what the author is told names the slip and the way out
    ("answer = slove(x)", "did you mean 'solve'"),
    ("answer = x^2", "write x**2"),
    ("answer = i + 1", "write I"),
    ("answer = 0.5*x", "exact"),
    ("answer = solve('x**2 - 1')", "without quotes"),
    ("answer = 'no solution'", "is the text"),
    ("answer = x + 'a'", "without quotes"),
    ("answer = sqrt + 1", "TypeError"),
    ("answer = len + 1", "is a function"),
    ("answer = sin(cos)", "pass cos(x), not cos"),
    ("answer = solve", "not a value"),
    ("answer = None", "None"),
    ("x = Symbol('x')", "computes nothing"),
    ("a, b = 1, 2", "computes nothing"),
    ("", "computes nothing"),
    ("answer = (", "not Python syntax"),
    ("answer = 1/0", "division by zero"),
    ("answer = Rational(1, 0)", "division by zero"),
    ("answer = 0**-1", "division by zero"),
    ("answer = Rational(0.1)", "inexact"),
    ("answer = limit(1/x, x, 0, 'up')", "direction"),
    ("answer = Symbol('a b')", "symbol name"),
    ("answer = Symbol('x', real=5)", "assumption"),
    ("answer = symbols(x)", "in quotes"),
    ("answer = symbols('a0:99')", "more than 50"),
    ("answer = symbols('')", "symbol name"),
    ("answer = Rational('pi')", "not a number"),
    ("answer = Integer(x)", "takes a number"),
    ("answer = [1][5]", "IndexError"),
    ("answer = {1: 2}[3]", "KeyError"),
    ("a, b = [1, 2, 3]", "cannot unpack 3 values into 2"),
    ("answer = range('3')", "does not take the text"),
    ("answer = range(x)", "must be an integer"),
    ("answer = [i for i in x]", "cannot loop over"),
    ("if x > 1:\n    answer = 1", "cannot tell whether"),
    ("b += 1", "before it is defined"),
    ("return 5", "outside a function"),
    ("def f(*a):\n    return 1\nanswer = f(1)", "plain parameters"),
    ("def f(a):\n    return 1\nanswer = f()", "takes 1 arguments"),
    ("def f(a):\n    return 1\nanswer = f(b=2)", "no free parameter"),
    ("@print\ndef f():\n    return 1", "decorators"),
    ("assert 1 == 2", "own assertion fails"),
    ("import os", "module 'os' is not available"),
    ("from os import system", "module 'os' is not available"),
    ("from sympy import slove", "did you mean 'sympy.solve'"),
    ("from . import x", "is not available"),
    ("answer = math.nothing(1)", "not defined"),
    ("import math\nanswer = math.nothing(1)", "not defined"),
    ("answer = open('/etc/passwd')", "'open' is not defined"),
    ("answer = x.__class__", "has no .__class__"),
    ("answer = Interval.closed(1, 2)", "has no .Interval.closed"),
    ("answer = x.subss(x, 1)", "did you mean .subs"),
    ("answer = f'{x}'", "JoinedStr is not allowed"),
    ("answer = [*'ab']", "without quotes"),
    ("answer = solve(x, **{})", "keywords are not allowed"),
    ("answer = {**{1: 2}}", "** inside a dict"),
    ("answer = solve(x, magic=1)", "keyword 'magic'"),
    ("answer = x(2)", "write * to multiply"),
    ("answer = dict(a=1)", "keyword 'a'"),
    ("answer = dict(x=1)", "dict() takes pairs"),
    ("answer = max([])", "of nothing"),
    ("print(x, file=5)", "print() takes no 'file'"),
    ("class A: pass", "ClassDef is not allowed"),
    ("with x as y: pass", "With is not allowed"),
    ("try:\n    pass\nexcept Exception:\n    pass", "Try is not allowed"),
    ("__builtins__ = 5", "cannot be assigned"),
    ("x.y = 5", "cannot assign to Attribute"),
    ("t = (1, 2)\nt[0] = 3", "only elements of a list"),
    ("answer = b'abc'", "literal"),
    ("answer = Integral(Function('g')(x), (x, 0, 1))", "unevaluated Integral"),
    ("answer = solve(x**5 - x - 1, x)[0]", "unevaluated ComplexRootOf"),
    ("answer = zoo", "undefined"),
    ("answer = series(exp(x), x, 0, 3)", "removeO"),
    ("answer = sqrt(2).evalf()", "decimal"),
    ("answer = Float(0.1)", "decimal"),
    ("answer = int('x')", "does not take the text"),
    ("answer = sympy", "not a value"),
    ("answer = Matrix([[sympy]])", ""),
    ("answer = lambda *a: 1", "plain parameters"),
]


@pytest.mark.parametrize(("source", "message"), REFUSALS, ids=range(len(REFUSALS)))
def test_refusal_names_the_slip(source, message):
    reply = run_program(source)
    assert not reply["ok"]
    assert message in reply["error"]
    assert "\n" not in reply["error"]


TOO_LARGE = [
    "answer = 9**9**9**9",
    "answer = 2**(10**12)",
    "answer = Pow(9, Pow(9, 9))",
    "answer = Rational(1, 3)**(10**8)",
    "answer = 1 << 10**9",
    "answer = 1 << -1",
    "answer = factorial(10**9)",
    "answer = binomial(10**9, 5)",
    "answer = fibonacci(10**9)",
    "answer = factorint(2**400 + 1)",
    "answer = primerange(10**9)",
    "answer = zeros(10**6, 10**6)",
    "answer = Matrix([[1, 1], [1, 0]])**(10**9)",
    "for i in range(10**9):\n    pass",
    "answer = [0]*10**9",
    "answer = 10**9*[0]",
    "answer = [i for i in S.Integers]",
    "answer = [(i, j) for i in range(200) for j in range(200)]",
    "while True:\n    pass",
    "def f(n):\n    return f(n + 1)\nanswer = f(0)",
    "(lambda f: f(f))(lambda f: f(f))",
    "a = [1]\na.append(a)\nanswer = a",
    "answer = " + "-" * 3000 + "1",
    "answer = " + "(" * 500 + "1" + ")" * 500,
    "a = 1\n" * 2000,
    "answer = 1\x00",
    "from itertools import permutations\nanswer = len(list(permutations(range(15))))",
    "answer = 10**5000",
    "x = 3\nfor i in range(200):\n    x = x*x\nanswer = x",
]


@pytest.mark.parametrize("source", TOO_LARGE, ids=range(len(TOO_LARGE)))
def test_oversized_programs_are_stopped_politely(source):
    assert not run_program(source)["ok"]


def test_error_names_the_line():
    assert run_program("x = 1\ny = 2\nz = slove(x)")["error"].startswith("line 3:")


def test_long_sums_do_not_exhaust_the_stack():
    assert run_program("answer = " + "1+" * 1900 + "1")["text"] == "1901"


def test_augmented_list_does_not_change_its_alias():
    assert run_program("a = [1]\nb = a\nb += [2]\nanswer = a")["text"] == "[1]"


def test_trivial_means_a_bare_integer_or_truth_value():
    assert run_program("answer = 7")["trivial"]
    assert run_program("answer = 1 < 2")["trivial"]
    assert not run_program("answer = Rational(7, 2)")["trivial"]


def test_two_roots_are_shown_as_a_set_not_as_an_interval():
    reply = run_program("answer = [1, 5]")
    assert reply["text"] == "{1, 5}"
    assert reply["latex"] == r"\left\{1, 5\right\}"
    assert run_program("answer = [2, 2]")["text"] == "[2, 2]"


def test_answers_too_long_to_show_are_refused():
    assert "ask for something shorter" in run_program("answer = list(range(2000))")["error"]


def test_set_iteration_does_not_depend_on_hashing():
    assert run_program("answer = [v for v in {3, 1, 2}]")["text"] == "[1, 2, 3]"


def test_program_value_is_a_sympy_object():
    assert program_value("answer = x**2") == sympy.Symbol("x") ** 2
    with pytest.raises(ProgramError):
        program_value("answer = ")


@pytest.mark.parametrize(
    ("source", "answer", "equal"),
    [
        ("answer = solve(x**2 - 4, x)", r"x = \pm 2", True),
        ("answer = integrate(2*x, x)", "x^2 + C", True),
        ("x = Symbol('x', positive=True)\nanswer = sqrt(x**2)", "x", True),
        ("answer = {x: 1, y: 2}", "(1, 2)", True),
        ("answer = [(1, 2), (3, 4)]", r"(3,4), (1,2)", True),
        ("answer = Matrix([1, 2])", "(1, 2)", True),
        ("answer = 1 < 2", "true", True),
        ("answer = Interval(0, 1)", "(0,1)", False),
        ("answer = 7", "9**9**9**9", None),
        ("answer = 7", "the answer is?", None),
    ],
)
def test_program_against_a_text(source, answer, equal):
    reply = compare_program(source, answer)
    assert reply["ok"]
    assert reply["equal"] is equal


def test_bad_program_is_not_compared():
    assert compare_program("answer = ", "1") == {"ok": False, "error": run_program("answer = ")["error"]}


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("answer = FiniteSet(1, 2, 3).difference(FiniteSet(2))", "{1, 3}"),
        ("answer = {1, 2, 3, 5}.intersect({2, 3})", "{2, 3}"),
        ("answer = Tuple(FiniteSet(1).issubset(FiniteSet(1, 2)), {1, 2}.is_subset({1}))", "(True, False)"),
    ],
)
def test_sets_understand_the_names_of_python_and_of_sympy(program, answer):
    assert run_program(program)["text"] == answer
