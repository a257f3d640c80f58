"""Runs a short symbolic program written by a model and says what its answer is.

The source is parsed with `ast` and interpreted over explicit tables (`names`, `members`,
`builtins`); it is never compiled, and no text of it reaches sympy's own parser. Call `run_program`
in a worker process: an allowed computation may still take for ever.
"""

from __future__ import annotations

import warnings
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from autodata_dspy.symbolic.interpreter import Interpreter, Routine, Scope
from autodata_dspy.symbolic.limits import ProgramError
from autodata_dspy.symbolic.names import Text
from autodata_dspy.symbolic.parsing import parse
from autodata_dspy.symbolic.statements import StatementRunner

_ANSWER_NAMES = ("answer", "result", "ans")
_UNEVALUATED = (sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit)
_UNFINISHED = (*_UNEVALUATED, sympy.ConditionSet, sympy.CRootOf, sympy.RootSum, sympy.Subs)


class _OneLine(StrPrinter):
    """sympy's own printing breaks a matrix over several lines."""

    def _print_MatrixBase(self, expr: Any) -> str:  # noqa: N802 - sympy's naming
        return f"Matrix({self._print(expr.tolist())})"

    _print_ImmutableDenseMatrix = _print_MatrixBase  # noqa: N815


def run_program(source: str) -> dict[str, Any]:
    """Run a program and describe its answer.

    The answer is the variable `answer` (or `result`, `ans`), else the last expression or print.

    Returns:
        {"ok": True, "text", "latex", "kind", "trivial"} or {"ok": False, "error": one line}. `text`
        is plain sympy syntax; `trivial` means a bare integer or a truth value.
    """
    try:
        return describe(program_value(source))
    except ProgramError as error:
        return {"ok": False, "error": str(error)}


def compare_program(source: str, answer: str, context: str = "") -> dict[str, Any]:
    """The reply of `run_program`, plus "equal" and "route": its answer compared with a text."""
    from autodata_dspy.symbolic.equality import equal_to_value

    try:
        value = program_value(source)
        reply = describe(value)
    except ProgramError as error:
        return {"ok": False, "error": str(error)}
    return {**reply, **equal_to_value(value, answer, context)}


def program_value(source: str) -> Any:
    """The answer of a program as an object, checked to be finished and exact.

    Raises:
        ProgramError: with one line (and the line number) for the program's author.
    """
    tree = parse(source)
    runner = StatementRunner()
    scope = Scope()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runner.run(tree.body, scope)
            return finished(_answer(scope, runner))
    except ProgramError as error:
        raise ProgramError(f"line {runner.interpreter.line}: {error}") from None
    except RecursionError:
        raise ProgramError(f"line {runner.interpreter.line}: the expression is nested too deeply") from None
    except Exception as error:  # a bad program is data: its author gets to read what went wrong
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ProgramError(f"line {runner.interpreter.line}: {what}") from None


def _answer(scope: Scope, runner: StatementRunner) -> Any:
    for name in _ANSWER_NAMES:
        if name in scope.names:
            return _as_object(scope.names[name], runner.interpreter)
    if runner.last is not None:
        return _as_object(runner.last, runner.interpreter)
    raise ProgramError("the program computes nothing; end it with answer = …")


def _as_object(value: Any, interpreter: Interpreter) -> Any:
    """The program's value as sympy objects in plain containers; a one-line function becomes a Lambda."""
    if isinstance(value, Routine):
        symbols = [sympy.Symbol(name) for name in value.parameters]
        return sympy.Lambda(tuple(symbols), interpreter.call(value, tuple(symbols)))
    if isinstance(value, (list, tuple)):
        return type(value)(_as_object(v, interpreter) for v in value)
    if isinstance(value, (set, frozenset)):
        return {_as_object(v, interpreter) for v in value}
    if isinstance(value, dict):
        return {_as_object(k, interpreter): _as_object(v, interpreter) for k, v in value.items()}
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, int):
        return sympy.Integer(value)
    if isinstance(value, range):
        return [sympy.Integer(v) for v in value]
    if isinstance(value, sympy.MatrixBase):
        return value.as_immutable()
    if isinstance(value, sympy.Poly):
        return value.as_expr()
    if isinstance(value, Text):
        raise ProgramError(f"the answer is the text {value.value[:40]!r}; it must be a mathematical object")
    if value is None:
        raise ProgramError("the answer is None: no result was computed")
    if isinstance(value, sympy.Basic):
        return value
    raise ProgramError(
        f"the answer is {str(getattr(value, 'name', type(value).__name__))[:40]!r}, not a value; call it"
    )


def _parts(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [p for v in value for p in _parts(v)]
    if isinstance(value, dict):
        return [p for pair in value.items() for v in pair for p in _parts(v)]
    return [value]


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
        raise ProgramError(
            "the answer is a decimal; keep it exact with Rational(1, 3), sqrt(2) or nsimplify(…)"
        )
    for kind in _UNFINISHED:
        if value.has(kind):
            raise ProgramError(
                f"the answer is an unevaluated {kind.__name__}; ask for something with a closed form"
            )
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
    shown = _unambiguous(value)
    try:
        text, latex = _OneLine().doprint(shown), sympy.latex(shown)
    except ValueError:  # Python refuses to print integers of more than 4300 digits
        raise ProgramError("the answer is too long to print; ask for something shorter") from None
    if max(len(text), len(latex)) > 2000:
        raise ProgramError(f"the answer has {len(text)} characters; ask for something shorter")
    trivial = kind == "boolean" or isinstance(value, sympy.Integer)
    return {"ok": True, "text": text, "latex": latex, "kind": kind, "trivial": trivial}


def _unambiguous(value: Any) -> Any:
    # solve() returns [-2, 2], which a reader takes for a closed interval: show two roots as a set.
    if isinstance(value, list) and len(value) == 2 and len(set(map(sympy.sstr, value))) == 2:
        if all(isinstance(v, sympy.Expr) for v in value):
            return set(value)
    return value
