"""Families of solutions: an integer parameter (n pi), or arbitrary constants (C_1 e^x + C_2 e^-x).

Two families are equal when each member of one is a member of the other; names of parameters and
constants do not matter.
"""

from __future__ import annotations

import re
from typing import Any

import sympy

from autodata_dspy.symbolic.budget import Budget
from autodata_dspy.symbolic.objects import Family
from autodata_dspy.symbolic.proving import Outcome, equal_expressions, zero_route

_CERTAIN = re.compile(r"C|[Cc]_\d{1,2}|C'")
_POSSIBLE = re.compile(r"C|[CcKABDk]|[CcKABDka]_\d{1,2}|phi|delta|C'")
_INTEGER_NAMES = frozenset("nkmjl")
_MAX_RESIDUES = 60
_USUAL = "xtyszur"  # letters that are more likely the variable than a parameter, in this order


def equal_families(a: Family, b: Family, budget: Budget) -> Outcome:
    """Equality of sets {f(n) : n in domain}: linear ones exactly, others up to a shift of n."""
    if a.domain != b.domain:
        return (False, "different ranges of the parameter") if a.domain in _DOMAINS and b.domain in _DOMAINS else (
            None, "unknown ranges of the parameter")  # fmt: skip
    n = sympy.Symbol("n", integer=True)
    f, g = ([e.xreplace({fam.parameter: n}) for e in fam.items] for fam in (a, b))
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


_DOMAINS = (sympy.S.Integers, sympy.S.Naturals, sympy.S.Naturals0)


def as_family(expression: Any) -> Family | None:
    """`n pi` beside a family means n in Z: an expression in one letter that usually counts."""
    if isinstance(expression, sympy.Expr) and len(expression.free_symbols) == 1:
        (parameter,) = expression.free_symbols
        if parameter.name in _INTEGER_NAMES:
            return Family((expression,), parameter, sympy.S.Integers)
    return None


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
    ratios = [sympy.nsimplify(sympy.simplify(step / unit), rational=False) for _, step in [*left, *right]]
    if not all(r.is_Rational for r in ratios):
        return False, "steps without a common period"
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


# Arbitrary constants


def constants_of(expression: Any, certain: bool, taken: frozenset[str]) -> set[Any]:
    """Symbols that denote arbitrary constants by their name, unless the question uses that name."""
    pattern = _CERTAIN if certain else _POSSIBLE
    return {s for s in expression.free_symbols if pattern.fullmatch(s.name) and s.name not in taken}


def equal_up_to_constants(a: Any, b: Any, budget: Budget, taken: frozenset[str] = frozenset()) -> Outcome | None:
    """Equality of expressions with arbitrary constants; None if neither has any.

    A missing constant of integration is forgiven: x^2 + C equals x^2.
    """
    if not (constants_of(a, True, taken) or constants_of(b, True, taken)):
        return None
    a, b = _phase_expanded(a, taken), _phase_expanded(b, taken)
    own_a, own_b = constants_of(a, False, taken), constants_of(b, False, taken)
    shared_variables = (a.free_symbols - own_a) & (b.free_symbols - own_b)
    if not shared_variables:
        return None
    a, own_a = _apart(a, own_a, "p")
    b, own_b = _apart(b, own_b, "q")
    if not own_a or not own_b:
        return _one_constant_missing(a, b, own_a | own_b, budget)
    left, right = _linear(a, own_a), _linear(b, own_b)
    if left is None or right is None:
        return None, "constants that do not occur linearly"
    return _equal_spans(left, right, sorted(shared_variables, key=lambda s: s.name), budget)


def _apart(expression: Any, constants: set[Any], prefix: str) -> tuple[Any, set[Any]]:
    names = {s: sympy.Dummy(f"{prefix}{i}", real=True) for i, s in enumerate(sorted(constants, key=lambda s: s.name))}
    return expression.xreplace(names), set(names.values())


def _phase_expanded(expression: Any, taken: frozenset[str]) -> Any:
    """A sin(x + phi) as u sin x + v cos x, when A and phi are constants that occur nowhere else."""
    constants = constants_of(expression, False, taken)
    for node in expression.atoms(sympy.sin, sympy.cos):
        for phase in (s for s in node.free_symbols & constants if sympy.diff(node.args[0], s) in (1, -1)):
            factor = expression.coeff(node)
            if factor not in constants or (expression - factor * node).free_symbols & {factor, phase}:
                continue
            angle = node.args[0].subs(phase, 0)
            u, v = sympy.Symbol("C_91", real=True), sympy.Symbol("C_92", real=True)
            return expression - factor * node + u * sympy.sin(angle) + v * sympy.cos(angle)
    return expression


def _one_constant_missing(a: Any, b: Any, constants: set[Any], budget: Budget) -> Outcome:
    if len(constants) != 1:
        return False, "several constants against none"
    (constant,) = constants
    difference = sympy.expand(a - b)
    slope = sympy.diff(difference, constant)
    if slope.free_symbols or slope == 0:
        return None, "a constant that is not added"
    return _is_constant(difference - slope * constant, budget)


def _is_constant(difference: Any, budget: Budget) -> Outcome:
    """Whether an expression in the remaining variables is a constant: 0, or with slope 0 everywhere."""
    if zero_route(difference, budget):
        return True, "constant of integration"
    for s in difference.free_symbols:
        equal, route = equal_expressions(_slope(difference, s), sympy.S.Zero, budget)
        if equal is not True:
            return equal, route
    values = [v for v in _values(difference) if v is not None]
    if len(values) < 2 or any(abs(v - values[0]) > 1e-15 for v in values):
        return (False, "not a constant") if len(values) >= 2 else (None, "a difference that is nowhere defined")
    return True, "a constant difference"


def _slope(expression: Any, variable: Any) -> Any:
    found = sympy.diff(expression, variable)
    return found.replace(lambda e: isinstance(e, sympy.sign), lambda e: e.args[0] / sympy.Abs(e.args[0]))


def _values(expression: Any) -> list[Any]:
    from autodata_dspy.symbolic import probing

    symbols = sorted(expression.free_symbols, key=lambda s: s.name)
    found = [probing.value_at(expression, p, 25) for p in probing.points(symbols, set())]
    return [v if probing.is_real_value(v) else None for v in found]


def _linear(expression: Any, constants: set[Any]) -> tuple[Any, list[Any]] | None:
    """(particular, [basis functions]) of p + c_1 b_1 + …; None if a constant occurs otherwise."""
    expanded = sympy.expand(sympy.expand_trig(expression) if expression.has(sympy.sin, sympy.cos) else expression)
    basis = [sympy.diff(expanded, c) for c in sorted(constants, key=lambda s: s.name)]
    if any(b.free_symbols & constants for b in basis):
        return None
    return expanded.xreplace(dict.fromkeys(constants, sympy.S.Zero)), basis


def _equal_spans(left: Any, right: Any, variables: list[Any], budget: Budget) -> Outcome:
    (p, these), (q, those) = left, right
    outcomes = [_in_span(b, those, variables, budget) for b in these]
    outcomes += [_in_span(b, these, variables, budget) for b in those]
    outcomes.append(_in_span(p - q, those, variables, budget))
    verdicts = [equal for equal, _ in outcomes]
    if False in verdicts:
        return False, "a member of one family only"
    if None in verdicts:
        return None, next(route for equal, route in outcomes if equal is None)
    return True, "the same span"


def _in_span(function: Any, basis: list[Any], variables: list[Any], budget: Budget) -> Outcome:
    """Whether a function is a combination of basis functions with constant coefficients."""
    if zero_route(function, budget):
        return True, "zero"
    x = min(variables, key=lambda s: (_USUAL.find(s.name) % 100, s.name))
    if all(not b.free_symbols for b in basis):  # only an added constant: the slope decides
        return _is_constant(function, budget)
    rest = function
    with budget.attempt(0.8):
        coefficients = _coefficients(function, basis, x)
        if coefficients is None:
            return None, "no independent points"
        rest = function - sum(c * b for c, b in zip(coefficients, basis, strict=True))
    return equal_expressions(rest, sympy.S.Zero, budget)


def _coefficients(function: Any, basis: list[Any], x: Any) -> Any:
    """Coefficients that make the combination agree with the function at as many points as basis functions."""
    circular = function.has(sympy.sin, sympy.cos) or any(b.has(sympy.sin, sympy.cos) for b in basis)
    angles = [sympy.pi / 2, sympy.pi / 4, sympy.pi / 3] if circular else []
    rows: list[list[Any]] = []
    values: list[Any] = []
    for point in [sympy.S.Zero, *angles, *map(sympy.Integer, (1, -1, 2, 3, -2, 5))]:
        row = [sympy.expand(b.subs(x, point)) for b in basis]
        value = sympy.expand(function.subs(x, point))
        if any(v.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, x) for v in [*row, value]):
            continue
        if sympy.Matrix([*rows, row]).rank() == len(rows) + 1:
            rows.append(row)
            values.append(value)
        if len(rows) == len(basis):
            return [_tidy(c) for c in sympy.Matrix(rows).LUsolve(sympy.Matrix(values))]
    if not rows:
        return None
    # Fewer independent rows than functions: the basis is redundant (C_1 + C_2), keep a maximal part of it.
    pivots = sympy.Matrix(rows).rref()[1]
    part = sympy.Matrix(rows).extract(list(range(len(rows))), list(pivots))
    solved = part.LUsolve(sympy.Matrix(values)) if part.is_square else None
    if solved is None:
        return None
    found = [sympy.S.Zero] * len(basis)
    for column, value in zip(pivots, solved, strict=True):
        found[column] = _tidy(value)
    return found


def _tidy(coefficient: Any) -> Any:
    return sympy.simplify(coefficient.rewrite(sympy.exp) if coefficient.has(sympy.sinh, sympy.cosh) else coefficient)
