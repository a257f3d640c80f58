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

from autodata_dspy.symbolic.interpreter.evaluator import Interpreter
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.members import member
from autodata_dspy.symbolic.interpreter.names import NAMES
from autodata_dspy.symbolic.interpreter.parsing import parse
from autodata_dspy.symbolic.interpreter.values import Operation, Scope
from autodata_dspy.symbolic.notation.conversion import to_object
from autodata_dspy.symbolic.objects import (
    Alternatives,
    Cases,
    Equation,
    Group,
    SetOperation,
    TooHardError,
    UnreadableError,
    is_expression,
    variable,
)

# What tells sympy syntax from school notation.
_SIGNS = re.compile(
    r"\*\*|\b(?:Interval|FiniteSet|Union|Intersection|Complement|SymmetricDifference|ImageSet|ConditionSet|ProductSet"
    r"|EmptySet|Reals|Integers|Naturals0?|Rationals|Complexes|Matrix|ImmutableMatrix|Eq|Ne|Lt|Le|Gt|Ge|And|Or|Not"
    r"|Rational|Integer|Integral|Sum|Product|Limit|Derivative|Piecewise|Lambda|Tuple|Poly|Abs|Max|Min|Symbol|S|sympy"
    r"|eye|zeros|ones|diag|Add|Mul|Pow|sqrt|exp|log|oo)\b"
    r"|\b(?:binomial|factorial2?|subfactorial|floor|ceiling|fibonacci|lucas|harmonic|bernoulli|catalan|gamma|beta|zeta"
    r"|LambertW|erfi?|erfc|Mod|gcd|lcm|sign|Heaviside|KroneckerDelta|StirlingS2|bell)\("
)


_ASSIGNMENTS = re.compile(r"\{\s*[A-Za-z]\w*\s*:[^{}<>=|]*\}")  # {x: 1, y: 2}


_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9_]{0,30}")


_TOO_HARD = re.compile(r"bits|more than|takes numbers|above|steps|nested")


def looks_like_sympy(text: str) -> bool:
    return "\\" not in text and bool(_SIGNS.search(text) or _ASSIGNMENTS.fullmatch(text))


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
            if _NAME.fullmatch(name) and len(name) <= 2 and all(is_expression(a) for a in arguments):
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
