"""Reads sympy syntax, `Eq(y, 3*x - 2)`, into the same objects as the grammar reads LaTeX into.

Shares the program interpreter's tables, without its statements; a name that is not in the tables is
a variable.
"""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter import Interpreter, Routine, Scope
from autodata_dspy.symbolic.limits import ProgramError
from autodata_dspy.symbolic.members import member
from autodata_dspy.symbolic.names import NAMES, Operation
from autodata_dspy.symbolic.objects import (
    Alternatives,
    Cases,
    Definition,
    Equation,
    Family,
    Group,
    Membership,
    SetOperation,
    TooHardError,
    UnreadableError,
    Words,
    variable,
)
from autodata_dspy.symbolic.parsing import parse

# What tells sympy syntax from school notation.
_SIGNS = re.compile(
    r"\*\*|\b(?:Interval|FiniteSet|Union|Intersection|Complement|SymmetricDifference|ImageSet|ConditionSet|ProductSet"
    r"|EmptySet|Reals|Integers|Naturals0?|Rationals|Complexes|Matrix|ImmutableMatrix|Eq|Ne|Lt|Le|Gt|Ge|And|Or|Not"
    r"|Rational|Integer|Integral|Sum|Product|Limit|Derivative|Piecewise|Lambda|Tuple|Poly|Abs|Max|Min|Symbol|S|sympy"
    r"|eye|zeros|ones|diag|Add|Mul|Pow|sqrt|exp|log|oo)\b"
)
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9_]{0,30}")
_TOO_HARD = re.compile(r"bits|more than|takes numbers|above|steps|nested")


def looks_like_sympy(text: str) -> bool:
    return "\\" not in text and bool(_SIGNS.search(text))


class _Reader(Interpreter):
    """The interpreter with every unknown name a variable, and names of functions variables unless called."""

    def __init__(self, source: str):
        super().__init__(unknown=variable)
        self.source = source

    def name(self, name: str, scope: Scope) -> Any:
        if name in ("e", "i") and scope.find(name) is None:
            return sympy.E if name == "e" else sympy.I
        found = NAMES.get(name)
        if found is not None and not isinstance(found, Operation):
            return found
        if isinstance(found, Operation) and name not in ("S", "N") and len(name) == 1:
            return found
        if name == "S" or not _NAME.fullmatch(name):
            return super().name(name, scope)
        return variable(name)

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        if isinstance(node.value, ast.Name) and isinstance(NAMES.get(node.value.id), Operation):
            return member(NAMES[node.value.id], node.attr)
        return super()._attribute(node, scope)

    def _constant(self, node: ast.Constant, scope: Scope) -> Any:
        if isinstance(node.value, float):  # every digit counts: 0.333 is not a third
            digits = ast.get_source_segment(self.source, node) or repr(node.value)
            if abs(Decimal(digits).adjusted()) > 400:
                raise ProgramError("a number with more than 400 digits")
            return sympy.Rational(digits.replace("_", ""))
        return super()._constant(node, scope)

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        # In call position a table name is the function; an unknown one is an undefined function.
        if isinstance(node.func, ast.Name):
            name = node.func.id
            arguments = tuple(self.elements(node.args, scope))
            keywords = {k.arg: self.evaluate(k.value, scope) for k in node.keywords if k.arg is not None}
            if len(keywords) < len(node.keywords):
                raise ProgramError("**keywords are not allowed")
            if name in _BUILDERS:
                return _BUILDERS[name](*arguments, **keywords)
            if name in NAMES:
                return self.call(NAMES[name], arguments, keywords)
            if _NAME.fullmatch(name) and len(name) <= 2 and all(isinstance(a, sympy.Expr) for a in arguments):
                return sympy.Function(name)(*arguments)
            return super().name(name, scope)  # raises, naming the likely misspelling
        return super()._call(node, scope)


def _equation(left: Any, right: Any = 0, **_: Any) -> Equation:
    return Equation(to_object(left), to_object(right))


def _either(*parts: Any, **_: Any) -> Any:
    if all(isinstance(p, sympy.logic.boolalg.Boolean) for p in parts):
        return sympy.Or(*parts)
    return Alternatives(tuple(to_object(p) for p in parts))


def _both(*parts: Any, **_: Any) -> Any:
    if all(isinstance(p, sympy.logic.boolalg.Boolean) for p in parts):
        return sympy.And(*parts)
    return Group("", "", tuple(to_object(p) for p in parts))


def _cases(*branches: Any, **_: Any) -> Cases:
    pairs = []
    for branch in branches:
        if not isinstance(branch, (tuple, sympy.Tuple)) or len(branch) != 2:
            raise ProgramError("Piecewise takes (value, condition) pairs")
        condition = branch[1]
        pairs.append((to_object(branch[0]), None if condition is True or condition == sympy.true else condition))
    return Cases(tuple(pairs))


def _relation(kind: Any) -> Any:
    return lambda left, right, **_: kind(left, right, evaluate=False)


# Constructors that would evaluate away what is to be compared.
_BUILDERS: dict[str, Any] = {
    "Eq": _equation,
    "Or": _either,
    "And": _both,
    "Piecewise": _cases,
    "Ne": _relation(sympy.Ne),
    "Lt": _relation(sympy.Lt),
    "Le": _relation(sympy.Le),
    "Gt": _relation(sympy.Gt),
    "Ge": _relation(sympy.Ge),
    "FiniteSet": lambda *items, **_: Group("{", "}", tuple(map(to_object, items))),
    "Union": lambda *sets, **_: _folded("union", sets),
    "Intersection": lambda *sets, **_: _folded("intersection", sets),
    "Complement": lambda *sets, **_: _folded("difference", sets),
    "ProductSet": lambda *sets, **_: _folded("product", sets),
}


def _folded(operation: str, sets: tuple[Any, ...]) -> Any:
    if not sets:
        raise ProgramError("a set operation without sets")
    found = to_object(sets[0])
    for other in sets[1:]:
        found = SetOperation(operation, found, to_object(other))
    return found


def read_sympy(text: str) -> Any:
    """The object of an expression in Python syntax.

    Raises:
        UnreadableError: it is not one.
        TooHardError: it is too large.
    """
    try:
        source = text.strip()
        tree = parse(source, mode="eval")
        return to_object(_Reader(source).evaluate(tree.body, Scope()))
    except ProgramError as error:
        kind = TooHardError if _TOO_HARD.search(str(error)) else UnreadableError
        raise kind(str(error)) from None
    except (UnreadableError, TooHardError):
        raise
    except RecursionError:
        raise TooHardError("nested too deeply") from None
    except Exception as error:  # sympy's constructors raise what they like on nonsense
        raise UnreadableError(" ".join(f"{type(error).__name__}: {error}".split())[:120]) from None


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


def _from_sympy(value: sympy.Basic) -> Any:
    if isinstance(value, sympy.Equality):
        return Equation(to_object(value.lhs), to_object(value.rhs))
    if isinstance(value, sympy.Lambda):
        return Definition("", tuple(value.variables), to_object(value.expr))
    if isinstance(value, sympy.FiniteSet):
        return Group("{", "}", tuple(map(to_object, value.args)))
    if isinstance(value, sympy.Piecewise):
        return Cases(tuple((to_object(e), None if c == sympy.true else c) for e, c in value.args))
    if isinstance(value, sympy.Or) and all(isinstance(a, sympy.Equality) for a in value.args):
        return Alternatives(tuple(map(to_object, value.args)))
    if isinstance(value, sympy.And) and all(isinstance(a, sympy.Equality) for a in value.args):
        return Group("", "", tuple(map(to_object, value.args)))
    if isinstance(value, sympy.ImageSet) and len(value.lamda.variables) == 1:
        return Family((value.lamda.expr,), value.lamda.variables[0], value.base_set)
    if isinstance(value, sympy.Union) and value.has(sympy.ImageSet):
        return SetOperation("union", to_object(value.args[0]), to_object(sympy.Union(*value.args[1:], evaluate=False)))
    return value
