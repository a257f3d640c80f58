"""What the parts of a bracket, a set builder, an arrow or a chain of relations make together."""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.objects import (
    Equation,
    Family,
    Group,
    Membership,
    SetBuilder,
    UnreadableError,
    is_expression,
)


def closed(found: Any, opening: str, closing: str) -> Any:
    if not isinstance(found, Group):
        return found
    if len(found.items) == 1:
        (only,) = found.items
        if opening == "(" and closing == ")" and not isinstance(only, Group):
            return only
        if opening in "([" and isinstance(only, sympy.MatrixBase):  # brackets drawn around an array
            return only
    if opening + closing in ("(]", "[)") and len(found.items) != 2:
        raise UnreadableError(f"an interval {opening}…{closing} needs two ends")
    return Group(opening, closing, found.items)


def set_builder(element: Any, conditions: tuple[Any, ...]) -> Any:
    if isinstance(element, Membership):
        element, conditions = element.element, (element, *conditions)
    if not conditions:
        raise UnreadableError("a set builder without its condition")
    first = next(iter(conditions))
    if len(conditions) == 1 and isinstance(first, Membership) and isinstance(first.element, sympy.Symbol):
        if is_expression(element) and element != first.element:
            return Family((element,), first.element, first.of)
    return SetBuilder(element, conditions if len(conditions) > 1 else first)


def parameters(value: Any) -> tuple[Any, ...]:
    items = value.items if isinstance(value, Group) else (value,)
    if not all(isinstance(v, sympy.Symbol) for v in items):
        raise UnreadableError("an arrow maps variables")
    return tuple(items)


_INEQUALITIES = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "!=": sympy.Ne}


def relations(sides: list[Any], signs: list[str]) -> Any:
    if set(signs) == {"="}:
        return Equation(sides[0], sides[1]) if len(sides) == 2 else Equation(sides[0], tuple(sides[1:]))
    if not all(is_expression(s) for s in sides) or not set(signs) <= set(_INEQUALITIES):
        raise UnreadableError("a relation between objects that have no order")
    parts = [_INEQUALITIES[sign](a, b, evaluate=False) for sign, a, b in zip(signs, sides, sides[1:], strict=False)]
    return parts[0] if len(parts) == 1 else sympy.And(*parts)
