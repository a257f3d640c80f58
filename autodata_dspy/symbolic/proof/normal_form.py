"""The plainest form of an object, and what it can be read as."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from autodata_dspy.symbolic.objects import (
    Cases,
    Equation,
    Family,
    Group,
    SetOperation,
    UnreadableError,
    Words,
    is_expression,
    substitute,
)
from autodata_dspy.symbolic.proof.proving import Outcome


def piecewise(value: Cases) -> Any:
    branches = []
    for result, condition in value.branches:
        if isinstance(condition, Equation):
            condition = sympy.Eq(condition.left, condition.right)
        if condition is None:
            condition = sympy.true
        if not is_expression(result) or not isinstance(condition, sympy.logic.boolalg.Boolean):
            raise UnreadableError("a piecewise definition with pieces that are no expressions")
        branches.append((result, condition))
    return sympy.Piecewise(*branches)


def united_family(value: SetOperation) -> Family | None:
    found = [united_family(p) if isinstance(p, SetOperation) else p for p in (value.left, value.right)]
    if value.operation != "union" or not all(isinstance(p, Family) for p in found):
        return None
    first: Any = found[0]
    second: Any = found[1]
    if first.domain != second.domain:
        return None
    moved = tuple(substitute(e, {second.parameter: first.parameter}) for e in second.items)
    return Family((*first.items, *moved), first.parameter, first.domain)


def is_label(value: Any) -> bool:
    """Whether the left side of an equation merely names its right side."""
    if isinstance(value, AppliedUndef):  # f(x), f(2), but not f(x/20)
        return all(isinstance(v, (sympy.Symbol, sympy.Number)) for v in value.args)
    if isinstance(value, (sympy.Symbol, Words)):
        return True
    if isinstance(value, Group) and value.is_sequence:
        return all(isinstance(v, sympy.Symbol) for v in value.items)
    if isinstance(value, sympy.Mul):  # a side AB, the measure of an angle
        names = [v.name if isinstance(v, sympy.Symbol) else "" for v in value.args]
        return all(n.isupper() or n == "m" or n.startswith("angle ") for n in names) and names != ["m"]
    return False


def is_scalar(equation: Equation) -> bool:
    return is_expression(equation.left) and is_expression(equation.right)


def is_number(value: Any) -> bool:
    return is_expression(value) and not value.free_symbols


def is_braced(value: Any) -> bool:
    return isinstance(value, SetOperation) or (isinstance(value, Group) and value.opening == "{")


def keeps_order(a: Group, b: Group) -> bool:
    """Two square brackets, or [1, 6] beside {1, 6}: an interval or a list in its order."""
    shapes = {a.opening, b.opening}
    if shapes == {"["}:
        return True
    return shapes == {"[", "{"} and len(a.items) == 2 == len(b.items)


def may_be_interval(a: Any, b: Any) -> bool:
    """Whether one side is [1, 6] and the other 1, 6: a list like it, or the ends of an interval."""
    shapes = {v.opening + v.closing for v in (a, b) if isinstance(v, Group)}
    if shapes != {"[]", ""} or len(a.items) != 2:
        return False
    return all(is_number(v.right if isinstance(v, Equation) else v) for v in (*a.items, *b.items))


def unlabelled(items: list[Any]) -> list[Any]:
    """x = 1, x = 2 means the values 1 and 2."""
    equations = [v for v in items if isinstance(v, Equation)]
    if len(equations) == len(items) and items:
        labels = {v.left for v in equations if isinstance(v.left, (sympy.Symbol, Group))}
        if len(labels) == 1 and all(is_label(v.left) for v in equations):
            return [v.right for v in equations]
    return items


def solves_one_unknown(value: Group) -> bool:
    """Whether a list is x = 2, x = 3 or x = 2, 3: values of one unknown, not coordinates."""
    labels = {v.left for v in value.items if isinstance(v, Equation) and isinstance(v.left, sympy.Symbol)}
    return len(value.items) > 1 and len(labels) == 1 and value.opening == ""


def assigned(value: Any) -> dict[Any, Any] | None:
    """{unknown: value} of x = 3, y = -1 or (x, y) = (3, -1); None for anything else."""
    if isinstance(value, Equation):
        names, values = value.left, value.right
        points = all(isinstance(v, Group) and v.is_sequence for v in (names, values))
        if not points or len(names.items) != len(values.items) or not is_label(names):
            return None
        found = dict(zip(names.items, values.items, strict=True))
        return found if len(found) == len(names.items) else None
    if not isinstance(value, Group) or value.opening not in ("", "[", "{") or len(value.items) < 2:
        return None
    items = [v for v in value.items if isinstance(v, Equation) and isinstance(v.left, sympy.Symbol)]
    found = {v.left: v.right for v in items}
    return found if len(found) == len(value.items) else None


def together(outcomes: list[Outcome], route: str) -> Outcome:
    verdicts = [equal for equal, _ in outcomes]
    if False in verdicts:
        return False, outcomes[verdicts.index(False)][1]
    if None in verdicts:
        return None, outcomes[verdicts.index(None)][1]
    return True, route if len(outcomes) != 1 else outcomes[0][1]
