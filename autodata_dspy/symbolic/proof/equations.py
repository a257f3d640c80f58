"""Equality of equations (up to scaling) and of inequalities in several variables."""

from __future__ import annotations

import random
from typing import Any

import sympy
from sympy.core.relational import GreaterThan, LessThan, Relational, StrictGreaterThan, StrictLessThan

from autodata_dspy.symbolic.objects import Equation, is_expression
from autodata_dspy.symbolic.proof import numbers, probing
from autodata_dspy.symbolic.proof.budget import Budget
from autodata_dspy.symbolic.proof.proving import Outcome, equal_expressions, evaluated


def equal_equations(a: Equation, b: Equation, budget: Budget) -> Outcome:
    """Whether two equations between expressions have the same solutions.

    Accepted: the same up to sides, scaling by a constant, and denominators that cannot vanish on the
    curve. Rejected: a point that solves one and not the other. Else undecided.
    """
    if {a.left, a.right} == {b.left, b.right}:
        return True, "the same sides"
    f, g = (evaluated(e.left - e.right, budget) for e in (a, b))
    if not f.free_symbols or not g.free_symbols:
        return None, "an equation without unknowns"
    if a.left == b.left:
        equal, route = equal_expressions(a.right, b.right, budget)
        if equal:
            return True, route
    if route := _proportional(f, g, budget):
        return True, route
    if len(f.free_symbols) == 1 and f.free_symbols == g.free_symbols:
        return _by_solutions(f, g, budget)
    with budget.attempt(0.8):
        if _point_on_one_only(f, g) or _point_on_one_only(g, f):
            return False, "a point that solves one equation only"
    return None, "equations that could not be compared"


def _proportional(f: Any, g: Any, budget: Budget) -> str:
    with budget.attempt(0.5):
        ratio = sympy.cancel(sympy.together(f / g))
        if not ratio.free_symbols and ratio.is_finite and ratio.is_nonzero:
            return "a constant multiple"
    with budget.attempt(0.5):
        ratio = sympy.simplify(f / g)
        if not ratio.free_symbols and ratio.is_finite and ratio.is_nonzero:
            return "a constant multiple after simplification"
    with budget.attempt(0.6):
        if _same_numerators(f, g):
            return "the same curve without denominators"
    return ""


def _same_numerators(f: Any, g: Any) -> bool:
    """f and g vanish together: proportional numerators, and no denominator vanishes where they do."""
    (p, q), (r, s) = (sympy.fraction(sympy.cancel(sympy.together(e))) for e in (f, g))
    symbols = sorted(f.free_symbols | g.free_symbols, key=lambda v: v.name)
    if not all(e.is_polynomial(*symbols) for e in (p, q, r, s)):
        return False
    ratio = sympy.cancel(p / r)
    if ratio.free_symbols or ratio == 0:
        return False
    return all(
        not d.free_symbols or sympy.groebner([p, d], *symbols, order="grevlex").exprs == [sympy.S.One] for d in (q, s)
    )


def _by_solutions(f: Any, g: Any, budget: Budget) -> Outcome:
    """Equations in one variable: the same polynomial up to a constant was accepted already."""
    (x,) = f.free_symbols
    with budget.attempt(0.8):
        try:
            left, right = (sympy.solveset(e, x, sympy.S.Reals) for e in (f, g))
        except (NotImplementedError, ValueError, TypeError):
            return None, "equations that could not be solved"
        if all(isinstance(v, sympy.FiniteSet) or v == sympy.S.EmptySet for v in (left, right)):
            from autodata_dspy.symbolic.proof.sets import equal_sets

            equal, _ = equal_sets(left, right, budget)
            if equal is False:
                return False, "different solutions"
            return None, "the same real solutions, but one is not the other multiplied by a constant"
    return None, "equations that could not be solved"


def _point_on_one_only(f: Any, g: Any) -> bool:
    """Look for a point where f = 0 and g does not: solve f for a variable at random values of the others."""
    symbols = sorted(f.free_symbols, key=lambda s: s.name)
    source = random.Random(7)
    for unknown in symbols:
        for _ in range(3):
            point = {
                s: sympy.Rational(source.randint(-20, 20), 7) for s in f.free_symbols | g.free_symbols if s != unknown
            }
            try:
                roots = sympy.solve(f.xreplace(point), unknown)
            except (NotImplementedError, ValueError, TypeError, ArithmeticError):
                continue
            for root in roots[:4]:
                if not is_expression(root) or root.free_symbols:
                    continue
                full = {**point, unknown: root}
                on_f, on_g = numbers.exact_value(f, full), numbers.exact_value(g, full)
                if numbers.is_real(root) is not True or on_f is None or numbers.is_nonzero(on_f, 60):
                    continue
                if on_g is None or numbers.is_nonzero(on_g, 60):
                    return True
    return False


def equal_inequalities(a: Any, b: Any, budget: Budget) -> Outcome:
    """Inequalities in several variables: the same up to a positive factor and the direction of writing."""
    if not isinstance(a, Relational) or not isinstance(b, Relational):
        return (True, "structure") if a == b else (None, "combined inequalities in several variables")
    (f, strict_f), (g, strict_g) = _as_positive(a), _as_positive(b)
    if f is None or g is None:
        return None, "a relation that is no inequality"
    if strict_f == strict_g:
        with budget.attempt(0.5):
            ratio = sympy.cancel(sympy.together(f / g))
            if not ratio.free_symbols and ratio.is_positive:
                return True, "a positive multiple"
    with budget.attempt(0.8):
        for point in probing.points(sorted(f.free_symbols | g.free_symbols, key=lambda s: s.name), 40):
            u, v = (numbers.exact_value(e, point) for e in (f, g))
            if not (numbers.is_real(u) and numbers.is_real(v)):
                continue
            if numbers.order(u).is_positive != numbers.order(v).is_positive:
                return False, "a point that satisfies one only"
    if strict_f != strict_g:
        return False, "strict against weak"
    return None, "inequalities that could not be compared"


def _as_positive(relation: Any) -> tuple[Any, bool]:
    """(f, strict) with the relation meaning f > 0 or f >= 0."""
    difference = relation.lhs - relation.rhs
    if isinstance(relation, (StrictGreaterThan, GreaterThan)):
        return difference, isinstance(relation, StrictGreaterThan)
    if isinstance(relation, (StrictLessThan, LessThan)):
        return -difference, isinstance(relation, StrictLessThan)
    return None, False
