"""Objects read as sets of real (or complex) numbers, and the equality of such sets.

`(1, 2)`, `1 < x < 2` and `Interval.open(1, 2)` become the same sympy set; two sets are equal when
their pieces have provably equal ends of the same kind.
"""

from __future__ import annotations

import functools
from typing import Any

import sympy
from sympy.logic.boolalg import And, Boolean, BooleanFalse, BooleanTrue, Not, Or

from autodata_dspy.symbolic.objects import (
    Alternatives,
    Equation,
    Group,
    Membership,
    SetBuilder,
    SetOperation,
    UnreadableError,
    is_expression,
    symbols_in,
)
from autodata_dspy.symbolic.proof.budget import Budget
from autodata_dspy.symbolic.proof.numbers import order
from autodata_dspy.symbolic.proof.proving import Outcome, equal_expressions

_MIRRORED: dict[Any, Any] = {sympy.Lt: sympy.Gt, sympy.Gt: sympy.Lt, sympy.Le: sympy.Ge, sympy.Ge: sympy.Le}


_INTERVALS = {"()": (True, True), "[]": (False, False), "(]": (True, False), "[)": (False, True)}


def is_set_like(value: Any) -> bool:
    """Whether the object can only be a set of numbers (an inequality, an interval, a set expression)."""
    if isinstance(value, Membership):
        return isinstance(value.element, sympy.Symbol)
    if isinstance(value, Alternatives):
        return all(is_set_like(v) for v in value.items) or any(is_inequality(v) for v in value.items)
    if isinstance(value, Group):
        return value.is_mixed
    return isinstance(value, (SetOperation, SetBuilder, sympy.Set)) or is_inequality(value)


def is_inequality(value: Any) -> bool:
    return isinstance(value, Boolean) and not isinstance(value, (sympy.Symbol, BooleanTrue, BooleanFalse))


def to_set(value: Any, budget: Budget) -> sympy.Set:
    """The object as a sympy set.

    Raises:
        UnreadableError: it does not denote a set of numbers.
    """
    if isinstance(value, sympy.Set):
        return value
    if isinstance(value, Group):
        return _bracket_set(value, budget)
    if isinstance(value, Membership):
        return to_set(value.of, budget)
    if isinstance(value, SetBuilder):
        return _built_set(value, budget)
    if isinstance(value, SetOperation):
        return _operated(value, budget)
    if isinstance(value, Alternatives):
        return sympy.Union(*(to_set(v, budget) for v in value.items))
    if isinstance(value, Equation) and isinstance(value.left, sympy.Symbol) and is_expression(value.right):
        return sympy.FiniteSet(value.right)
    if is_inequality(value):
        return solution_set(value, budget)
    if is_expression(value):
        return sympy.FiniteSet(value)
    raise UnreadableError("this object is no set")


def _bracket_set(value: Group, budget: Budget) -> sympy.Set:
    shape = value.opening + value.closing
    if shape in ("{}", ""):
        return sympy.FiniteSet(*(element(v, budget) for v in value.items))
    if shape in _INTERVALS and len(value.items) == 2 and all(is_expression(v) for v in value.items):
        low: Any = value.items[0]
        high: Any = value.items[1]
        if not all(v.is_extended_real for v in (low, high)):
            raise UnreadableError("an interval with ends that are not real")
        if (high - low).is_negative:
            raise UnreadableError("an interval whose ends are in the wrong order")
        left_open, right_open = _INTERVALS[shape]
        return sympy.Interval(low, high, left_open, right_open)
    raise UnreadableError("a bracket that is no set of numbers")


def element(value: Any, budget: Budget) -> Any:
    """An element of a finite set: an expression, a point, or a set."""
    if is_expression(value):
        return value
    if isinstance(value, Equation) and isinstance(value.left, sympy.Symbol) and is_expression(value.right):
        return value.right
    if isinstance(value, Group) and value.is_sequence:
        return sympy.Tuple(*(element(v, budget) for v in value.items))
    if isinstance(value, (Group, sympy.Set)) and not (isinstance(value, Group) and value.opening == "["):
        return to_set(value, budget)
    if isinstance(value, sympy.MatrixBase):
        return sympy.ImmutableMatrix(value)
    raise UnreadableError("an element that is no number or point")


def _operated(value: SetOperation, budget: Budget) -> sympy.Set:
    left, right = to_set(value.left, budget), to_set(value.right, budget)
    if value.operation == "union":
        return sympy.Union(left, right)
    if value.operation == "intersection":
        return sympy.Intersection(left, right)
    if value.operation == "difference":
        return sympy.Complement(left, right)
    found = sympy.ProductSet(left, right)
    if found.is_FiniteSet is not True and isinstance(left, sympy.FiniteSet) and isinstance(right, sympy.FiniteSet):
        if len(left) * len(right) > 400:
            raise UnreadableError("a product of more than 400 pairs")
        return sympy.FiniteSet(*(sympy.Tuple(u, v) for u in left for v in right))
    return found


def _built_set(value: SetBuilder, budget: Budget) -> sympy.Set:
    conditions = value.condition if isinstance(value.condition, tuple) else (value.condition,)
    if not isinstance(value.variable, sympy.Symbol):
        raise UnreadableError("a set builder over an expression")
    parts = [_condition_set(c, value.variable, budget) for c in conditions]
    return functools.reduce(sympy.Intersection, parts)


def _condition_set(condition: Any, variable: Any, budget: Budget) -> sympy.Set:
    if isinstance(condition, Equation):
        found = solutions(condition.left - condition.right, variable, budget)
        if found is None:
            raise UnreadableError("the condition of a set cannot be solved")
        return found
    if isinstance(condition, Membership) and condition.element != variable:
        raise UnreadableError("the condition is about another variable")
    return to_set(condition, budget)


def solutions(expression: Any, variable: Any, budget: Budget) -> sympy.Set | None:
    """The finite real solution set of expression = 0, or None if it is not found."""
    if not is_expression(expression) or expression.free_symbols != {variable}:
        return None
    found: Any = None
    with budget.attempt(0.8):
        try:
            found = sympy.solveset(expression, variable, sympy.S.Reals)
        except (NotImplementedError, ValueError, TypeError):
            return None
    return found if isinstance(found, sympy.FiniteSet) or found == sympy.S.EmptySet else None


def solution_set(condition: Any, budget: Budget) -> sympy.Set:
    """The reals that satisfy an inequality (or a combination) in one variable.

    Raises:
        UnreadableError: it has more variables, or cannot be solved.
    """
    symbols = symbols_in(condition)
    if len(symbols) != 1:
        raise UnreadableError("inequalities in several variables are compared as they stand")
    if isinstance(condition, (And, Or)):
        parts = [_or_all(part, budget) for part in condition.args]
        return functools.reduce(sympy.Intersection if isinstance(condition, And) else sympy.Union, parts)
    if isinstance(condition, Not):
        return sympy.Complement(sympy.S.Reals, _or_all(condition.args[0], budget))
    (x,) = symbols
    if (plain := _solved_form(condition, x)) is not None:
        return plain
    found: Any = None
    with budget.attempt(1.0):
        try:
            if isinstance(condition, sympy.Ne):
                roots = sympy.solveset(condition.lhs - condition.rhs, x, sympy.S.Reals)
                found = sympy.Complement(sympy.S.Reals, roots)
            else:
                found = sympy.solve_univariate_inequality(condition, x, relational=False)
        except (NotImplementedError, ValueError, TypeError, AttributeError, RecursionError):
            found = None
    if not isinstance(found, sympy.Set):
        raise UnreadableError("this inequality cannot be solved")
    return found


def _or_all(condition: Any, budget: Budget) -> sympy.Set:
    if isinstance(condition, BooleanTrue):
        return sympy.S.Reals
    if isinstance(condition, BooleanFalse):
        return sympy.S.EmptySet
    return solution_set(condition, budget)


def _solved_form(condition: Any, x: Any) -> sympy.Set | None:
    """x < 3 and the like need no solver."""
    left, right, kind = condition.lhs, condition.rhs, type(condition)
    if right == x and not left.free_symbols:
        left, right, kind = right, left, _MIRRORED.get(kind, kind)
    if left != x or right.free_symbols or not right.is_extended_real:
        return None
    low, high = -sympy.oo, sympy.oo
    if issubclass(kind, sympy.core.relational.StrictLessThan):
        return sympy.Interval.open(low, right)
    if issubclass(kind, sympy.core.relational.LessThan):
        return sympy.Interval(low, right)
    if issubclass(kind, sympy.core.relational.StrictGreaterThan):
        return sympy.Interval.open(right, high)
    if issubclass(kind, sympy.core.relational.GreaterThan):
        return sympy.Interval(right, high)
    if issubclass(kind, sympy.core.relational.Unequality):
        return sympy.Union(sympy.Interval.open(low, right), sympy.Interval.open(right, high))
    return None


def equal_sets(a: sympy.Set, b: sympy.Set, budget: Budget) -> Outcome:
    """Whether two sets are equal, piece by piece."""
    if a == b:
        return True, "the same set"
    for finite, other in ((a, b), (b, a)):
        if isinstance(finite, sympy.FiniteSet) and isinstance(other, sympy.Interval):
            return False, "single values against an interval"
    left, right = _pieces(a), _pieces(b)
    if left is None or right is None:
        return _by_difference(a, b, budget)
    if len(left) != len(right):
        return False, f"{len(left)} pieces against {len(right)}"
    if any(u[2:] != v[2:] for u, v in zip(left, right, strict=True)):
        return False, "an end belongs to one set only"
    ends = [(p, q) for u, v in zip(left, right, strict=True) for p, q in zip(u[:2], v[:2], strict=True)]
    outcomes = [equal_expressions(p, q, budget) for p, q in ends]
    verdicts = [equal for equal, _ in outcomes]
    if False in verdicts:
        return False, "different ends"
    return (None, outcomes[verdicts.index(None)][1]) if None in verdicts else (True, "equal pieces")


def _pieces(found: sympy.Set) -> list[tuple[Any, Any, bool, bool]] | None:
    """(low, high, low is open, high is open) of each interval or point, in order; None for other sets."""
    parts = found.args if isinstance(found, sympy.Union) else (found,)
    pieces: list[tuple[Any, Any, bool, bool]] = []
    for part in parts:
        if isinstance(part, sympy.Interval):
            pieces.append((part.start, part.end, bool(part.left_open), bool(part.right_open)))
        elif isinstance(part, sympy.FiniteSet) and all(is_expression(v) for v in part):
            pieces += [(v, v, False, False) for v in part]
        elif part == sympy.S.EmptySet:
            continue
        else:
            return None
    numbers = [p[0] for p in pieces] + [p[1] for p in pieces]
    if not all(n.is_extended_real and not n.free_symbols for n in numbers):
        return None
    return sorted(pieces, key=lambda p: (order(p[0]), order(p[1])))


def _by_difference(a: sympy.Set, b: sympy.Set, budget: Budget) -> Outcome:
    if isinstance(a, sympy.Interval) and isinstance(b, sympy.Interval):  # symbolic ends
        if (a.left_open, a.right_open) != (b.left_open, b.right_open):
            return False, "an end belongs to one set only"
        ends = [equal_expressions(u, v, budget)[0] for u, v in ((a.start, b.start), (a.end, b.end))]
        return (False if False in ends else None if None in ends else True), "ends"
    with budget.attempt(0.6):
        try:
            rest = sympy.Union(sympy.Complement(a, b), sympy.Complement(b, a))
        except (TypeError, ValueError, NotImplementedError, AttributeError):
            return None, "sets that cannot be subtracted"
        if rest == sympy.S.EmptySet:
            return True, "empty difference"
        if not rest.free_symbols and False in (a.is_subset(b), b.is_subset(a)):
            return False, "not a subset"
        if isinstance(rest, (sympy.Interval, sympy.FiniteSet)) and not rest.free_symbols:
            return False, "a difference that is not empty"
    return None, "sets that cannot be compared"
