"""What a program's answer is: a finished, exact object, with its text, LaTeX and kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from autodata_dspy.symbolic.interpreter.evaluator import Interpreter
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.values import Routine, Text

_UNEVALUATED = (sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit)


_UNFINISHED = (*_UNEVALUATED, sympy.ConditionSet, sympy.CRootOf, sympy.RootSum, sympy.Subs)


class OneLine(StrPrinter):
    """sympy's own printing breaks a matrix over several lines."""

    def _print_MatrixBase(self, expr: Any) -> str:  # noqa: N802 - sympy's naming
        return f"Matrix({self._print(expr.tolist())})"

    _print_ImmutableDenseMatrix = _print_MatrixBase  # noqa: N815


def as_object(value: Any, interpreter: Interpreter) -> Any:
    """The program's value as sympy objects in plain containers; a one-line function becomes a Lambda.

    Raises:
        ProgramError: it is no mathematical object.
    """
    if isinstance(value, Routine):
        symbols = tuple(sympy.Symbol(name) for name in value.parameters)
        return sympy.Lambda(symbols, interpreter.call(value, symbols))
    if isinstance(value, (list, tuple)):
        return type(value)(as_object(v, interpreter) for v in value)
    if isinstance(value, (set, frozenset)):
        return {as_object(v, interpreter) for v in value}
    if isinstance(value, dict):
        return {as_object(k, interpreter): as_object(v, interpreter) for k, v in value.items()}
    for types, convert in _CONVERSIONS:
        if isinstance(value, types):
            return convert(value)
    if isinstance(value, Text):
        raise ProgramError(f"the answer is the text {value.value[:40]!r}; it must be a mathematical object")
    if value is None:
        raise ProgramError("the answer is None: no result was computed")
    raise ProgramError(
        f"the answer is {str(getattr(value, 'name', type(value).__name__))[:40]!r}, not a value; call it"
    )


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (bool, lambda v: sympy.true if v else sympy.false),
    (int, sympy.Integer),
    (range, lambda v: [sympy.Integer(k) for k in v]),
    (sympy.MatrixBase, lambda v: v.as_immutable()),
    (sympy.Poly, lambda v: v.as_expr()),
    (sympy.Basic, lambda v: v),
)


def finished(value: Any) -> Any:
    """`value` with what was left unevaluated carried out.

    Raises:
        ProgramError: it stays unevaluated, is undefined, or holds a decimal (which proves nothing).
    """
    if isinstance(value, (list, tuple)):
        return type(value)(finished(v) for v in value)
    if isinstance(value, (set, frozenset)):
        return {finished(v) for v in value}
    if isinstance(value, dict):
        return {finished(k): finished(v) for k, v in value.items()}
    if value.has(*_UNEVALUATED):
        value = value.doit()
    if value.has(sympy.nan, sympy.zoo):
        raise ProgramError("the answer is undefined (nan or complex infinity): check for a division by zero")
    if value.has(sympy.Float):
        raise ProgramError("the answer is a decimal; keep it exact with Rational(1, 3), sqrt(2) or nsimplify(…)")
    for kind in _UNFINISHED:
        if value.has(kind):
            raise ProgramError(f"the answer is an unevaluated {kind.__name__}; ask for something with a closed form")
    if value.has(sympy.Order):
        raise ProgramError("the answer holds an O(…) term; call .removeO()")
    return value


def kind_of(value: Any) -> str:
    """number, expression, equation, inequality, interval, set, tuple, list, matrix, function, boolean, dict, other."""
    kinds: tuple[tuple[Any, str], ...] = (
        (list, "list"),
        ((tuple, sympy.Tuple), "tuple"),
        ((set, frozenset), "set"),
        ((dict, sympy.Dict), "dict"),
        (sympy.MatrixBase, "matrix"),
        ((sympy.Interval,), "interval"),
        (sympy.Set, "set"),
        (sympy.Equality, "equation"),
        (sympy.Lambda, "function"),
        ((sympy.logic.boolalg.BooleanTrue, sympy.logic.boolalg.BooleanFalse), "boolean"),
    )
    for types, kind in kinds:
        if isinstance(value, types):
            return kind
    if isinstance(value, sympy.logic.boolalg.Boolean) and not isinstance(value, sympy.Symbol):
        return "inequality" if value.has(Relational) else "boolean"
    if isinstance(value, sympy.Expr):
        return "expression" if value.free_symbols or not value.is_number else "number"
    return "other"


def describe(value: Any) -> dict[str, Any]:
    """The reply of `run_program` for a finished value.

    Raises:
        ProgramError: its text would be longer than a program may be.
    """
    kind = kind_of(value)
    shown = unambiguous(value)
    try:
        text, latex = OneLine().doprint(shown), sympy.latex(shown)
    except ValueError:  # Python refuses to print integers of more than 4300 digits
        raise ProgramError("the answer is too long to print; ask for something shorter") from None
    if max(len(text), len(latex)) > 2000:
        raise ProgramError(f"the answer has {len(text)} characters; ask for something shorter")
    return {"ok": True, "text": text, "latex": latex, "kind": kind, "trivial": _trivial(value, kind)}


def _trivial(value: Any, kind: str) -> bool:
    """Whether a guess may hit it: a truth value, a whole number, also one alone in a list, and nothing at all."""
    if isinstance(value, (list, tuple, set, sympy.FiniteSet, sympy.Tuple)):
        return len(value) == 0 or (len(value) == 1 and _trivial(next(iter(value)), ""))
    return kind == "boolean" or isinstance(value, sympy.Integer)


def unambiguous(value: Any) -> Any:
    """The value as it is shown and compared."""
    # solve() returns [-2, 2], which a reader takes for a closed interval: show two roots as a set.
    if isinstance(value, list) and len(value) == 2 and len(set(map(sympy.sstr, value))) == 2:
        if all(isinstance(v, sympy.Expr) for v in value):
            return set(value)
    return value
