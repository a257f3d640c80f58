"""Families with an integer parameter: n pi, n in Z.

Two families are equal when each member of one is a member of the other; the name of the parameter
does not matter.
"""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.objects import DEGREE, Family, is_expression
from autodata_dspy.symbolic.proof.budget import Budget
from autodata_dspy.symbolic.proof.proving import Outcome, equal_expressions, zero_route

_INTEGER_NAMES = frozenset("nkmjl")


_MAX_RESIDUES = 60


_DOMAINS = (sympy.S.Integers, sympy.S.Naturals, sympy.S.Naturals0)


def equal_families(a: Family, b: Family, budget: Budget) -> Outcome:
    """Equality of sets {f(n) : n in domain}: linear ones exactly, others up to a shift of n."""
    if a.domain != b.domain:
        return (False, "different ranges of the parameter") if a.domain in _DOMAINS and b.domain in _DOMAINS else (
            None, "unknown ranges of the parameter")  # fmt: skip
    n = sympy.Symbol("n", integer=True)
    f, g = ([e.xreplace({fam.parameter: n, DEGREE: sympy.pi / 180}) for e in fam.items] for fam in (a, b))
    if a.domain == sympy.S.Integers:
        left, right = _progressions(f, n), _progressions(g, n)
        if left is not None and right is not None:
            return _equal_progressions(left, right, budget)
    if len(f) != len(g):
        return None, "families of another shape"
    shifts = range(-2, 3) if a.domain == sympy.S.Integers else (0,)
    for direction in (1, -1) if a.domain == sympy.S.Integers else (1,):
        for shift in shifts:
            moved = [e.subs(n, direction * n + shift) for e in g]
            if all(any(equal_expressions(u, v, budget)[0] for v in moved) for u in f):
                return True, "the parameter renamed"
    return None, "families that are not linear in their parameter"


def as_family(value: Any) -> Family | None:
    """`n pi` beside a family means n in Z: expressions in one letter that usually counts."""
    items = value if isinstance(value, list) else [value]
    if not items or not all(is_expression(v) for v in items):
        return None
    items = [v.xreplace({DEGREE: sympy.pi / 180}) for v in items]
    symbols = {s for v in items for s in v.free_symbols}
    if len(symbols) != 1 or not all(v.free_symbols for v in items):
        return None
    (parameter,) = symbols
    return Family(tuple(items), parameter, sympy.S.Integers) if parameter.name in _INTEGER_NAMES else None


def turns(value: Any) -> Family | None:
    """`pi/4 + n pi/2` by itself, as a family: angles that repeat by a rational multiple of pi; None for anything else.

    Without n in Z it may also be one angle for a given n, so that two single ones are not equal by this, and
    n pi, 2n pi may be two lengths.
    """
    family = as_family(value)
    found = _progressions(list(family.items), family.parameter) if family else None
    if not found or not all((step / sympy.pi).is_Rational for _, step in found):
        return None
    return family if len(found) == 1 or any(start != 0 for start, _ in found) else None


def _progressions(expressions: list[Any], n: Any) -> list[tuple[Any, Any]] | None:
    """(start, step) of each a + b n with b > 0; None if one is not linear with a numeric step."""
    found = []
    for e in expressions:
        expanded = sympy.expand(e)
        step = expanded.coeff(n, 1)
        start = sympy.expand(expanded - step * n)
        if start.has(n) or step == 0 or step.free_symbols or not step.is_real:
            return None
        found.append((start, step if step.is_positive else -step))
    return found


def _equal_progressions(left: Any, right: Any, budget: Budget) -> Outcome:
    unit = left[0][1]
    ratios = [sympy.simplify(step / unit) for _, step in [*left, *right]]
    if not all(r.is_Rational for r in ratios):
        irrational = any(r.is_irrational for r in ratios)
        return (False, "steps without a common period") if irrational else (None, "steps of an unknown ratio")
    scale = sympy.ilcm(1, *(r.q for r in ratios))
    period = unit * sympy.Rational(sympy.ilcm(1, *(int(r * scale) for r in ratios)), scale)
    residues = [_residues(side, period) for side in (left, right)]
    if residues[0] is None or residues[1] is None:
        return None, "too many residues"
    missing = _unmatched(residues[0], residues[1], period, budget), _unmatched(residues[1], residues[0], period, budget)
    if None in missing:
        return None, "starts that could not be compared"
    return (not any(missing), "residues modulo the common period")


def _residues(side: Any, period: Any) -> list[Any] | None:
    found = []
    for start, step in side:
        count = sympy.simplify(period / step)
        if not count.is_Integer or count > _MAX_RESIDUES:
            return None
        found += [start + k * step for k in range(int(count))]
    return found


def _unmatched(these: list[Any], those: list[Any], period: Any, budget: Budget) -> bool | None:
    """Whether a residue of `these` is missing in `those`; None if that could not be decided."""
    for u in these:
        verdicts = [_congruent(u, v, period, budget) for v in those]
        if True not in verdicts:
            return None if None in verdicts else True
    return False


def _congruent(u: Any, v: Any, period: Any, budget: Budget) -> bool | None:
    quotient = sympy.simplify((u - v) / period)
    if quotient.is_Rational:
        return bool(quotient.is_Integer)
    if quotient.is_number:
        value = quotient.evalf(30)
        if not value.is_real or abs(value - sympy.Integer(round(float(value)))) > 1e-15:
            return False
        return True if zero_route(quotient - sympy.Integer(round(float(value))), budget) else None
    return False if quotient.free_symbols else None
