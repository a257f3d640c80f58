"""Numbers at random points: enough to tell two expressions apart, never to call them equal.

Over the reals an expression is defined where its value is real: ln(x^2) and 2 ln(x) differ at
x = -1, ln(x^3) and 3 ln(x) do not. With an imaginary unit, a conjugate or a complex variable in
sight, values are compared as complex numbers.
"""

from __future__ import annotations

import random
from typing import Any

import sympy

from autodata_dspy.symbolic.objects import is_expression

_DIGITS = 40


_APART = sympy.Float("1e-25")  # relative distance at which two 40-digit values are different


_N_POINTS = 7


_COMPLEX_FUNCTIONS = (sympy.I, sympy.conjugate, sympy.re, sympy.im, sympy.arg)


def is_complex(*expressions: Any) -> bool:
    """Whether values are to be compared as complex numbers."""
    return any(e.has(*_COMPLEX_FUNCTIONS) or any(s.is_real is None for s in e.free_symbols) for e in expressions)


def integer_symbols(*expressions: Any) -> set[Any]:
    """Symbols that only make sense at whole numbers: limits of sums, arguments of factorials."""
    found: set[Any] = set()
    for expression in expressions:
        for node in expression.atoms(sympy.Sum, sympy.Product):
            for bounds in node.limits:
                found |= {s for b in bounds[1:] for s in b.free_symbols}
        for node in expression.atoms(sympy.factorial, sympy.binomial, sympy.factorial2):
            found |= node.free_symbols
        found |= {s for node in expression.atoms(sympy.Pow) if node.base.is_negative for s in node.exp.free_symbols}
    return found


def points(symbols: list[Any], whole: set[Any], n_points: int = _N_POINTS, signs: dict[Any, int] | None = None) -> Any:
    """Substitutions at seeded random rational points; the first two are positive, the third negative."""
    source = random.Random(20_260_101)
    for k in range(n_points):
        point = {}
        for s in symbols:
            if s in whole:
                point[s] = sympy.Integer(source.randint(1, 4 + k))
                continue
            size = sympy.Rational(source.randint(3, 40), source.choice((7, 11, 13)))
            negative = k == 2 or (k > 2 and source.random() < 0.5)
            sign = signs[s] if signs else (-1 if negative else 1)
            point[s] = sign * size
            if s.is_real is None and not signs:
                point[s] += sympy.I * sympy.Rational(source.randint(1, 20), 7)
        yield point


def value_at(expression: Any, point: dict[Any, Any], digits: int = _DIGITS) -> Any:
    """The value as a sympy number, or None where it is undefined or cannot be computed."""
    try:
        found = expression.xreplace(point)
        if found.has(sympy.Sum, sympy.Product, sympy.Derivative, sympy.Piecewise):
            found = found.doit()
        found = found.evalf(digits)
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError, RecursionError):
        return None
    if not is_expression(found) or found.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        return None
    real, imaginary = found.as_real_imag()
    return found if real.is_Number and imaginary.is_Number else None


def is_real_value(value: Any) -> bool:
    if value is None:
        return False
    real, imaginary = value.as_real_imag()
    return bool(abs(imaginary) <= _APART * max(1, abs(real)))


def differ(a: Any, b: Any) -> bool:
    """Whether two computed values are certainly different."""
    scale = max(sympy.S.One, abs(a), abs(b))
    return bool(abs(a - b) > _APART * scale)


def tell_apart(a: Any, b: Any, whole: set[Any] | None = None) -> tuple[bool, int]:
    """(different, number of points at which both were defined and agreed).

    Over the reals a point where exactly one side is defined tells them apart too.
    """
    symbols = sorted(a.free_symbols | b.free_symbols, key=lambda s: s.name)
    over_complex = is_complex(a, b)
    integers = integer_symbols(a, b) | (whole or set())
    if not over_complex:
        a, b = real_powers(a), real_powers(b)
    agreed = 0
    for point in points(symbols, integers):
        left, right = value_at(a, point), value_at(b, point)
        if over_complex:
            if left is None or right is None:
                continue
        else:
            defined = is_real_value(left), is_real_value(right)
            if defined[0] != defined[1]:
                return True, agreed
            if not defined[0]:
                continue
        if differ(left, right):
            return True, agreed
        agreed += 1
    return False, agreed


def real_powers(expression: Any) -> Any:
    """x^(p/q) with odd q as the real root, which is defined for negative x as well."""

    def is_odd_root(node: Any) -> bool:
        if not isinstance(node, sympy.Pow) or not isinstance(node.exp, sympy.Rational):
            return False
        return node.exp.q % 2 == 1 and node.exp.q > 1 and bool(node.base.free_symbols) and not node.base.is_nonnegative

    def real_root(node: Any) -> Any:
        size = sympy.Abs(node.base) ** node.exp
        return size if node.exp.p % 2 == 0 else sympy.sign(node.base) * size

    return expression.replace(is_odd_root, real_root) if expression.has(sympy.Pow) else expression
