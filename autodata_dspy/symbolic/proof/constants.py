"""Families with arbitrary constants: x^2 + C, C_1 e^x + C_2 e^-x.

Constants are known by their names, unless the question uses the letter; two families are equal when
each member of one is a member of the other.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import sympy
from sympy.functions.elementary.trigonometric import TrigonometricFunction

from autodata_dspy.symbolic.proof import numbers, probing
from autodata_dspy.symbolic.proof.budget import Budget
from autodata_dspy.symbolic.proof.proving import Outcome, equal_expressions, evaluated, zero_route
from autodata_dspy.symbolic.proof.regions import between, break_points

_CERTAIN = re.compile(r"C|[Cc]_\d{1,2}|C'")


_POSSIBLE = re.compile(r"C|[CcKABDk]|[CcKABDka]_\d{1,2}|phi|delta|C'")


_USUAL = "xtyszur"  # letters that are more likely the variable than a parameter, in this order


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
    outcome: Outcome | None = None
    for u, v in itertools.product(_antiderivatives(a, budget), _antiderivatives(b, budget)):
        outcome = _equal_families(u, v, budget, taken)
        if outcome is None or outcome[0]:
            break
    return outcome


def _antiderivatives(expression: Any, budget: Budget) -> list[Any]:
    """The expression with its indefinite integrals carried out; two where ln|u| does as well as ln u.

    None of an integral that has no closed form, or whose limits make it one function and not a family.
    """
    integrals = expression.atoms(sympy.Integral)
    if not integrals:
        return [expression]
    if any(len(bounds) > 1 for node in integrals for bounds in node.limits):
        return []
    found = evaluated(expression, budget)
    if found.has(sympy.Integral):
        return []
    sized = found.replace(lambda e: isinstance(e, sympy.log), lambda e: sympy.log(sympy.Abs(e.args[0])))
    if sized == found or len(integrals) > 1:
        return [found]
    (integral,) = integrals
    slope = _slope(sized, integral.variables[0])
    rest = sympy.diff(expression.xreplace({integral: sympy.S.Zero}), integral.variables[0])
    is_one = rest == 0 and expression.coeff(integral) == 1 and equal_expressions(slope, integral.function, budget)[0]
    return [found, sized] if is_one else [found]


def _equal_families(a: Any, b: Any, budget: Budget, taken: frozenset[str]) -> Outcome | None:
    a, b = _phase_expanded(a, taken), _phase_expanded(b, taken)
    own_a, own_b = constants_of(a, False, taken), constants_of(b, False, taken)
    # A letter like k on both sides is a parameter; C and C_1 are arbitrary wherever they stand.
    parameters = {s for s in own_a & own_b if not _CERTAIN.fullmatch(s.name)}
    own_a, own_b = own_a - parameters, own_b - parameters
    variables = a.free_symbols - own_a
    if not variables or variables != b.free_symbols - own_b:
        return None
    if not _same_domain(a, b, own_a | own_b):
        return False, "defined elsewhere"
    a, own_a = _apart(a, own_a, "p")
    b, own_b = _apart(b, own_b, "q")
    if not own_a or not own_b:
        return _one_constant_missing(a, b, own_a | own_b, budget)
    left, right = _linear(a, own_a), _linear(b, own_b)
    if left is None or right is None:
        return None, "constants that do not occur linearly"
    return _equal_spans(left, right, sorted(variables, key=lambda s: s.name), budget)


def _same_domain(a: Any, b: Any, constants: set[Any]) -> bool:
    """Whether both are real at the same random points: ln x + C is not ln|x| + C."""
    if probing.is_complex(a, b):
        return True
    a, b = (probing.real_powers(e.xreplace(dict.fromkeys(constants, sympy.S.One))) for e in (a, b))
    symbols = sorted(a.free_symbols | b.free_symbols, key=lambda s: s.name)
    found = ((numbers.is_real(numbers.exact_value(e, p)) for e in (a, b)) for p in probing.points(symbols))
    return all({*pair} != {True, False} for pair in found)


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
    outcome = _is_constant(difference - slope * constant, budget)
    without = b if constant in a.free_symbols else a
    if outcome[0] and without.as_coeff_Add()[0] != 0:  # x^2 + 5 is one of them, of a condition or bounds, and not all
        return None, "a particular constant against an arbitrary one"
    return outcome


def _is_constant(difference: Any, budget: Budget) -> Outcome:
    """Whether an expression in the remaining variables is a constant: 0, or with slope 0 everywhere."""
    if zero_route(difference, budget):
        return True, "constant of integration"
    for s in difference.free_symbols:
        equal, route = equal_expressions(_slope(difference, s), sympy.S.Zero, budget)
        if equal is not True:
            return equal, route
    values = _values(difference, budget)
    if values is None:
        return None, "a difference whose jumps are unknown"
    if len(values) < 2:
        return None, "a difference that is nowhere defined"
    if any(numbers.is_nonzero(v - values[0], 60) for v in values[1:]):
        return False, "not a constant"
    return True, "a constant difference"


def _slope(expression: Any, variable: Any) -> Any:
    found = sympy.diff(expression, variable)
    return found.replace(lambda e: isinstance(e, sympy.sign), lambda e: e.args[0] / sympy.Abs(e.args[0]))


def _values(expression: Any, budget: Budget) -> list[Any] | None:
    """Values of an expression of slope 0: one at least between any two points where it can jump.

    None if those points cannot be found; for a periodic expression random points do, there is a jump near each.
    """
    symbols = sorted(expression.free_symbols, key=lambda s: s.name)
    points = list(probing.points(symbols, 16))
    if len(symbols) == 1:
        (x,) = symbols
        breaks = break_points(sympy.Tuple(expression), x, budget)
        if breaks is None and not expression.has(TrigonometricFunction):
            return None
        points += [{x: v} for v in between(breaks or [])]
    found = [numbers.exact_value(expression, p) for p in points]
    return [v for v in found if numbers.is_real(v) is not False]


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
        if any(c.free_symbols for c in coefficients):  # Cxy and Cx/y: is y a variable, or part of C?
            return None, "a factor that depends on another letter"
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
