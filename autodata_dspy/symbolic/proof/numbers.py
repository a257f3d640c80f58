"""Is a number certainly not 0, certainly real? By sympy's evaluation with a known error, never by a fixed distance.

Numbers of any size are told apart: e^-100 from e^-101, pi from its first 40 digits. What stays
indistinguishable from 0 up to the highest precision is unknown here, and left to a proof.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.evalf import PrecisionExhausted

from autodata_dspy.symbolic.objects import is_expression

_PRECISIONS = (60, 250, 1200)  # digits of working precision, tried in turn
_DIGITS = 12
_AGREEMENT = sympy.Float("1e-6")
_REAL = sympy.Float("1e-25")  # size of an imaginary part that is taken for rounding, relative to the value
_FAILURES = (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError, RecursionError)


def exact_value(expression: Any, point: dict[Any, Any]) -> Any:
    """The expression at a point, sums and cases carried out; None where that is impossible or undefined."""
    try:
        found = expression.xreplace(point)
        if found.has(sympy.Sum, sympy.Product, sympy.Derivative, sympy.Piecewise):
            found = found.doit()
    except _FAILURES:
        return None
    if not is_expression(found) or found.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.Piecewise):
        return None
    return found


def is_nonzero(number: Any, most_digits: int = _PRECISIONS[-1]) -> bool:
    """Whether a number is certainly not 0. False means: it is 0, or no precision up to `most_digits` tells.

    Two evaluations must agree, as sympy takes some functions of an inexact argument for exact.
    """
    if number.is_Rational:
        return bool(number != 0)
    for digits in (d for d in _PRECISIONS if d <= most_digits):
        first = _known(number, _DIGITS, digits)
        if first is None:
            continue
        if first == 0:
            return False
        second = _known(number, 2 * _DIGITS, digits + 40)
        if second is not None and abs(first - second) <= _AGREEMENT * abs(first):
            return True
    return False


def _known(number: Any, correct: int, digits: int) -> Any:
    """The value with this many correct digits; None if that takes more than `digits` of working precision."""
    try:
        found = number.evalf(correct, maxn=digits, strict=True)
    except (PrecisionExhausted, *_FAILURES):
        return None
    return found if _is_finite(found) else None


def _is_finite(value: Any) -> bool:
    if not is_expression(value) or value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        return False
    return all(part.is_Number for part in value.as_real_imag())


def is_real(number: Any) -> bool | None:
    """Whether a number is defined and real; None where it cannot be told from 0 (a real number, but perhaps not)."""
    if number is None:
        return False
    if number.is_Rational:
        return True
    try:
        found = number.evalf(30, maxn=_PRECISIONS[0], strict=True)
    except PrecisionExhausted:
        return None
    except _FAILURES:
        return False
    if not _is_finite(found):
        return False
    real, imaginary = found.as_real_imag()
    return bool(abs(imaginary) <= _REAL * abs(real))


def order(number: Any) -> Any:
    """A key to sort real numbers by their size, fine enough for numbers that a float cannot tell apart."""
    return number.evalf(60)
