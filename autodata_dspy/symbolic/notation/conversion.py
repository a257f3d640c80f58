"""Values of the interpreter, and sympy's own containers, as our objects."""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter.values import Routine
from autodata_dspy.symbolic.objects import (
    Alternatives,
    Cases,
    Definition,
    Equation,
    Family,
    Group,
    Membership,
    SetOperation,
    UnreadableError,
    Words,
)


def to_object(value: Any) -> Any:
    """An interpreter's value, or a program's answer, as one of our objects."""
    if isinstance(value, (list, tuple, sympy.Tuple)):
        opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")")
        return Group(opening, closing, tuple(map(to_object, value)))
    if isinstance(value, (set, frozenset)):
        return Group("{", "}", tuple(to_object(v) for v in sorted(value, key=sympy.default_sort_key)))
    if isinstance(value, (dict, sympy.Dict)):
        return _assignments(dict(value))
    if isinstance(value, bool) or value in (sympy.true, sympy.false):
        return Words(str(bool(value)).lower())
    if isinstance(value, int):
        return sympy.Integer(value)
    if isinstance(value, sympy.MatrixBase):
        return sympy.ImmutableMatrix(value)
    if isinstance(value, Routine):
        raise UnreadableError("a lambda without its value")
    if isinstance(value, sympy.Basic):
        return _from_sympy(value)
    if isinstance(value, _OWN):
        return value
    raise UnreadableError(f"a {type(value).__name__} is no mathematical object")


_OWN = (Alternatives, Cases, Definition, Equation, Family, Group, Membership, SetOperation, Words)


def _assignments(pairs: dict[Any, Any]) -> Any:
    """{x: 1, y: 2} means x = 1 and y = 2; {3: 1, 5: 2} (roots with multiplicities) stays a set of pairs."""
    if pairs and all(isinstance(k, sympy.Symbol) for k in pairs):
        return Group("", "", tuple(Equation(k, to_object(v)) for k, v in pairs.items()))
    return Group("{", "}", tuple(Group("(", ")", (to_object(k), to_object(v))) for k, v in pairs.items()))


def _from_sympy(value: Any) -> Any:
    if isinstance(value, sympy.Equality):
        return Equation(to_object(value.lhs), to_object(value.rhs))
    if isinstance(value, sympy.Lambda):
        return Definition("", tuple(value.variables), to_object(value.expr))
    if isinstance(value, sympy.FiniteSet):
        return Group("{", "}", tuple(map(to_object, value.args)))
    if isinstance(value, sympy.Piecewise):
        pairs: list[Any] = [pair.args for pair in value.args]
        return Cases(tuple((to_object(e), None if c == sympy.true else c) for e, c in pairs))
    if isinstance(value, sympy.Or) and all(isinstance(a, sympy.Equality) for a in value.args):
        return Alternatives(tuple(map(to_object, value.args)))
    if isinstance(value, sympy.And) and all(isinstance(a, sympy.Equality) for a in value.args):
        return Group("", "", tuple(map(to_object, value.args)))
    if isinstance(value, sympy.ImageSet) and len(value.lamda.variables) == 1:
        return Family((value.lamda.expr,), value.lamda.variables[0], value.base_set)
    if isinstance(value, sympy.Union) and value.has(sympy.ImageSet):
        return SetOperation("union", to_object(value.args[0]), to_object(sympy.Union(*value.args[1:], evaluate=False)))
    return value
