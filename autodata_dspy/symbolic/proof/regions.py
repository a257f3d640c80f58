"""Equality in one real variable, interval by interval between the points where a piece changes."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.relational import Relational

from autodata_dspy.symbolic.objects import is_expression
from autodata_dspy.symbolic.proof import numbers
from autodata_dspy.symbolic.proof.budget import Budget

_MAX_BREAKS = 12


def equal_on_regions(a: Any, b: Any, x: Any, budget: Budget) -> tuple[bool | None, str]:
    """Compare a and b on every open interval and at every point where |…|, max, a case or a log changes."""
    breaks = break_points(sympy.Tuple(a, b), x, budget)
    if breaks is None:
        return None, "the pieces have no exact borders"
    for point in breaks:
        verdict = _equal_at(a, b, x, point, budget)
        if verdict is not True:
            return verdict, f"the value at {x} = {sympy.sstr(point)}"
    proved = False
    for low, high in zip([-sympy.oo, *breaks], [*breaks, sympy.oo], strict=True):
        if not _defined_between(a, b, x, low, high):
            continue
        verdict = _equal_between(a, b, x, low, high, budget)
        if verdict is not True:
            return verdict, f"between {sympy.sstr(low)} and {sympy.sstr(high)}"
        proved = True
    return (True, "proof on each interval") if proved else (None, "defined nowhere")


def break_points(expressions: Any, x: Any, budget: Budget) -> list[Any] | None:
    """Where the sign of an argument can change, sorted; None if it cannot be found exactly."""
    arguments = [node.args[0] for node in expressions.atoms(sympy.Abs, sympy.sign, sympy.log, sympy.Heaviside)]
    bounded = (sympy.asin, sympy.acos, sympy.asec, sympy.acsc, sympy.acosh, sympy.atanh, sympy.acoth, sympy.asech)
    arguments += [node.args[0] + one for node in expressions.atoms(*bounded) for one in (1, -1)]
    arguments += [r.lhs - r.rhs for r in expressions.atoms(Relational)]
    arguments += [
        p.base for p in expressions.atoms(sympy.Pow) if not (p.exp.is_Integer and p.exp > 0) and p.base != sympy.E
    ]
    for node in expressions.atoms(sympy.Max, sympy.Min):
        arguments += [u - v for i, u in enumerate(node.args) for v in node.args[i + 1 :]]
    found: set[Any] = set()
    for argument in arguments:
        if not argument.free_symbols:
            continue
        if argument.free_symbols != {x}:
            return None
        roots: Any = None
        with budget.attempt(0.4):
            roots = sympy.solveset(argument, x, sympy.S.Reals)
        if not isinstance(roots, sympy.FiniteSet) and roots != sympy.S.EmptySet:
            return None
        found |= set(roots)
    if len(found) > _MAX_BREAKS or not all(r.is_real and r.is_number for r in found):
        return None
    return sorted(found, key=numbers.order)


def _equal_at(a: Any, b: Any, x: Any, point: Any, budget: Budget) -> bool | None:
    from autodata_dspy.symbolic.proof.proving import zero_route

    values = [_exact_value(e, x, point) for e in (a, b)]
    if values[0] is None or values[1] is None:
        return values[0] is values[1]
    if values[0] == values[1]:
        return True
    if numbers.is_nonzero(values[0] - values[1]):
        return False
    return True if zero_route(values[0] - values[1], budget) else None


def _exact_value(expression: Any, x: Any, point: Any) -> Any:
    """The value at a point, None where it is undefined or not real."""
    try:
        found = expression.subs(x, point)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not is_expression(found) or found.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.Piecewise):
        return None
    return None if numbers.is_real(found) is False else found


def _equal_between(a: Any, b: Any, x: Any, low: Any, high: Any, budget: Budget) -> bool | None:
    from autodata_dspy.symbolic.proof.proving import zero_route

    samples = _samples(low, high)
    values = [(numbers.exact_value(a, {x: s}), numbers.exact_value(b, {x: s})) for s in samples]
    real = [(numbers.is_real(u), numbers.is_real(v)) for u, v in values]
    if any({*pair} == {True, False} for pair in real):
        return False
    if any(False not in r and numbers.is_nonzero(u - v, 250) for r, (u, v) in zip(real, values, strict=True)):
        return False
    difference = _resolved(a, x, samples[0]) - _resolved(b, x, samples[0])
    if zero_route(difference, budget):
        return True
    t = sympy.Dummy("t", positive=True)
    return True if zero_route(sympy.expand_log(difference.xreplace({x: _inside(low, high, t)})), budget) else None


def _defined_between(a: Any, b: Any, x: Any, low: Any, high: Any) -> bool:
    values = [numbers.exact_value(e, {x: s}) for s in _samples(low, high) for e in (a, b)]
    return any(numbers.is_real(v) is not False for v in values)


def between(breaks: list[Any]) -> list[Any]:
    """One point of every open interval that the break points leave."""
    return [_samples(low, high)[0] for low, high in zip([-sympy.oo, *breaks], [*breaks, sympy.oo], strict=True)]


def _samples(low: Any, high: Any) -> list[Any]:
    offsets = [sympy.Rational(3, 7), sympy.Rational(17, 11), sympy.Rational(83, 13)]
    return [_inside(low, high, t) for t in offsets]


def _inside(low: Any, high: Any, t: Any) -> Any:
    """A point of the interval for every t > 0."""
    if low == -sympy.oo and high == sympy.oo:
        return t - 1 / t
    if low == -sympy.oo:
        return high - t
    if high == sympy.oo:
        return low + t
    return (low + high * t) / (1 + t)


def _resolved(expression: Any, x: Any, sample: Any) -> Any:
    """The expression as it reads on the interval around `sample`, where no argument changes its sign."""

    def at(value: Any) -> Any:
        return value.xreplace({x: sample})

    expression = expression.replace(
        lambda e: isinstance(e, sympy.Piecewise),
        lambda e: next((v for v, c in e.args if c == sympy.true or at(c) == sympy.true), sympy.nan),
    )
    expression = expression.replace(
        lambda e: isinstance(e, (sympy.Max, sympy.Min)),
        lambda e: (max if isinstance(e, sympy.Max) else min)(e.args, key=lambda v: numbers.order(at(v))),
    )
    signed = lambda e: isinstance(e, (sympy.Abs, sympy.sign, sympy.Heaviside)) and bool(e.free_symbols)  # noqa: E731

    def by_sign(e: Any) -> Any:
        positive = at(e.args[0]).evalf() > 0
        if isinstance(e, sympy.Abs):
            return e.args[0] if positive else -e.args[0]
        if isinstance(e, sympy.sign):
            return sympy.S.One if positive else sympy.S.NegativeOne
        return sympy.S.One if positive else sympy.S.Zero

    return expression.replace(signed, by_sign)
