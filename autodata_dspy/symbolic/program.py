"""Runs a short symbolic program written by a model and says what its answer is.

The source is parsed with `ast` and interpreted over explicit tables (`names`, `members`,
`builtins`); it is never compiled, and no text of it reaches sympy's own parser. Call `run_program`
in a worker process: an allowed computation may still take for ever.
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter.answers import as_object, describe, finished, unambiguous
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.parsing import parse
from autodata_dspy.symbolic.interpreter.statements import StatementRunner
from autodata_dspy.symbolic.interpreter.values import Scope

_ANSWER_NAMES = ("answer", "result", "ans")


def run_program(source: str) -> dict[str, Any]:
    """Run a program and describe its answer.

    The answer is the variable `answer` (or `result`, `ans`), else the last expression or print, else what
    the last line assigns.

    Returns:
        {"ok": True, "text", "latex", "kind", "trivial"} or {"ok": False, "error": one line}. `text`
        is plain sympy syntax; `trivial` means what a guess may hit: a truth value, a whole number (also
        one alone in a list) or an empty list.
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
    return {**reply, **equal_to_value(unambiguous(value), answer, context)}


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
            return finished(_answer(tree, scope, runner))
    except ProgramError as error:
        raise ProgramError(f"line {runner.interpreter.line}: {error}") from None
    except RecursionError:
        raise ProgramError(f"line {runner.interpreter.line}: the expression is nested too deeply") from None
    except MemoryError:
        raise  # says nothing about the program's answer: the worker ends, the verdict is undecided
    except Exception as error:  # a bad program is data: its author gets to read what went wrong
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ProgramError(f"line {runner.interpreter.line}: {what}") from None


def _answer(tree: ast.Module, scope: Scope, runner: StatementRunner) -> Any:
    for name in _ANSWER_NAMES:
        if name in scope.names:
            return as_object(scope.names[name], runner.interpreter)
    if runner.last is not None:
        return as_object(runner.last, runner.interpreter)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign) and isinstance(target := last.targets[0], ast.Name):
        value = scope.names.get(target.id)
        if isinstance(value, (sympy.Basic, sympy.MatrixBase, list, set)) and not isinstance(value, sympy.Symbol):
            return as_object(value, runner.interpreter)
    raise ProgramError("the program computes nothing; end it with answer = …")
