"""Equality of expressions: rejected by numbers, accepted only by proof.

A proof is an exact simplification of the difference to zero: as it stands, or for each sign of the
variables, or (one variable) on each interval between the points where a piece changes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import sympy
from sympy.functions.elementary.hyperbolic import HyperbolicFunction, InverseHyperbolicFunction
from sympy.functions.elementary.trigonometric import InverseTrigonometricFunction, TrigonometricFunction

from autodata_dspy.symbolic.objects import DEGREE
from autodata_dspy.symbolic.proof import numbers, probing
from autodata_dspy.symbolic.proof.budget import Budget

UNPROVED = "but no proof"  # how the route of an undecided comparison ends where numbers agree
Outcome = tuple[bool | None, str]


_UNEVALUATED = (sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit, sympy.Derivative)


_SIGNED = (sympy.Abs, sympy.sign, sympy.log, sympy.Max, sympy.Min, sympy.Piecewise, sympy.Heaviside)


_CIRCULAR = (TrigonometricFunction, HyperbolicFunction)


_STEP_S = 0.35
_LEAST = 1e-9  # a numeric integral below this may be 0


def evaluated(expression: Any, budget: Budget) -> Any:
    """The expression with integrals, sums, limits and derivatives carried out where that is possible."""
    expression = expression.xreplace({DEGREE: sympy.pi / 180})
    if not expression.has(*_UNEVALUATED):
        return expression
    with budget.attempt(1.0):
        return expression.doit()
    return expression


def equal_expressions(a: Any, b: Any, budget: Budget) -> Outcome:
    """Whether two expressions are the same function (over the reals, see `probing`), and how it was seen."""
    if a == b:
        return True, "structure"
    a, b = evaluated(a, budget), evaluated(b, budget)
    if a == b:
        return True, "evaluated"
    infinite = [v for v in (a, b) if v.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)]
    if infinite:
        undefined = any(v.has(sympy.nan, sympy.zoo) for v in infinite)
        return (None, "an undefined value") if undefined else (False, "infinite")
    if a.is_Rational and b.is_Rational:
        return False, "exact numbers"
    if not a.free_symbols and not b.free_symbols:
        return _equal_numbers(a, b, budget)
    if whole := probing.integer_symbols(a, b):
        counting = probing.counting_symbols(a, b)
        replaced = {s: sympy.Symbol(s.name, integer=True, positive=s in counting or None) for s in whole}
        a, b = (evaluated(e.xreplace(replaced), budget) for e in (a, b))
    agreed = 0
    with budget.attempt(1.2):
        different, agreed = probing.tell_apart(a, b)
        if different:
            return False, "numbers at a random point"
    return _proved(a, b, agreed, budget)


def _equal_numbers(a: Any, b: Any, budget: Budget) -> Outcome:
    difference = a - b
    if difference.has(*_UNEVALUATED):
        return _equal_by_quadrature(a, b, budget)
    with budget.attempt(0.8):
        if numbers.is_nonzero(difference, 60):
            return False, "numbers"
    if route := zero_route(difference, budget):
        return True, route
    with budget.attempt(_STEP_S):
        if difference.is_algebraic:
            t = sympy.Dummy("t")
            if sympy.minimal_polynomial(difference, t) == t:
                return True, "minimal polynomial"
    with budget.attempt(_STEP_S):
        if numbers.is_nonzero(difference):
            return False, "numbers, to many digits"
    return None, f"no difference in many digits, {UNPROVED}"


def _equal_by_quadrature(a: Any, b: Any, budget: Budget) -> Outcome:
    """Numbers that hold an integral, sum or limit without a closed form: told apart, never equal."""
    with budget.attempt(0.8):
        try:
            values = [v.evalf(15) for v in (a, b)]
        except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError):
            return None, "unevaluated"
        if all(numbers.is_real(v) for v in values):
            largest = max(map(abs, values))
            if largest > _LEAST and abs(values[0] - values[1]) > 1e-6 * largest:
                return False, "numeric integration"
    return None, "unevaluated"


def _proved(a: Any, b: Any, agreed: int, budget: Budget) -> Outcome:
    if route := zero_route(a - b, budget):
        return True, route
    if not probing.is_complex(a, b):
        a, b = probing.real_powers(a), probing.real_powers(b)
        symbols = sorted(a.free_symbols | b.free_symbols, key=lambda s: s.name)
        if len(symbols) == 1 and (a - b).has(*_SIGNED):
            from autodata_dspy.symbolic.proof.regions import equal_on_regions

            verdict, route = equal_on_regions(a, b, symbols[0], budget)
            if verdict is not None:
                return verdict, route
        if len(symbols) <= 3 and _equal_for_all_signs(a, b, symbols, budget):
            return True, "proof for each sign of the variables"
    with budget.attempt(2 * _STEP_S):
        if (a - b).equals(0):
            return True, "sympy's equals"
    return None, f"no difference at {agreed} points, {UNPROVED}" if agreed > 3 else "too few points are defined"


def zero_route(difference: Any, budget: Budget) -> str:
    """The name of the first exact simplification that turns the difference into 0; empty if none does."""
    if difference == 0:
        return "structure"
    for name, applies, simplification in _SIMPLIFICATIONS:
        if not applies(difference):
            continue
        with budget.attempt(_STEP_S):
            try:
                if simplification(difference) == 0:
                    return name
            except (TypeError, ValueError, AttributeError, NotImplementedError, ArithmeticError, RecursionError):
                continue  # this simplification does not know such expressions
    return ""


def _as_exponentials(d: Any) -> Any:
    return sympy.simplify(sympy.expand(d.rewrite(sympy.exp)))


def _logarithms(d: Any) -> Any:
    return sympy.simplify(sympy.expand_log(sympy.expand(d)))


def _is_size(value: Any) -> bool:
    bases = [factor.as_base_exp()[0] for factor in sympy.Mul.make_args(value)]
    return all(isinstance(b, sympy.Abs) or b.is_positive for b in bases)


def _logarithms_of_sizes(d: Any) -> Any:
    """ln|u/v| as ln|u| - ln|v|: true wherever both sides are defined, as sizes are positive."""
    d = d.rewrite((sympy.sec, sympy.csc, sympy.tan, sympy.cot), sympy.cos)
    return sympy.expand(
        d.replace(
            lambda e: isinstance(e, sympy.log) and _is_size(e.args[0]),
            lambda e: sympy.expand_log(sympy.log(sympy.factor(e.args[0])), force=True),
        )
    )


def _radicals(d: Any) -> Any:
    return sympy.radsimp(sympy.sqrtdenest(sympy.expand(d)))


def _has_complex_symbol(d: Any) -> bool:
    return any(s.is_real is None for s in d.free_symbols)


def _by_parts(d: Any) -> Any:
    parts = {
        s: sympy.Dummy(f"{s.name}_re", real=True) + sympy.I * sympy.Dummy(f"{s.name}_im", real=True)
        for s in d.free_symbols
        if s.is_real is None
    }
    return sympy.simplify(sympy.expand(d.xreplace(parts), complex=True))


def _has(*kinds: Any) -> Callable[[Any], bool]:
    return lambda d: bool(d.has(*kinds))


def _has_root(d: Any) -> bool:
    return any(not p.exp.is_Integer for p in d.atoms(sympy.Pow))


_SIMPLIFICATIONS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    ("expansion", lambda d: True, sympy.expand),
    ("common denominator", lambda d: True, lambda d: sympy.cancel(sympy.together(d))),
    ("logarithms of absolute values", _has(sympy.log), _logarithms_of_sizes),
    ("trigonometry", _has(*_CIRCULAR), sympy.trigsimp),
    ("radicals", _has_root, _radicals),
    ("logarithms", _has(sympy.log), _logarithms),
    ("factorials", _has(sympy.factorial, sympy.binomial, sympy.gamma), sympy.gammasimp),
    ("trigonometric expansion", _has(TrigonometricFunction), lambda d: sympy.simplify(sympy.expand_trig(d))),
    ("absolute values", _has(sympy.Max, sympy.Min), lambda d: sympy.simplify(d.rewrite(sympy.Abs))),
    ("inverse functions", _has(InverseHyperbolicFunction), lambda d: sympy.simplify(d.rewrite(sympy.log))),
    ("real and imaginary parts", _has_complex_symbol, _by_parts),
    ("exponentials", _has(*_CIRCULAR, InverseTrigonometricFunction), _as_exponentials),
    ("simplification", lambda d: True, sympy.simplify),
)


def _equal_for_all_signs(a: Any, b: Any, symbols: list[Any], budget: Budget) -> bool:
    """Prove a = b with each variable positive and negative in turn; skip where neither side is real.

    Expressions that are real nowhere, or that cannot be computed at all, are not equal by that.
    """
    proved = False
    for choice in itertools.product((1, -1), repeat=len(symbols)):
        signs = dict(zip(symbols, choice, strict=True))
        if not _defined_somewhere(a, signs) and not _defined_somewhere(b, signs):
            continue
        positive = {s: sign * sympy.Dummy(s.name, positive=True) for s, sign in signs.items()}
        difference = sympy.expand_log(a.xreplace(positive) - b.xreplace(positive))
        if not zero_route(difference, budget):
            return False
        proved = True
    return proved


def _defined_somewhere(expression: Any, signs: Any) -> bool:
    found = probing.points(list(signs), 12, signs)
    return any(numbers.is_real(numbers.exact_value(expression, point)) is not False for point in found)
