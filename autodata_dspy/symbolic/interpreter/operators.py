"""The operators of a program, with their limits."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.builtins import items
from autodata_dspy.symbolic.interpreter.limits import ProgramError


def _divide(a: Any, b: Any) -> Any:
    if isinstance(b, (int, sympy.Integer)) and b == 0:
        raise ProgramError("division by zero")
    return sympy.Rational(a, b) if isinstance(a, int) and isinstance(b, int) else a / b


def _xor(a: Any, b: Any) -> Any:
    if isinstance(a, sympy.Expr) or isinstance(b, sympy.Expr):
        raise ProgramError("^ is not a power in Python; write x**2")
    return operator.xor(a, b)


def _repeat(a: Any, b: Any) -> Any:
    for many, times in ((a, b), (b, a)):
        if isinstance(many, (list, tuple)) and len(many) * limits.whole(times, "a repetition") > limits.MAX_ITEMS:
            raise ProgramError(f"a collection has more than {limits.MAX_ITEMS} elements")
    if isinstance(a, (list, tuple)):
        return a * limits.whole(b, "a repetition")
    if isinstance(b, (list, tuple)):
        return b * limits.whole(a, "a repetition")
    return a * b


BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _repeat,
    ast.Div: _divide,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: limits.power,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: _xor,
    ast.LShift: lambda a, b: limits.shift(a, b, True),
    ast.RShift: lambda a, b: limits.shift(a, b, False),
}


COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in (b if isinstance(b, (sympy.Set, dict)) else list(items(b))),
    ast.NotIn: lambda a, b: a not in (b if isinstance(b, (sympy.Set, dict)) else list(items(b))),
}


UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: lambda v: sympy.Not(v) if isinstance(v, Boolean) else operator.invert(v),
}
