"""The statements of a symbolic program: assignments, bounded loops, conditions, plain functions.

An import is no import: it binds names of our own tables, for the modules a program plausibly names.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.builtins import items
from autodata_dspy.symbolic.interpreter.evaluator import Interpreter, unknown_name
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.modules import MODULES
from autodata_dspy.symbolic.interpreter.operators import BINARY
from autodata_dspy.symbolic.interpreter.values import Module, Return, Scope, Text

# Imported by habit and harmless: nothing in our tables depends on them.
_IGNORED_MODULES = frozenset({"__future__", "typing", "fractions", "decimal"})


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class StatementRunner:
    """Runs a list of statements; `last` is the value of the latest expression or print."""

    def __init__(self) -> None:
        self.interpreter = Interpreter()
        self.interpreter.run_body = self.run
        self.last: Any = None
        self._statements: dict[type, Callable[[Any, Scope], None]] = {
            ast.Assign: self._assign,
            ast.AugAssign: self._augment,
            ast.AnnAssign: self._annotated,
            ast.Expr: self._expression,
            ast.For: self._for,
            ast.While: self._while,
            ast.If: lambda node, scope: self.run(
                node.body if self.interpreter.truth(node.test, scope) else node.orelse, scope
            ),
            ast.FunctionDef: self._define,
            ast.Return: self._return,
            ast.Pass: lambda node, scope: None,
            ast.Break: self._break,
            ast.Continue: self._continue,
            ast.Assert: self._assert,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
        }

    def run(self, body: list[ast.stmt], scope: Scope) -> None:
        for node in body:
            self.interpreter.steps += 1
            self.interpreter.line = node.lineno
            if self.interpreter.steps > limits.MAX_STEPS:
                raise ProgramError(f"stopped after {limits.MAX_STEPS} steps; use a closed form or a smaller loop")
            handler = self._statements.get(type(node))
            if handler is None:
                raise ProgramError(
                    f"{type(node).__name__} is not allowed; use assignments, for, if, def and expressions"
                )
            handler(node, scope)

    def _assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.interpreter.evaluate(node.value, scope)
        for target in node.targets:
            self.interpreter.bind(target, value, scope)

    def _augment(self, node: ast.AugAssign, scope: Scope) -> None:
        if isinstance(node.target, ast.Name):
            home = scope.find(node.target.id)
            if home is None:
                raise ProgramError(f"{node.target.id[:40]!r} is changed before it is defined")
            old = home.names[node.target.id]
        else:
            old = self.interpreter.value(node.target, scope)
        new = self.interpreter.value(node.value, scope)
        if isinstance(old, list):  # += must not change a list that another name shares
            old, new = list(old), list(items(new))
        self.interpreter.bind(node.target, limits.check_size(BINARY[type(node.op)](old, new)), scope)

    def _annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.interpreter.bind(node.target, self.interpreter.evaluate(node.value, scope), scope)

    def _expression(self, node: ast.Expr, scope: Scope) -> None:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("print", "display"):
            self._print(call, scope)
            return
        if isinstance(call, ast.Constant) and isinstance(call.value, str):
            return  # a docstring
        value = self.interpreter.evaluate(call, scope)
        if value is not None:
            self.last = value

    def _print(self, call: ast.Call, scope: Scope) -> None:
        if unknown := [k.arg for k in call.keywords if k.arg not in ("end", "sep", "flush")]:
            raise ProgramError(f"print() takes no {unknown[0]!r} here")
        for argument in call.args:
            if isinstance(argument, ast.JoinedStr):
                parts = [p.value for p in argument.values if isinstance(p, ast.FormattedValue)]
            else:
                parts = [argument]
            for part in parts:
                value = self.interpreter.evaluate(part, scope)
                if not isinstance(value, Text):
                    self.last = value

    def _for(self, node: ast.For, scope: Scope) -> None:
        for item in items(self.interpreter.value(node.iter, scope)):
            self.interpreter.bind(node.target, item, scope)
            try:
                self.run(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.run(node.orelse, scope)

    def _while(self, node: ast.While, scope: Scope) -> None:
        while self.interpreter.truth(node.test, scope):  # bounded by the step limit
            try:
                self.run(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.run(node.orelse, scope)

    def _define(self, node: ast.FunctionDef, scope: Scope) -> None:
        if node.decorator_list:
            raise ProgramError("decorators are not allowed; write a plain def")
        scope.names[node.name] = self.interpreter.routine(node.name, node.args, node.body, scope)

    def _return(self, node: ast.Return, scope: Scope) -> None:
        if scope.outer is None:
            raise ProgramError("return stands outside a function; assign to answer instead")
        raise Return(None if node.value is None else self.interpreter.evaluate(node.value, scope))

    def _break(self, node: ast.Break, scope: Scope) -> None:
        raise _Break

    def _continue(self, node: ast.Continue, scope: Scope) -> None:
        raise _Continue

    def _assert(self, node: ast.Assert, scope: Scope) -> None:
        if not self.interpreter.truth(node.test, scope):
            raise ProgramError(f"the program's own assertion fails: {ast.unparse(node.test)[:80]}")

    def _import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            if alias.name not in MODULES:
                raise _no_module(alias.name)
            name = alias.asname or alias.name.split(".")[0]
            scope.names[name] = Module(alias.name if alias.asname else alias.name.split(".")[0])

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = node.module or ""
        if module in _IGNORED_MODULES and module not in MODULES:
            return
        known = MODULES.get(module, MODULES["sympy"] if module.startswith("sympy.") else None)
        if node.level or known is None:
            raise _no_module(module)
        for alias in node.names:
            if alias.name == "*":
                scope.names.update(known if module not in ("sympy", "math") else {})
            elif alias.name in known:
                scope.names[alias.asname or alias.name] = known[alias.name]
            else:
                raise unknown_name(f"{module}.{alias.name}", [f"{module}.{name}" for name in known])


def _no_module(name: str) -> ProgramError:
    return ProgramError(f"the module {name[:40]!r} is not available; sympy's functions are, without any import")
