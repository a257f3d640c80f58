"""Numbers at random points: enough to tell two expressions apart, never to call them equal.

Over the reals an expression is defined where its value is real: ln(x^2) and 2 ln(x) differ at
x = -1, ln(x^3) and 3 ln(x) do not. With an imaginary unit, a conjugate or a complex variable in
sight, values are compared as complex numbers.
"""

from __future__ import annotations

import random
from typing import Any

import sympy

from autodata_dspy.symbolic.proof.numbers import exact_value, is_nonzero, is_real

_N_POINTS = 9
_N_NEAR = 4  # index of the last point near the origin
_FAR = (2, -3, 3, -2, 4)  # powers of ten
_PROBING_DIGITS = 250


_COMPLEX_FUNCTIONS = (sympy.I, sympy.conjugate, sympy.re, sympy.im, sympy.arg)


def is_complex(*expressions: Any) -> bool:
    """Whether values are to be compared as complex numbers."""
    return any(e.has(*_COMPLEX_FUNCTIONS) or any(s.is_real is None for s in e.free_symbols) for e in expressions)


def integer_symbols(*expressions: Any) -> set[Any]:
    """Symbols that only make sense at whole numbers: exponents of a negative base, and `counting_symbols`."""
    found = counting_symbols(*expressions)
    for expression in expressions:
        found |= {s for node in expression.atoms(sympy.Pow) if node.base.is_negative for s in node.exp.free_symbols}
    return found


def counting_symbols(*expressions: Any) -> set[Any]:
    """Symbols that only make sense at 1, 2, 3, …: limits of sums, arguments of factorials."""
    found: set[Any] = set()
    for expression in expressions:
        for node in expression.atoms(sympy.Sum, sympy.Product):
            for bounds in node.limits:
                found |= {s for b in bounds[1:] for s in b.free_symbols}
        for node in expression.atoms(sympy.factorial, sympy.binomial, sympy.factorial2):
            found |= node.free_symbols
    return found


def points(symbols: list[Any], n_points: int = _N_POINTS, signs: dict[Any, int] | None = None) -> Any:
    """Substitutions at seeded random rational points; the first two are positive, the third negative.

    From the sixth on sizes run from thousandths to ten thousands: what happens far out is seen as well.
    """
    source = random.Random(20_260_101)
    for k in range(n_points):
        point = {}
        for s in symbols:
            negative = k == 2 or (k > 2 and source.random() < 0.5)
            sign = signs[s] if signs else (-1 if negative else 1)
            if s.is_integer:
                point[s] = sympy.Integer(source.randint(1, 4 + k)) * (1 if s.is_positive else sign)
                continue
            size = sympy.Rational(source.randint(3, 40), source.choice((7, 11, 13)))
            if k > _N_NEAR:
                size *= sympy.Integer(10) ** _FAR[(k + source.randrange(2)) % len(_FAR)]
            point[s] = sign * size
            if s.is_real is None and not signs:
                point[s] += sympy.I * sympy.Rational(source.randint(1, 20), 7)
        yield point


def tell_apart(a: Any, b: Any) -> tuple[bool, int]:
    """(different, number of points at which both were defined and no difference was seen).

    Over the reals a point where exactly one side is defined tells them apart too.
    """
    symbols = sorted(a.free_symbols | b.free_symbols, key=lambda s: s.name)
    over_complex = is_complex(a, b)
    if not over_complex:
        a, b = real_powers(a), real_powers(b)
    agreed = 0
    for point in points(symbols):
        left, right = exact_value(a, point), exact_value(b, point)
        if over_complex:
            if left is None or right is None:
                continue
        else:
            real = is_real(left), is_real(right)
            if real[0] is False and real[1] is False:
                continue
            if False in real:
                if None in real:
                    continue
                return True, agreed
        if is_nonzero(left - right, _PROBING_DIGITS):
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
