"""Sums, products and powers of what the grammar reads: expressions, matrices, vectors in brackets."""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.objects import Group, UnreadableError, is_expression


def combine(operation: str, a: Any, b: Any) -> Any:
    """Arithmetic of expressions, matrices and vectors in brackets, with the limits of `limits`.

    Raises:
        UnreadableError: the objects cannot be combined.
    """
    a, b = _operand(a), _operand(b)
    if isinstance(a, Group) or isinstance(b, Group):
        return _vector(operation, a, b)
    if not all(isinstance(v, (sympy.Expr, sympy.MatrixBase)) for v in (a, b)):
        raise UnreadableError("these objects cannot be combined")
    try:
        if operation == "+":
            return a + b
        if operation == "*":
            return a * b
        if operation == "^":
            return limits.power(a, b)
        if b == 0:
            raise UnreadableError("a division by zero")
        return a / b
    except (TypeError, ValueError, AttributeError, NotImplementedError, sympy.matrices.exceptions.MatrixError) as error:
        raise UnreadableError(f"these objects cannot be combined: {str(error)[:60]}") from None


def _operand(value: Any) -> Any:
    if isinstance(value, Group) and len(value.items) == 1 and value.opening in ("[", "("):
        return value.items[0]
    return value


def _vector(operation: str, a: Any, b: Any) -> Any:
    if isinstance(a, Group) and isinstance(b, Group) and operation == "+" and len(a.items) == len(b.items):
        if a.is_sequence and b.is_sequence:
            return Group("(", ")", tuple(combine("+", x, y) for x, y in zip(a.items, b.items, strict=True)))
    elif operation in "*/" and isinstance(a, Group) != isinstance(b, Group):
        group, scalar = (a, b) if isinstance(a, Group) else (b, a)
        if group.is_sequence and is_expression(scalar) and (operation == "*" or group is a):
            return Group("(", ")", tuple(combine(operation, x, scalar) for x in group.items))
    raise UnreadableError("brackets in arithmetic")
